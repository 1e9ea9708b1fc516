/** Everything that takes bytes of strangers, as fuzz targets. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { streamPair } from '@libp2p/utils'
import { parseInvocation, milliseconds, peersOf } from '../../src/cli/arguments.ts'
import { cli } from '../../src/cli/cli.ts'
import { commands } from '../../src/cli/commands.ts'
import { openAsk, sealAsk } from '../../src/crypto/ask.ts'
import type { Bounds } from '../../src/crypto/bounds.ts'
import { boundPeer } from '../../src/crypto/certificate.ts'
import { open, seal } from '../../src/crypto/dsse.ts'
import { GRANT_TYPE, openGrant, sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity, isPeerId } from '../../src/crypto/identity.ts'
import { openRevocations, REVOCATIONS_TYPE, sealRevocations } from '../../src/crypto/revocation.ts'
import { openSuccession, sealSuccession, SUCCESSION_TYPE } from '../../src/crypto/succession.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { type ControlBinding, bindControl } from '../../src/node/control/server.ts'
import { readNeighborhood } from '../../src/node/neighborhood/read.ts'
import { neighborhoodText } from '../../src/node/neighborhood/sample.ts'
import { readPermissions } from '../../src/node/permissions/read.ts'
import { permissionsText } from '../../src/node/permissions/sample.ts'
import { decodeRecord } from '../../src/protocols/state/record.ts'
import { decodeMessage, encodeMessage } from '../../src/protocols/wire/codec.ts'
import { FrameStream } from '../../src/protocols/wire/frames.ts'
import { parseTicket } from '../../src/node/joining/tickets.ts'
import { fakeAgency, noLocalCalls, runInfo } from '../fakes/agency.ts'
import { fakeIo } from '../fakes/io.ts'
import type { Target } from './coverage-fuzzer.ts'
import { expecting } from './expecting.ts'
import { handlerTargets } from './handlers.ts'

const identity = generateIdentity()
const at = 1_700_000_000_000
const message = { type: 'call', name: 'goal', request: { id: 'x', list: [1, -1, 1.5, true, null, 'text'], bytes: new Uint8Array(3) } }

const codec: Target = {
  name: 'codec',
  code: /\/src\/protocols\/wire\//,
  seeds: [message, [], {}, 'text', -5, new Uint8Array(40)].map(encodeMessage),
  run: async bytes => {
    const decoded = await expecting(['CB_FRAME_INVALID'], () => decodeMessage(new Uint8Array(bytes)))
    // What was taken in goes out again as it came, and is taken in again as the same.
    if (decoded !== undefined) assert.deepEqual(decodeMessage(encodeMessage(decoded)), decoded)
  }
}

const frames: Target = {
  name: 'frames',
  code: /\/src\/protocols\/wire\//,
  seeds: [
    Buffer.from('00000003616263', 'hex'),
    Buffer.from('0000000000000001610000000162', 'hex'),
    Buffer.from('ffffffff', 'hex'),
    Buffer.from('00000009', 'hex')
  ],
  run: async bytes => {
    const [raw, other] = await streamPair()
    const stream = new FrameStream(other)
    const reading = expecting(['CB_FRAME_TOO_LONG', 'CB_FRAME_INVALID', 'CB_PEER_UNREACHABLE'], async () => {
      for await (const frame of stream) assert.ok(frame.byteLength <= bytes.length)
    })
    const cut = bytes.length === 0 ? 0 : bytes[0]! % bytes.length
    if (cut > 0) raw.send(Buffer.from(bytes.subarray(0, cut)))
    if (bytes.length > cut) raw.send(Buffer.from(bytes.subarray(cut)))
    await raw.close().catch(() => undefined)
    await reading
    stream.abort(new Error('enough'))
  }
}

const XML = [
  '<',
  '>',
  '/>',
  '</',
  '="',
  '"',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE x [<!ENTITY a "b">]>',
  '&a;',
  '&#0;',
  '&#x10ffff;',
  '__proto__',
  '<?xml version="1.0"?>',
  '\u0000',
  '\ufeff'
]

function xml(
  name: string,
  read: (text: string, file: string) => unknown,
  seeds: readonly string[],
  codes: readonly ErrorCode[],
  words: readonly string[]
): Target {
  return {
    name,
    code: /\/src\/(node\/(permissions|neighborhood|files)|goals\/program\/xml|crypto)/,
    seeds: seeds.map(text => Buffer.from(text)),
    words: [...XML, ...words],
    run: async bytes => {
      await expecting(['CB_XML_INVALID', ...codes], () => {
        try {
          read(bytes.toString('utf8'), 'f.xml')
        } catch (error) {
          if (error instanceof Error && !/^f\.xml:\d+:\d+: \S/.test(error.message)) throw new Error(`no place in: ${error.message}`)
          throw error
        }
      })
    }
  }
}

const authority = `<authority name="ops" key="${identity.peer}" lifetime="P1D" capability="agency:hello"/>`
const permit = `<permit authority="local" email="a@example.org" peer="${identity.peer}" capability="goal:dispatch goal:plan" lifetime="2026-01-01/P30D" programs="site" goals="*" vars="port"/>`
const permissions = xml(
  'permissions.xml',
  readPermissions,
  [
    permissionsText(),
    permissionsText().replace('</permissions>', `${authority}${permit}</permissions>`),
    `<permissions><authority name="local"/>${permit}<tests><test who="a@example.org" capability="goal:plan" goal="g" allowed="true"/></tests></permissions>`
  ],
  ['CB_PERMISSIONS_INVALID'],
  [
    '<permit',
    '<authority',
    '<tests>',
    '<test',
    ' fresh="PT1H"',
    ' lifetime="PT8H"',
    ' peer="',
    ' on="role=web"',
    ' concurrent="2"',
    'PT',
    'P99999999999W',
    '*'
  ]
)
const neighborhood = xml(
  'neighborhood.xml',
  readNeighborhood,
  [
    neighborhoodText({ name: 'n1' }),
    neighborhoodText({
      name: 'n1',
      labels: { role: 'web' },
      mdns: false,
      neighbours: [{ name: 'n2', peer: identity.peer, addresses: ['/ip4/192.0.2.1/tcp/1', '/dns4/a.example/tcp/2'] }]
    }),
    '<neighborhood><node name="a"/><control listen="/ip4/0.0.0.0/tcp/1" hosts="a.example b"/><mdns announce="false"/></neighborhood>'
  ],
  ['CB_NEIGHBORHOOD_INVALID'],
  [
    '<peer name="x" id="',
    '<address>',
    '/ip4/1.2.3.4/tcp/1',
    '/ip6/::1/tcp/99999',
    '/p2p/',
    '<listen>',
    '<label name="a" value="b"/>',
    'noise'
  ]
)

const bounds: Bounds = {
  capabilities: ['goal:dispatch'],
  programs: ['site'],
  goals: ['publish'],
  vars: ['port'],
  on: ['role=web'],
  concurrent: 2
}
const words = {
  id: 'g1',
  subject: identity.peer,
  email: 'a@example.org',
  allows: [bounds],
  at,
  notBefore: at,
  expiry: at + 1_000,
  fresh: 60_000
}
/** What an authority, or somebody with its key, has signed: the signature is good, whatever the bytes say. */
const signed: Target = {
  name: 'signed',
  code: /\/src\/(crypto|protocols\/state)/,
  seeds: [
    sealGrant(identity, words),
    sealRevocations(identity, {
      number: 1,
      at,
      revoked: [
        { grant: 'g1', until: at },
        { subject: identity.peer, before: at, until: at }
      ]
    }),
    sealRevocations(identity, { number: 1, at, revoked: [{ grant: 'g1', until: at }] }, [sealGrant(identity, words)]),
    sealSuccession(identity, generateIdentity(), at),
    sealAsk(identity, { to: identity.peer, call: 'pursue', at, goal: 'g' })
  ].map(envelope => Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload as string, 'base64')),
  words: [
    '"allows"',
    '"parent"',
    '"revoked"',
    '"holds"',
    '"old"',
    '"subject"',
    '"grant"',
    '"__proto__":{}',
    'null',
    '1e400',
    '-1',
    '[]',
    '{}',
    '"v":1',
    '"v":2',
    ','
  ],
  run: async bytes => {
    await expecting(['CB_SIGNATURE_INVALID'], () => openGrant(seal(identity, GRANT_TYPE, bytes)))
    await expecting(['CB_SIGNATURE_INVALID'], () => openRevocations(seal(identity, REVOCATIONS_TYPE, bytes)))
    await expecting(['CB_SIGNATURE_INVALID'], () => openSuccession(seal(identity, SUCCESSION_TYPE, bytes)))
    await expecting(['CB_SIGNATURE_INVALID'], () => openAsk(seal(identity, 'application/vnd.cloudburst.ask+json', bytes)))
    await expecting(['CB_SIGNATURE_INVALID', 'CB_FRAME_INVALID', 'CB_FRAME_TOO_LONG'], () => decodeRecord(bytes, identity.peer))
  }
}

