import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import { type DoctorParts, examineNode, healthResources } from '../../../src/node/health/doctor.ts'

const peer = (name: string, change: Partial<PeerInfo>): PeerInfo => ({
  peer: `p-${name}`,
  name,
  labels: {},
  status: 'up',
  addresses: [],
  static: true,
  since: 0,
  may: [],
  mayThere: [],
  ...change
})

const well = (change: object = {}): DoctorParts =>
  ({
    mesh: { peers: () => [peer('n2', {})] },
    journal: { runs: () => [], damaged: new Map() },
    dispatches: { open: () => [] },
    state: { replica: { origins: () => [{ origin: 'p', name: 'n1' }], forks: () => [] } },
    store: { state: 'ready', damage: undefined },
    directory: tmpdir(),
    runner: async () => undefined,
    lateness: () => 0.01,
    ...change
  }) as unknown as DoctorParts

const ready = async (parts: DoctorParts) => {
  const resource = healthResources(parts).find(({ path }) => path === '/readyz')!
  const answer = await resource.answer({
    method: 'GET',
    url: new URL('http://x/readyz'),
    headers: {},
    body: {},
    signal: new AbortController().signal
  })
  assert.ok('text' in answer)
  return answer
}

describe('the doctor', () => {
  it('finds a node well whose parts are', async () => {
    assert.deepEqual(
      (await examineNode(well())).filter(({ verdict }) => verdict === 'fail'),
      []
    )
    assert.equal((await ready(well())).text, 'ok\n')
  })

  const ills: readonly [string, object, string, RegExp][] = [
    ['a store that cannot be written', { store: { state: 'degraded' } }, 'fail', /cannot be written/],
    ['a damaged journal', { journal: { runs: () => [], damaged: new Map([['x', {}]]) } }, 'fail', /do not hold together/],
    ['a runner that does not answer', { runner: () => Promise.reject(new Error('gone')) }, 'fail', /gone/],
    ['a machine that does not keep up', { lateness: () => 3 }, 'warn', /3000 ms late/],
    [
      'a neighbour that denies us',
      { mesh: { peers: () => [peer('n2', { status: 'denied', lastError: 'no permit' })] } },
      'warn',
      /denied: no permit/
    ],
    ['a neighbour that has left', { mesh: { peers: () => [peer('n2', { status: 'away', left: true })] } }, 'warn', /it has left/],
    ['goals that wait', { journal: { runs: () => [{ status: 'suspended' }], damaged: new Map() } }, 'warn', /1 of this node wait/],
    ['a goal in doubt', { dispatches: { open: () => [{ id: '01J', node: 'n3', state: 'in-doubt' }] } }, 'warn', /n3 accepted it/],
    ['a fork', { state: { replica: { origins: () => [], forks: () => [{ origin: 'p', name: 'n3' }] } } }, 'warn', /two machines publish/]
  ]
  for (const [what, change, verdict, says] of ills) {
    it(`tells of ${what}`, async () => {
      const found = (await examineNode(well(change))).filter(check => check.verdict !== 'ok')
      assert.equal(found.length, 1, JSON.stringify(found))
      assert.equal(found[0]!.verdict, verdict)
      assert.match(found[0]!.say, says)
      assert.equal((await ready(well(change))).status, verdict === 'fail' ? 503 : 200)
    })
  }
})
