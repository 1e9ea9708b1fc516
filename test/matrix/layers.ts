/**
 * Each check alone. Behind most doors there are two: the matrix would not notice that one is gone while the other holds.
 */
import { base58btc } from 'multiformats/bases/base58'
import { capabilities } from '../../src/crypto/capability.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { CloudburstError } from '../../src/errors.ts'
import type { Permit, PermissionList } from '../../src/node/permissions/decide.ts'
import { decide, permitsOf } from '../../src/node/permissions/decide.ts'
import { Admission } from '../../src/node/mesh/admission.ts'
import { STRANGERS_MAX } from '../../src/node/mesh/limits.ts'
import { Sessions } from '../../src/node/mesh/sessions.ts'
import { dispatchHandler } from '../../src/protocols/dispatch/server.ts'
import { channelPair } from '../fakes/channel.ts'
import { callerWith } from '../fakes/caller.ts'
import { fakeExecutor } from '../fakes/executor.ts'

export interface Layer {
  readonly name: string
  /** Whether the check holds. */
  readonly holds: () => boolean | Promise<boolean>
}

const NOW = 1_000_000
const peer = generateIdentity().peer
const place = { file: 'permissions.xml', line: 1, col: 1 }
const permit: Permit = {
  authority: 'local',
  email: 'guest@example.org',
  capabilities: [...capabilities],
  peer,
  lifetime: { kind: 'interval', from: 0, until: NOW + 1 },
  place
}
const list = (some: Partial<Permit> = {}): PermissionList => ({
  authorities: [{ name: 'local', place }],
  permits: [{ ...permit, ...some }]
})
const may = (some: Partial<Permit>, what: Parameters<typeof decide>[3] = {}, capability = 'goal:dispatch' as const, at = NOW): boolean =>
  decide(list(some), { peer, since: 0 }, capability, what, at).allowed
const all = { program: 'p', goal: 'g', vars: ['v'] }

export const layers: readonly Layer[] = [
  { name: 'a permit allows', holds: () => may({}, all) },
  { name: 'a permit of another key does not', holds: () => !may({ peer: generateIdentity().peer }, all) },
  { name: 'an expired permit does not', holds: () => !may({}, all, undefined, NOW + 2) },
  {
    name: 'a permit that is not yet valid does not',
    holds: () => !may({ lifetime: { kind: 'interval', from: NOW + 1, until: NOW + 2 } }, all)
  },
  { name: 'a permit for other capabilities does not', holds: () => !may({ capabilities: ['goal:plan'] }, all) },
  { name: 'a permit for other programs does not', holds: () => !may({ programs: ['q'] }, all) },
  { name: 'a permit for some programs does not while none is named', holds: () => !may({ programs: ['p'] }, { goal: 'g', vars: [] }) },
  { name: 'a permit for other goals does not', holds: () => !may({ goals: ['h'] }, all) },
  { name: 'a permit for some goals does not while none is named', holds: () => !may({ goals: ['g'] }, { program: 'p', vars: [] }) },
  { name: 'a permit for other variables does not', holds: () => !may({ vars: ['w'] }, all) },
  { name: 'a permit for some of the variables does not', holds: () => !may({ vars: ['v'] }, { ...all, vars: ['v', 'w'] }) },
  { name: 'a permit for some variables does not while none is named', holds: () => !may({ vars: ['v'] }, { program: 'p', goal: 'g' }) },
  { name: 'no expired permit counts at the door', holds: () => permitsOf(list(), { peer, since: 0 }, NOW + 2).length === 0 },
  { name: 'a stranger is dropped while no ticket is out', holds: () => denied({ invited: false }) },
  { name: 'a stranger is let in while a ticket is out', holds: () => !denied({ invited: true }) },
  { name: 'a key of small order is dropped', holds: () => denied({ invited: true, key: SMALL_ORDER }) },
  { name: 'no session begins without a permit', holds: () => throws(() => sessions(list({ peer: 'x' })).begin(peer, '1')) },
  { name: 'no session is used after its end', holds: afterItsEnd },
  { name: 'a session ends with its permit', holds: endsWithPermit },
  { name: 'a dispatch is decided again after its program came', holds: decidedAgain },
  { name: 'no more strangers at once than there is room for', holds: () => STRANGERS_MAX <= 64 }
]

/** The peer id of the identity point, for which anybody can sign. */
const SMALL_ORDER = base58btc.baseEncode(Buffer.from(`00240801122001${'00'.repeat(31)}`, 'hex'))

function denied({ invited, key = peer }: { invited: boolean; key?: string }): boolean {
  const admission = new Admission({ permitted: () => false, invited: () => invited, onDenied: () => undefined })
  const connection = { addEventListener: () => undefined, remoteAddr: '/ip4/192.0.2.7/tcp/1' } as never
  return admission.gater().denyInboundEncryptedConnection!({ toString: () => key } as never, connection) as boolean
}

function sessions(current: PermissionList, now: () => number = () => NOW): Sessions {
  const permissions = { current, reload: () => undefined, onChange: () => () => undefined, close: () => undefined }
  const audit = { record: () => undefined, close: () => undefined }
  return new Sessions({ permissions, audit, now, self: 'self', nameOf: () => 'guest', onNothingLeft: () => undefined })
}

function afterItsEnd(): boolean {
  const open = sessions(list())
  const { caller } = open.begin(peer, '1')
  caller.require('agency:hello')
  open.end('1', 'over')
  return throws(() => caller.require('agency:hello'))
}

function endsWithPermit(): boolean {
  let at = NOW
  const open = sessions(list(), () => at)
  const { caller } = open.begin(peer, '1')
  at = NOW + 2
  open.recheck()
  return caller.ended.aborted
}

/** The permit goes while the program is on its way. */
async function decidedAgain(): Promise<boolean> {
  const executor = fakeExecutor('host', new Set())
  const caller = callerWith(['goal:dispatch', 'program:load'], peer)
  const allowed = new Set<string>(['goal:dispatch', 'program:load'])
  const fickle = {
    ...caller,
    require: (capability: string) => {
      if (!allowed.has(capability)) throw new Error('denied')
    }
  } as typeof caller
  const [there, here] = channelPair()
  const served = dispatchHandler({
    ...executor,
    load: async files => {
      allowed.clear()
      return await executor.load(files)
    }
  })(here, fickle).catch(() => undefined)
  const hash = 'ab'.repeat(32)
  const request = {
    type: 'request',
    id: `01JD${'0'.repeat(22)}`,
    goal: 'g',
    program: { name: 'p', hash },
    mode: 'pursue',
    assignments: [],
    chain: []
  }
  await there.write({ ...request, acceptBefore: Date.now() + 10_000 })
  await there.read()
  await there.write({ type: 'program', files: [{ name: 'p.xml', text: hash }] })
  await there.read().catch(() => undefined)
  there.abort(new Error('enough'))
  await served
  return executor.accepts.length === 0
}

/** Told that it may not, not just stopped by something. */
function throws(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (error) {
    return error instanceof CloudburstError && error.code === 'CB_DENIED'
  }
}
