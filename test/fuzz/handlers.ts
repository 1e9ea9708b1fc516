/** Protocols of the mesh as fuzz targets: JSON that says what the messages of a peer are, to a handler that lets that peer do everything. */
import { capabilities } from '../../src/crypto/capability.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { AGENCY, callCapability } from '../../src/protocols/agency/calls.ts'
import { agencyHandler } from '../../src/protocols/agency/server.ts'
import { dispatchHandler } from '../../src/protocols/dispatch/server.ts'
import { fromExecutorShape } from '../../src/protocols/dispatch/shapes.ts'
import { machineClock } from '../../src/node/clock.ts'
import { artifactHandler } from '../../src/protocols/artifact/server.ts'
import { newsShape as memberNewsShape } from '../../src/protocols/members/messages.ts'
import { membersHandler } from '../../src/protocols/members/server.ts'
import { checkReply } from '../../src/protocols/session/shapes.ts'
import { serveHello } from '../../src/protocols/session/server.ts'
import { accepted } from '../../src/protocols/shapes.ts'
import { announcementShape, stateShape } from '../../src/protocols/state/record.ts'
import { stateHandler } from '../../src/protocols/state/server.ts'
import { trustHandler } from '../../src/protocols/trust/server.ts'
import type { Handler } from '../../src/protocols/wire/channel.ts'
import { callerWith } from '../fakes/caller.ts'
import { channelPair } from '../fakes/channel.ts'
import { eventsOf, fakeExecutor } from '../fakes/executor.ts'
import type { Target } from './coverage-fuzzer.ts'
import { expecting } from './expecting.ts'

const ID = `01JD${'0'.repeat(22)}`
const HASH = 'ab'.repeat(32)
const peer = generateIdentity().peer
const at = 1_700_000_000_000

/** Seeds are what is valid, and words what a message is made of. */
const messages = (...each: readonly unknown[][]): Buffer[] => each.map(list => Buffer.from(JSON.stringify(list)))
const common = [
  '{"$bytes":"AAEC"}',
  '"__proto__"',
  'null',
  '[]',
  '{}',
  '-1',
  '1e400',
  '""',
  '9007199254740993',
  '"type"',
  ID,
  HASH,
  ',',
  ':'
]

/** What the handler answers is never that something unexpected happened. */
function handled(name: string, code: RegExp, handler: () => Handler, seeds: readonly Buffer[], words: readonly string[]): Target {
  return {
    name,
    code,
    seeds,
    words: [...common, ...words],
    run: async bytes => {
      const list = revived(bytes)
      if (!Array.isArray(list)) return
      const [there, here] = channelPair()
      const served = handler()(here, callerWith(capabilities, peer))
      const answers = (async () => {
        for (let answer = await there.read(); answer !== undefined; answer = await there.read()) checkAnswer(answer)
      })()
      for (const message of list.slice(0, 4)) await there.write(message).catch(() => undefined)
      await there.finish()
      await expecting(['CB_FRAME_INVALID', 'CB_PEER_UNREACHABLE'], () => served).finally(() => here.finish())
      await expecting(['CB_FRAME_INVALID', 'CB_PEER_UNREACHABLE'], () => answers)
    }
  }
}

/** A message that we only read. */
function read(name: string, check: (message: unknown) => unknown, seeds: readonly Buffer[], words: readonly string[]): Target {
  return {
    name,
    code: /\/src\/protocols\//,
    seeds,
    words: [...common, ...words],
    run: async bytes => {
      const list = revived(bytes)
      if (Array.isArray(list)) for (const message of list) await expecting(['CB_FRAME_INVALID'], () => check(message))
    }
  }
}

function checkAnswer(answer: unknown): void {
  const { error } = answer as { readonly error?: { readonly code: string; readonly message: string } }
  if (error === undefined) return
  if (error.code === 'CB_INTERNAL') throw new Error(`answered ${error.code}: ${error.message}`)
  if (/\n\s+at /.test(error.message)) throw new Error(`a stack went to a peer: ${error.message}`)
}

/** JSON in which `{"$bytes": base64}` stands for bytes; undefined when it is none. */
function revived(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'), (_key, value: unknown) => {
      const text = (value as { $bytes?: unknown } | null)?.$bytes
      return typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : value
    })
  } catch {
    return undefined
  }
}

const hello = { type: 'hello', name: 'n2', version: '0.1.0', labels: { os: 'linux' }, addresses: ['/ip4/192.0.2.1/tcp/1'], grants: [] }
const request = {
  type: 'request',
  id: ID,
  goal: 'publish',
  program: { name: 'site', hash: HASH },
  mode: 'pursue',
  assignments: [{ path: 'goal.port', value: { type: 'integer', value: '80' } }],
  chain: [`${ID.replace('0', '1')}:up`],
  acceptBefore: 9_999_999_999_999
}
const head = { origin: peer, boot: at, nonce: 'ab', seq: 3 }

function silentAgency(): Parameters<typeof agencyHandler>[0] {
  return {
    call: async () => ({}) as never,
    stream: async function* () {
      yield {} as never
    }
  }
}

function executor(): Handler {
  const fake = fakeExecutor(peer, new Set([HASH]))
  fake.onAccept = asked => {
    for (const event of eventsOf(asked.id, asked, peer)) fake.happen(event)
  }
  return dispatchHandler(fake)
}

