/** The checks of signed statements, and of the doors that are none of the mesh's, each alone. */
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealAsk } from '../../src/crypto/ask.ts'
import type { Bounds } from '../../src/crypto/bounds.ts'
import { open, seal } from '../../src/crypto/dsse.ts'
import { type Grant, openGrant, sealGrant } from '../../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../../src/crypto/identity.ts'
import { openRevocations, type Revoked, sealRevocations } from '../../src/crypto/revocation.ts'
import { CloudburstError } from '../../src/errors.ts'
import { openCertificates } from '../../src/node/control/certificates.ts'
import { serveSecurely } from '../../src/node/control/secure.ts'
import { openSignIn } from '../../src/node/control/sign-in.ts'
import { checkOnlyOursToWrite } from '../../src/node/files/file-safety.ts'
import { Sessions } from '../../src/node/mesh/sessions.ts'
import { type Authority, decide, NOBODY, type PermissionList, type Permit } from '../../src/node/permissions/decide.ts'
import { RevocationBook } from '../../src/node/permissions/revocation-book.ts'
import { openTrust } from '../../src/node/permissions/trust.ts'
import { checkBehalf } from '../../src/protocols/behalf.ts'
import { memoryStore } from '../fakes/memory-store.ts'
import type { Layer } from './layers.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const ID = `01JD${'0'.repeat(22)}`
const authority = generateIdentity()
const holder = generateIdentity()
const other = generateIdentity()
const us = generateIdentity()
const place = { file: 'permissions.xml', line: 1, col: 1 }
const hello: Bounds = { capabilities: ['agency:hello'] }
const all: Bounds = { capabilities: ['agency:hello', 'goal:dispatch'] }
const ops: Authority = { name: 'ops', key: authority.peer, ceiling: all, place }

function granted(some: { issuer?: Identity; subject?: string; allows?: Bounds; id?: string; fresh?: number; parent?: Grant } = {}): Grant {
  const { issuer = authority, subject = holder.peer, allows = all, id = 'g1', fresh, parent } = some
  const times = { at: NOW, notBefore: NOW, expiry: NOW + HOUR }
  const words = { id, subject, email: 'a@example.org', allows: [allows], ...times, ...(fresh !== undefined && { fresh }) }
  return openGrant(sealGrant(issuer, words, parent?.envelope))
}

interface Case {
  readonly grant: Grant
  readonly list?: Partial<PermissionList>
  readonly revoked?: Revoked
  /** Who takes it back, if it is not the authority. */
  readonly by?: Identity
  readonly at?: number
}

/** Whether the holder of a grant may dispatch. */
function may({ grant, list = {}, revoked, by, at = NOW + 1_000 }: Case): boolean {
  const revocations = new RevocationBook()
  const said = { number: 1, at: NOW, revoked: revoked === undefined ? [] : [revoked] }
  const holds = by === undefined ? undefined : [granted({ subject: by.peer, id: 'root' }).envelope]
  if (revoked !== undefined) revocations.learn(openRevocations(sealRevocations(by ?? authority, said, holds)), NOW)
  const trusted = {
    authorities: [ops],
    permits: [],
    ...list,
    grantsOf: (peer: string) => (peer === grant.subject ? [grant] : []),
    revocations
  }
  return decide(trusted, { peer: grant.subject, since: at }, 'goal:dispatch', { program: 'p', goal: 'g', vars: [] }, at).allowed
}

const handedOn = (allows: Bounds, parent = granted()): Grant => granted({ issuer: holder, subject: other.peer, allows, id: 'g2', parent })