/** Envelopes, certificates, peer ids and tickets as somebody may have made them. */
const envelopes: Target = {
  name: 'envelopes',
  code: /\/src\/(crypto|node\/joining)/,
  seeds: [
    sealGrant(identity, words),
    seal(identity, 'application/x', Buffer.from('x')),
    Buffer.from(identity.peer),
    Buffer.from('cb1-aaaa-bbbb')
  ],
  words: ['"payload"', '"signatures"', '"keyid"', '"sig"', '[', ']', '{', '}', identity.peer, '==', '12D3KooW'],
  run: async bytes => {
    await expecting(['CB_SIGNATURE_INVALID'], () => open(bytes, 'application/x', 4096))
    await expecting(['CB_SIGNATURE_INVALID'], () => openGrant(bytes))
    await expecting(['CB_SIGNATURE_INVALID'], () => boundPeer(bytes))
    await expecting(['CB_TICKET_INVALID', 'CB_USAGE'], () => parseTicket(bytes.toString('utf8')))
    isPeerId(bytes.toString('latin1'))
  }
}

/** Commands that only look, here at a home that does not exist: the others would do what the words say. */
const LOOKING = ['hello', 'peers', 'programs', 'agents', 'examine', 'goals', 'goal', 'help', 'version', 'why', 'logs', 'inventory', 'state']
const nowhere = join(tmpdir(), 'cloudburst-fuzz-no-such-home')
const commandLine: Target = {
  name: 'cli',
  code: /\/src\/cli\//,
  seeds: Object.entries(commands).map(([, { example }]) => Buffer.from(example.split(' ').join('\n'))),
  words: [
    '\n--\n',
    '\n-',
    '\n--peer\n',
    '=',
    '@/etc/passwd',
    '\n-o\njson\n',
    '--home=/x',
    ',',
    'a[0].b=',
    '\u001b[2J',
    '__proto__',
    '\n--set\n',
    '\u0000',
    '\n--output=yaml\n',
    ...Object.keys(commands)
  ],
  run: async bytes => {
    const given = bytes.toString('utf8').split('\n').slice(0, 24)
    const [name = ''] = given
    // What waits for a daemon waits until ctrl-C.
    const io = fakeIo({ env: { CLOUDBURST_HOME: nowhere }, cwd: nowhere, interrupted: AbortSignal.timeout(100) })
    const spec = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (spec !== undefined && !LOOKING.includes(name)) {
      await expecting(['CB_USAGE'], () => {
        const invocation = parseInvocation(name, spec, given.slice(1), io)
        peersOf(invocation.options)
        milliseconds(invocation.options.timeout ?? '1s', 'timeout')
      })
      return
    }
    // The home is no word of the fuzzer's: a daemon of this machine is none of its business.
    const words = given.map(word => (/^-+h[a-z]*/.test(word) ? word.replace(/home/g, 'hom') : word))
    const exit = await cli(words, io)
    assert.ok([0, 1, 7, 64, 130].includes(exit), `exit ${exit}: ${io.said.stderr}`)
    assert.doesNotMatch(io.said.stderr, /\n\s+at |AssertionError|TypeError|RangeError|ReferenceError/)
    if (exit !== 0) assert.match(io.said.stderr, /^(error: |\{)/)
    assert.doesNotMatch(io.said.stderr, /[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f]/, 'control characters reach the terminal')
  }
}

let control: Promise<{ path: string; binding: ControlBinding }> | undefined

/** One socket for all runs. */
function controlSocket(): Promise<{ path: string; binding: ControlBinding }> {
  control ??= (async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'cb-fuzz-')), 'socket')
    const binding = await bindControl(path)
    const agency = fakeAgency(
      { agents: () => [], goal: () => runInfo, goals: () => [runInfo], hello: () => ({}) as never },
      { watch: async function* () {} }
    )
    binding.serve({
      agency,
      agencyOf: async selector => ({ agency, peer: selector }),
      local: noLocalCalls,
      by: { peer: identity.peer, node: 'n1' }
    })
    return { path, binding }
  })()
  return control
}

