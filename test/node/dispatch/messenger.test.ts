import assert from 'node:assert/strict'
import { GIVEN_UP, type RemoteGoal } from '../../../src/goals/ports.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
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
function among(nodes: readonly PeerInfo[], status: RunSummary['status'], before: Readonly<Record<string, DispatchState>> = {}) {
  const sent: string[] = []
  const ids: string[] = []
  /** Ids that are refused as those of other goals, and goals of others that are pursued here. */
  const refuse = new Set<string>()
  const here = new Set<string>()
  /** Goals of this node. */
  const others: { readonly run: RunSummary; readonly events: readonly GoalEvent[] }[] = []
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
      summary: () => Promise.resolve({ status, results: { x: { value: 1 } } } as never),
      summaries: async function* () {
        for (const { run } of others) yield run
      },
      read: id => Promise.resolve(others.find(({ run }) => run.id === id)?.events ?? []),
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
      return Promise.resolve({ kept: false })
    },
    giveUp: (id, _by, { undo }) => {
      sent.push(`give up ${id}${undo === false ? ', as it is' : ''}`)
      return Promise.resolve()
    },
    unheard: () => undefined,
    ours: id => `ours ${id}`
  } satisfies MessengerParts
  return { sent, ids, refuse, here, others, before: before as Record<string, DispatchState>, messenger: makeMessenger(parts) }
}

/** A goal of this node that waits for run `run` of a sub-goal. */
function waiting(id: string, run: string): { run: RunSummary; events: GoalEvent[] } {
  const place = { file: 'a.xml', line: 1, col: 1 }
  const began = {
    type: 'step-began',
    step: 'part/m>build',
    instance: 'part',
    attempt: 1,
    kind: 'remote',
    key: '',
    show: '',
    place,
    reads: {}
  }
  const body = { ...began, run, peer: 'n2' } as GoalEvent['body']
  return { run: { id, status: 'pursuing', chain: ['01R:site'] } as never, events: [{ goalId: id, seq: 1, at: 0, body }] }
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
    assert.deepEqual(sent, ['n2', 'give up 01J, as it is'])
  })

  it('goes on there when another goal of this node waits for it too', async () => {
    const { sent, others, messenger } = among([node('n2', 'up')], 'pursuing')
    others.push(waiting('01A', goal.id), waiting('01B', goal.id))
    const asked = { ...goal, chain: ['01R:site', '01A:part'] }
    assert.deepEqual(await messenger.dispatch(asked, AbortSignal.abort()), { kind: 'failed', message: 'it took too long' })
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(sent, ['n2'])
    others.pop()
    await messenger.dispatch(asked, AbortSignal.abort())
    await until('it is given up', () => sent.length === 3)
    assert.deepEqual(sent, ['n2', 'n2', 'give up 01J, as it is'])
  })

  it('is left alone when the goal that needs it is given up: that sees to it', async () => {
    const { sent, messenger } = among([node('n2', 'up')], 'pursuing')
    assert.deepEqual(await messenger.dispatch(goal, AbortSignal.abort(GIVEN_UP)), { kind: 'left' })
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(sent, ['n2'])
  })

  it('is the same goal for all who mean the same node, whatever they call it', async () => {
    const { messenger } = among([node('n2', 'up')], 'completed')
    const runOn = (peer: string): string => `run on ${peer}`
    const found = await Promise.all(['n2', 'os=linux'].map(peer => messenger.locate!({ ...goal, peer }, runOn, false)))
    assert.deepEqual(found, Array(2).fill({ id: 'run on p-n2', node: 'p-n2' }))
  })

  it('stays with the node that was asked for it before, while that has not refused', async () => {
    const runOn = (peer: string): string => `run on ${peer}`
    const nodes = [node('n2', 'up'), node('n3', 'away')]
    const { messenger, before } = among(nodes, 'completed', { 'run on p-n3': 'accepted' })
    assert.equal((await messenger.locate!(goal, runOn, false)).node, 'p-n3')
    before['run on p-n3'] = 'refused'
    assert.equal((await messenger.locate!(goal, runOn, false)).node, 'p-n2')
    before[goal.id] = 'accepted'
    assert.equal((await messenger.locate!(goal, runOn, false)).id, goal.id, 'asked by an older release')
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