export const signedLayers: readonly Layer[] = [
  { name: 'a grant of an authority allows', holds: () => may({ grant: granted() }) },
  { name: 'a grant of nobody does not', holds: () => !may({ grant: granted({ issuer: other }) }) },
  { name: 'an expired grant does not', holds: () => !may({ grant: granted(), at: NOW + HOUR }) },
  {
    name: 'a grant goes no further than the ceiling',
    holds: () => !may({ grant: granted(), list: { authorities: [{ ...ops, ceiling: hello }] } })
  },
  { name: 'a revoked grant does not', holds: () => !may({ grant: granted(), revoked: { grant: 'g1', until: NOW + HOUR } }) },
  {
    name: 'a grant of a revoked holder does not',
    holds: () => !may({ grant: granted(), revoked: { subject: holder.peer, before: NOW + 1, until: NOW + HOUR } })
  },
  {
    name: 'what a revoked holder has handed on does not',
    holds: () => !may({ grant: handedOn(all), revoked: { subject: holder.peer, before: NOW + 1, until: NOW + HOUR } })
  },
  { name: 'a grant that demands news does not without', holds: () => !may({ grant: granted({ fresh: 60_000 }) }) },
  { name: 'what is handed on allows', holds: () => may({ grant: handedOn(all) }) },
  {
    name: 'what is handed on goes no further than what it comes from',
    holds: () => !may({ grant: handedOn(all, granted({ allows: hello })) })
  },
  {
    name: 'what is handed on ends with what it comes from',
    holds: () => !may({ grant: handedOn(all), revoked: { grant: 'g1', until: NOW + HOUR } })
  },
  {
    name: 'what is handed on ends when its holder takes it back',
    holds: () => !may({ grant: handedOn(all), revoked: { grant: 'g2', until: NOW + HOUR }, by: holder })
  },
  {
    name: 'what is handed on does not end when somebody else takes it back',
    holds: () => may({ grant: handedOn(all), revoked: { grant: 'g2', until: NOW + HOUR }, by: us })
  },
  {
    name: 'a grant of an authority does not end when its holder takes it back',
    holds: () => may({ grant: granted(), revoked: { grant: 'g1', until: NOW + HOUR }, by: holder })
  },
  { name: 'a list of one who holds nothing is not taken in', holds: () => takenIn(other).then(taken => !taken) },
  { name: 'a list of a holder is taken in', holds: () => takenIn(holder) },
  {
    name: 'nobody hands on what another holds',
    holds: () => refused(() => granted({ issuer: us, subject: other.peer, parent: granted() }))
  },
  {
    name: 'nothing is handed on twice',
    holds: () => refused(() => granted({ issuer: other, subject: us.peer, parent: handedOn(all) }))
  },
  { name: 'a changed statement is refused', holds: () => refused(() => open(changed(seal(authority, 'a', Buffer.from('x'))), 'a', 4096)) },
  { name: 'a statement of another type is refused', holds: () => refused(() => open(seal(authority, 'a', Buffer.from('x')), 'b', 4096)) },
  { name: 'a statement with another type written on it is refused', holds: () => refused(() => open(relabelled(), 'b', 4096)) },
  { name: 'an ask shows on whose behalf', holds: () => !refused(() => behalf({})) },
  { name: 'an ask for another node does not', holds: () => refused(() => behalf({ to: other.peer })) },
  { name: 'an ask of another sender does not', holds: () => refused(() => behalf({ signer: other })) },
  { name: 'an ask about another goal does not', holds: () => refused(() => behalf({ goalId: `01JE${'0'.repeat(22)}` })) },
  { name: 'an old ask does not', holds: () => refused(() => behalf({ at: NOW - 24 * HOUR })) },
  { name: 'whoever is asked for needs a right too', holds: needsRight },
  { name: 'a stranger gives a node no grants of its own', holds: noneOfStrangers },
  { name: 'a link in place of a file is refused', holds: () => fileRefused(turnedIntoLink) },
  { name: 'a file that others may write is refused', holds: () => fileRefused(path => chmodSync(path, 0o666)) },
  { name: 'a code is good once', holds: codeOnce },
  ...(['origin', 'host', 'authorization'] as const).map(header => ({
    name: `the control API looks at ${header}`,
    holds: async () => (await refusedHeaders()).has(header)
  }))
]

function behalf({
  to = us.peer,
  signer = holder,
  goalId = ID,
  at = NOW
}: {
  to?: string
  signer?: Identity
  goalId?: string
  at?: number
}): void {
  const ask = Buffer.from(sealAsk(signer, { to, call: 'repair', at, goalId })).toString('base64')
  checkBehalf([ask], { from: holder.peer, to: us.peer, asked: { call: 'repair', goalId: ID }, now: NOW })
}

/** The node that asks may; the person that it asks for may not. */
function needsRight(): boolean {
  const permit: Permit = {
    authority: 'ops',
    email: 'n@example.org',
    peer: holder.peer,
    lifetime: { kind: 'duration', ms: HOUR },
    place,
    ...all
  }
  const permissions = { current: { authorities: [ops], permits: [permit] } }
  const audit = { record: () => undefined, close: () => undefined }
  const sessions = new Sessions({ permissions, audit, now: () => NOW, self: us.peer, nameOf: () => 'n', onNothingLeft: () => undefined })
  const { caller } = sessions.begin(holder.peer, '1')
  const first = sealAsk(other, { to: holder.peer, call: 'repair', at: NOW, goalId: ID })
  const last = sealAsk(holder, { to: us.peer, call: 'repair', at: NOW, goalId: ID })
  const chain = [first, last].map(ask => Buffer.from(ask).toString('base64'))
  caller.require('goal:dispatch')
  return refused(() => caller.onBehalf?.(chain, { call: 'repair', goalId: ID }).require('goal:dispatch'))
}