const http = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const controlApi: Target = {
  name: 'control',
  code: /\/src\/(node\/control|protocols\/(agency|shapes))/,
  seeds: [
    http('/api/v1/calls/agents', '{}'),
    http('/api/v1/calls/goal?peer=n2', '{"id":"x"}'),
    http('/api/v1/streams/watch', '{"path":"nodes"}'),
    http('/api/v1/local/peers', '{}'),
    'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /// HTTP/1.1\r\nhost: x\r\n\r\n'
  ].map(text => Buffer.from(text)),
  words: [
    '\r\n',
    '\r\n\r\n',
    '/api/v1/',
    'calls/',
    'streams/',
    'local/',
    '__proto__',
    'constructor',
    '?peer=',
    '%00',
    '../',
    'transfer-encoding: chunked\r\n',
    'content-length: 5\r\n',
    '{"id":',
    '"path"',
    '[',
    'HTTP/1.0',
    'http://[',
    '//'
  ],
  run: async bytes => {
    const { path } = await controlSocket()
    const said = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(path)
      let text = ''
      // Whatever is half said is over with the connection.
      const late = setTimeout(() => socket.destroy(), 1_000).unref()
      socket.setEncoding('latin1').on('data', chunk => {
        text += chunk
        if (text.includes('\r\n\r\n')) socket.end()
      })
      socket.on('error', error => ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? reject(error) : undefined))
      socket.on('close', () => {
        clearTimeout(late)
        resolve(text)
      })
      socket.end(bytes)
    })
    if (said === '') return
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(said)?.[1])
    assert.ok([200, 400, 403, 404, 405, 408, 413, 422, 429, 431].includes(status), said.slice(0, 300))
    assert.doesNotMatch(said, /\n\s+at |CB_INTERNAL/, said.slice(0, 600))
  }
}

export const targets: readonly Target[] = [
  codec,
  frames,
  ...handlerTargets,
  permissions,
  neighborhood,
  signed,
  envelopes,
  commandLine,
  controlApi
]

/** To be called when no target runs any more. */
export async function closeTargets(): Promise<void> {
  await (await control)?.binding.stop()
}