const file = {
  size: 40,
  read: async (_offset: number, length: number) => new Uint8Array(Math.min(40, length)),
  close: async () => undefined
}
const events = eventsOf(ID, { ...request, mode: 'pursue', assignments: [] } as never, peer)

export const handlerTargets: readonly Target[] = [
  handled(
    'session',
    /\/src\/protocols\/session\//,
    () => async channel =>
      void (await serveHello(channel, async () => ({
        type: 'welcome',
        name: 'n1',
        version: '0.1.0',
        labels: {},
        addresses: [],
        capabilities: [],
        until: 0
      }))),
    messages([hello], [{ ...hello, ticket: 'secret', grants: [{ $bytes: 'AAEC' }] }]),
    ['"hello"', '"grants"', '"ticket"', '"labels"']
  ),
  read(
    'session-reply',
    checkReply,
    messages([
      { ...hello, type: 'welcome', capabilities: ['agency:hello'], until: 1 },
      { type: 'refused', error: { code: 'CB_DENIED', message: 'no' } }
    ]),
    ['"welcome"', '"refused"', '"until"']
  ),
  handled(
    'agency',
    /\/src\/protocols\/(agency|shapes|heartbeat|first-message)/,
    () => agencyHandler(silentAgency()),
    messages(
      ...Object.keys(callCapability).map(name => [{ type: name === 'events' || name === 'watch' ? 'stream' : 'call', name, request: {} }]),
      [{ type: 'call', name: 'pursue', request: { goal: 'publish', assignments: [{ path: 'goal.port', value: '80' }], program: 'site' } }],
      [{ type: 'call', name: 'repair', request: { id: ID, assignments: [], decisions: [{ step: 's', verdict: 'skip', writes: [] }] } }],
      [{ type: 'call', name: 'load', request: { files: [{ name: 'a.xml', text: '<cloudburst name="a"/>' }] } }],
      [{ type: 'stream', name: 'events', request: { id: ID, from: 1, follow: true } }]
    ),
    [AGENCY, '"call"', '"stream"', '"request"', ...Object.keys(callCapability).map(name => `"${name}"`)]
  ),
  handled(
    'dispatch',
    /\/src\/protocols\/(dispatch|shapes|heartbeat|first-message)/,
    executor,
    messages(
      [request],
      [
        { ...request, program: { name: 'new', hash: 'cd'.repeat(32) } },
        { type: 'program', files: [{ name: 'new.xml', text: 'cd'.repeat(32) }] }
      ],
      [{ type: 'follow', id: ID, from: 1, have: [{ step: 's1', attempt: 1, stream: 'stdout', bytes: 3 }] }],
      [{ type: 'heartbeat' }, request]
    ),
    ['"request"', '"follow"', '"program"', '"files"', '"heartbeat"']
  ),
  read(
    'dispatch-answer',
    message => accepted(fromExecutorShape, message, 'answer'),
    messages(
      events.map(event => ({ type: 'event', event })),
      [
        { type: 'accepted', id: ID, receipt: { $bytes: 'AAEC' } },
        { type: 'need-program', hash: HASH },
        { type: 'output', step: 's', attempt: 1, stream: 'stderr', offset: 0, bytes: { $bytes: 'AA==' } }
      ]
    ),
    ['"event"', '"output"', '"body"']
  ),
  handled(
    'state',
    /\/src\/protocols\/(state|shapes|first-message)/,
    () => stateHandler({ heads: () => [], missing: () => ({ envelopes: [], proofs: [], forgets: [] }) } as never),
    messages([{ type: 'pull', have: [head] }]),
    ['"pull"', '"have"', '"fork"']
  ),
  read(
    'state-answer',
    message => accepted(stateShape, message, 'state'),
    messages([
      { type: 'records', envelopes: [{ $bytes: 'AAEC' }] },
      { type: 'done', heads: [head] }
    ]),
    ['"records"', '"done"']
  ),
  read('heads', message => accepted(announcementShape, message, 'heads'), messages([{ heads: [head] }]), ['"heads"']),
  handled(
    'artifact',
    /\/src\/protocols\/(artifact|shapes)/,
    () => artifactHandler({ open: async hash => (hash === HASH ? file : undefined) }, machineClock),
    messages([{ type: 'fetch', hash: HASH, offset: 0 }], [{ type: 'fetch', hash: HASH, offset: 40 }]),
    ['"fetch"', '"offset"', '"hash"']
  ),
  handled(
    'members',
    /\/src\/protocols\/(members|shapes)/,
    () =>
      membersHandler(
        async () => true,
        () => undefined
      ),
    messages([{ type: 'probe', peer, within: 100 }]),
    ['"probe"', '"within"', '"peer"']
  ),
  read(
    'suspicions',
    message => accepted(memberNewsShape, message, 'news'),
    messages([
      { type: 'suspect', peer },
      { type: 'left', peer }
    ]),
    ['"left"']
  ),
  handled(
    'trust',
    /\/src\/(protocols\/(trust|shapes)|crypto)/,
    () => trustHandler({ take: () => undefined, newsFor: () => [] }),
    messages([{ type: 'news', statements: [{ $bytes: 'AAEC' }] }]),
    ['"news"', '"statements"']
  )
]