function trustHere(current: PermissionList): ReturnType<typeof openTrust> {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const permissions = { current, onChange: () => () => undefined }
  const here = () => ({ peer: us.peer, name: 'n1', labels: {} })
  return openTrust({ permissions, here, own: [us.peer], store: memoryStore() as never, log, now: () => NOW })
}

/** A list by `who`, with a grant of `holder`. */
async function takenIn(who: Identity): Promise<boolean> {
  const trust = await trustHere({ authorities: [ops], permits: [] })
  const said = { number: 1, at: NOW, revoked: [{ grant: 'g2', until: NOW + HOUR }] }
  const taken = trust.take(sealRevocations(who, said, [granted().envelope]))
  await trust.close()
  return taken
}

async function noneOfStrangers(): Promise<boolean> {
  const trust = await trustHere(NOBODY)
  trust.take(granted({ issuer: other, subject: us.peer }).envelope, 'others')
  const none = trust.own().length === 0
  await trust.close()
  return none
}

function fileRefused(spoil: (path: string) => void): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'layer-'))
  const path = join(directory, 'permissions.xml')
  try {
    writeFileSync(path, '<permissions/>')
    spoil(path)
    return refused(() => checkOnlyOursToWrite(path))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function turnedIntoLink(path: string): void {
  rmSync(path)
  symlinkSync('/etc/hosts', path)
}

function codeOnce(): boolean {
  const signIn = openSignIn(() => NOW)
  const { code } = signIn.code()
  signIn.enter(code)
  return refused(() => signIn.enter(code))
}

let refusals: Promise<ReadonlySet<string>> | undefined

/** One server for all of them: its keys take longer than the rest. */
function refusedHeaders(): Promise<ReadonlySet<string>> {
  refusals ??= tryHeaders()
  return refusals
}

/** Headers that make the control API refuse a request which is right but for one of them; none when it refuses the right one too. */
async function tryHeaders(): Promise<ReadonlySet<string>> {
  const directory = mkdtempSync(join(tmpdir(), 'layer-'))
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const names = { hosts: ['localhost'], addresses: ['127.0.0.1'] }
  const certificates = openCertificates({ directory, identity: us, name: 'n1', names, now: Date.now, log })
  const signIn = openSignIn(Date.now)
  let served = 0
  const handle = async (_request: unknown, response: { end(): unknown }): Promise<void> => {
    served++
    response.end()
  }
  const audit = { record: () => undefined, close: () => undefined }
  const server = await serveSecurely({ host: '127.0.0.1', port: 0, certificates, names, signIn, control: { handle } as never, audit })
  const { token } = signIn.enter(signIn.code().code)
  const good = { host: `localhost:${server.port}`, authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const send = (headers: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const asking = request(
        {
          host: '127.0.0.1',
          port: server.port,
          path: '/api/v1/calls/hello',
          method: 'POST',
          rejectUnauthorized: false,
          agent: false,
          headers: { ...good, ...headers }
        },
        response => response.resume().on('end', resolve)
      )
      asking.on('error', reject)
      asking.end()
    })
  try {
    const found = new Set<string>()
    await send({})
    if (served !== 1) return found
    const bad = { origin: 'https://evil.example.org', host: `evil.example.org:${server.port}`, authorization: 'Bearer x' }
    for (const [header, value] of Object.entries(bad)) {
      const servedBefore: number = served
      await send({ [header]: value })
      if (served === servedBefore) found.add(header)
    }
    return found
  } finally {
    certificates.close()
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function changed(envelope: Uint8Array): Uint8Array {
  const value = JSON.parse(Buffer.from(envelope).toString()) as { payload: string }
  return Buffer.from(JSON.stringify({ ...value, payload: Buffer.from('y').toString('base64') }))
}

/** Signed as one thing, shown as another. */
function relabelled(): Uint8Array {
  const value = JSON.parse(Buffer.from(seal(authority, 'a', Buffer.from('x'))).toString()) as object
  return Buffer.from(JSON.stringify({ ...value, payloadType: 'b' }))
}

function refused(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (error) {
    return error instanceof CloudburstError && ['CB_DENIED', 'CB_SIGNATURE_INVALID', 'CB_FILE_UNSAFE'].includes(error.code)
  }
}
