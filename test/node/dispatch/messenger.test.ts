import assert from 'node:assert/strict'
import type { RemoteGoal } from '../../../src/goals/ports.ts'
import type { RunSummary } from '../../../src/goals/pursuit/summary.ts'
import { subRunId } from '../../../src/goals/pursuit/remote.ts'
import type { PeerInfo } from '../../../src/node/control/contract.ts'
import type { DispatchState } from '../../../src/node/dispatch/dispatch-records.ts'
import { makeMessenger, type MessengerParts } from '../../../src/node/dispatch/messenger.ts'
import { until } from '../store/temporary-directory.ts'

const goal: RemoteGoal = { id: '01J', peer: 'os=linux', program: 'abcd', goal: 'build', arguments: {}, chain: [] }
const node = (name: string, status: PeerInfo['status']): PeerInfo => ({
  peer: `p-${name}`,
  name,
  status,
  labels: {},
  addresses: [],
  static: true,
  since: 0,
  may: [],
  mayThere: []
})

/** A messenger among `nodes`, whose goals end as `status`; says where each was sent. */
function among(
  nodes: readonly PeerInfo[],
  status: RunSummary['status'],
  before: Readonly<Record<string, DispatchState>> = {},
  chain: readonly string[] = goal.chain
) {
  const sent: string[] = []
  const ids: string[] = []
  /** Ids that are refused as those of other goals, and goals of others that are pursued here. */
  const refuse = new Set<string>()
  const here = new Set<string>()
  const error = { code: 'CB_VALUE_INVALID', message: 'exists already', details: { taken: true } }
  const parts = {
    dispatches: {
      send: order => {
        sent.push(order.node)
        ids.push(order.id ?? '')
        return Promise.resolve(order.id ?? '')
      },
      find: id => Promise.resolve(before[id] === undefined ? undefined : ({ id, state: before[id] } as never)),
      outcome: (id, given) =>
        given?.aborted === true
          ? Promise.reject(new Error('aborted'))
          : Promise.resolve((refuse.has(id) ? { state: 'refused', error } : { state: 'done' }) as never)
    },
    journal: {
      summary: () => Promise.resolve({ status, chain, results: { x: { value: 1 } } } as never),
      subscribe: () => () => undefined,
      find: id => (here.has(id) ? ({ id, mirrored: false } as never) : undefined)
    },
    programs: { find: () => Promise.resolve({ name: 'p', hash: 'abcd' } as never) },
    runs: () => ({
      accept: () => {
        sent.push('here')
        return Promise.resolve({ id: goal.id, repeated: false })
      }
    }),
    self: { peer: 'p-n1', node: 'n1' },
    find: () => nodes,
    cancel: id => {
      sent.push(`cancel ${id}`)
      return Promise.resolve()
    },
    unheard: () => undefined,
    ours: id => `ours ${id}`
  } satisfies MessengerParts
  return { sent, ids, refuse, here, messenger: makeMessenger(parts) }
}

describe('a sub-goal for another node', () => {
  const signal = new AbortController().signal

  it('goes to the first by name of those that can be reached', async () => {
    const { sent, messenger } = among([node('n2', 'away'), node('n4', 'up'), node('n3', 'up')], 'completed')
    assert.deepEqual(await messenger.dispatch(goal, signal), { kind: 'completed', results: { x: { value: 1 } } })
    assert.deepEqual(sent, ['n3'])
  })

  it('is pursued here when this node is the one', async () => {
    const { sent, messenger } = among([node('n1', 'self')], 'completed')
    assert.equal((await messenger.dispatch(goal, signal)).kind, 'completed')
    assert.deepEqual(sent, ['here'])
  })

  it('is cancelled there when its caller has no time left', async () => {
    const { sent, messenger } = among([node('n2', 'up')], 'pursuing')
    assert.deepEqual(await messenger.dispatch(goal, AbortSignal.abort()), { kind: 'failed', message: 'it took too long' })
    await until('it is cancelled', () => sent.length === 2)
    assert.deepEqual(sent, ['n2', 'cancel 01J'])
  })

  it('goes on there when another caller has begun it, and waits for it still', async () => {
    const { sent, messenger } = among([node('n2', 'up')], 'pursuing', {}, ['01R:site', '01A:part'])
    const asked = { ...goal, chain: ['01R:site'] }
    assert.deepEqual(await messenger.dispatch(asked, AbortSignal.abort()), { kind: 'failed', message: 'it took too long' })
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(sent, ['n2'])
  })

  it('is asked for anew, under another id, when it was refused or its node was abandoned before', async () => {
    const nodes = [node('n2', 'up')]
    const ids: string[] = []
    for (const state of ['refused', 'abandoned'] as const) {
      const again = among(nodes, 'completed', { [goal.id]: state })
      await again.messenger.dispatch(goal, signal)
      ids.push(...again.ids)
    }
    assert.notEqual(ids[0], goal.id)
    assert.equal(ids[1], ids[0], 'the same question has the same answer')
    const third = among(nodes, 'completed', { [goal.id]: 'refused', [ids[0]!]: 'abandoned' })
    await third.messenger.dispatch(goal, signal)
    assert.ok(![goal.id, ids[0]].includes(third.ids[0]))
    const same = among(nodes, 'completed', { [goal.id]: 'accepted' })
    await same.messenger.dispatch(goal, signal)
    assert.deepEqual(same.ids, [goal.id])
  })

  it('is asked for under an id that only this node can make when somebody has taken its first one there', async () => {
    const { ids, messenger, refuse } = among([node('n2', 'up')], 'completed')
    refuse.add(goal.id)
    assert.equal((await messenger.dispatch(goal, signal)).kind, 'completed')
    assert.equal(ids.length, 2)
    assert.notEqual(ids[1], subRunId(goal.id, 'again', {}, ''), 'others can work it out')
    const again = among([node('n2', 'up')], 'completed', { [goal.id]: 'refused' })
    await again.messenger.dispatch(goal, signal)
    assert.equal(again.ids[0], ids[1], 'and finds it again after a restart')
  })

  it('is not taken for a goal that somebody has asked this node for under its id', async () => {
    const { ids, messenger, here } = among([node('n2', 'up')], 'completed')
    here.add(goal.id)
    assert.equal((await messenger.dispatch(goal, signal)).kind, 'completed')
    assert.deepEqual(ids.includes(goal.id), false)
  })

  it('has failed when it was cancelled there', async () => {
    const { messenger } = among([node('n2', 'up')], 'cancelled')
    assert.deepEqual(await messenger.dispatch(goal, signal), { kind: 'failed', message: 'it was cancelled there' })
  })
})
