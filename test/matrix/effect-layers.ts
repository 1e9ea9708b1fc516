/** The checks at the effect, each alone: the door was passed, by a name that meant something else or by another way in. */
import { capabilities } from '../../src/crypto/capability.ts'
import { generateIdentity } from '../../src/crypto/identity.ts'
import { CloudburstError } from '../../src/errors.ts'
import { type AgencyParts, openAgency } from '../../src/node/agency/agency.ts'
import { effectCheck } from '../../src/node/permissions/effect.ts'
import type { CallName, Calls } from '../../src/protocols/agency/calls.ts'
import type { Layer } from './layers.ts'

const NOW = 1_000_000
const HASH = 'ab'.repeat(32)
const self = { peer: generateIdentity().peer, node: 'host' }
const guest = { peer: generateIdentity().peer, node: 'guest' }
const place = { file: 'permissions.xml', line: 1, col: 1 }

const onAgents = {
  start: { program: 'site', assignments: [{ path: 'agent.port', value: '1' }] },
  suspend: { agent: 'farm' },
  resume: { agent: 'farm' },
  stop: { agent: 'farm' }
} satisfies { readonly [N in CallName]?: Calls[N]['request'] }

/** Whether anything was done when `by`, with a permit for `programs` and `vars`, got past the door. */
async function done(name: keyof typeof onAgents, by: typeof guest, bounds: object): Promise<boolean> {
  let effects = 0
  const effect = async (): Promise<never[]> => {
    effects++
    return []
  }
  const lifetime = { kind: 'interval', from: 0, until: NOW * 2 } as const
  const permit = {
    authority: 'local',
    email: 'g@example.org',
    peer: guest.peer,
    capabilities: [...capabilities],
    lifetime,
    place,
    ...bounds
  }
  const agent = { name: 'farm', program: { name: 'site', hash: HASH }, proto: 'farm', status: 'running', startedAt: 1, variables: {} }
  const program = { name: 'site', hash: HASH, agents: new Map([['farm', { name: 'farm' }]]) }
  const parts = {
    self: self.peer,
    programs: { find: async () => program, ownName: () => 'site' },
    agents: { get: () => agent, start: () => effect().then(() => agent), assign: effect },
    runs: { suspendAgent: effect, resumeAgent: effect, stopAgent: effect },
    journal: { runs: () => [] },
    sent: { nodeOf: () => undefined },
    permits: effectCheck({
      trust: { current: { authorities: [{ name: 'local', place }], permits: [permit] }, now: () => NOW },
      audit: { record: () => undefined, close: () => undefined },
      own: [self.peer]
    })
  } as unknown as AgencyParts
  try {
    await openAgency(parts).call(name, onAgents[name] as never, by)
  } catch (error) {
    if (!(error instanceof CloudburstError && error.code === 'CB_DENIED') && effects === 0) throw error
  }
  return effects > 0
}

export const effectLayers: readonly Layer[] = (Object.keys(onAgents) as (keyof typeof onAgents)[]).flatMap(name => [
  { name: `${name} is done for whoever may, at the effect`, holds: () => done(name, guest, { programs: ['site'] }) },
  { name: `${name} is done for this node's own people`, holds: () => done(name, self, { programs: ['other'] }) },
  { name: `${name} is not done for whoever may not, at the effect`, holds: async () => !(await done(name, guest, { programs: ['other'] })) }
])
