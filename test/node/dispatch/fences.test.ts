import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { CloudburstError } from '../../../src/errors.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { eventsOf } from '../../fakes/executor.ts'
import { deadline, dispatcher, eventsIn, ID, opened, order, pair, server, started } from './pair.ts'

describe('a goal whose node is away', () => {
  afterEach(async () => {
    for (const dispatches of opened.splice(0)) await dispatches.stop()
  })

  const by = { peer: dispatcher.peer, node: 'n1' }
  const away = (): never => {
    throw new CloudburstError('CB_PEER_UNREACHABLE', 'web1 cannot be reached')
  }
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = deadline(); !(await holds()); await wait(1)) end.throwIfAborted()
  }

  it('is kept while its peer is away, with the reason, also through a restart, when it is patient', async () => {
    const { start, world } = pair()
    world.dial = away
    const first = await start()
    await first.send(order({ patient: true }))
    await until(() => first.waiting(ID) !== undefined)
    assert.match(first.waiting(ID) ?? '', /web1 is away/)
    await first.stop()
    const second = await start()
    world.dial = () => ({})
    for (const up of world.up) up(server.peer)
    assert.equal((await second.outcome(ID, deadline())).outcome, 'completed')
  })

  it('is cancelled at once when nothing of it was sent', async () => {
    const { start, world, executor } = pair()
    world.dial = away
    const dispatches = await start()
    await dispatches.send(order({ patient: true }))
    await dispatches.giveUp(ID, by, { why: 'no longer wanted' })
    const { state, error } = await dispatches.outcome(ID, deadline())
    assert.deepEqual([state, error?.code], ['refused', 'CB_NOT_SENT'])
    assert.match(error?.message ?? '', /no longer wanted/)
    assert.deepEqual(executor.accepts, [])
  })

  it('is cancelled there as soon as its peer is there again, when it was accepted', async () => {
    const { parts, world, executor } = pair()
    executor.onAccept = request => executor.happen(eventsOf(request.id, request, dispatcher.peer)[0]!)
    const asked: object[] = []
    world.dial = n => (n === 1 ? { cut: (_count, _from, message) => eventsIn(message).length > 0 } : away())
    const dispatches = await started({ ...parts, cancelThere: record => void asked.push(record.giveUp ?? {}) })
    await dispatches.send(order())
    await dispatches.verdict(ID, deadline())
    await until(() => dispatches.waiting(ID) !== undefined)
    await dispatches.giveUp(ID, by, { why: 'too late', undo: false })
    assert.deepEqual(asked, [])
    world.dial = () => ({})
    await until(() => asked.length > 0)
    assert.deepEqual(asked, [{ by, why: 'too late', undo: false }])
  })

  it('is not waited for any more when it was abandoned, and its peer is told so when it returns', async () => {
    const { start, world, executor } = pair()
    executor.onAccept = request => executor.happen(eventsOf(request.id, request, dispatcher.peer)[0]!)
    world.dial = n => (n === 1 ? { cut: (_count, _from, message) => eventsIn(message).length > 0 } : away())
    const first = await start()
    await first.send(order())
    await first.verdict(ID, deadline())
    const outcome = first.outcome(ID, deadline())
    await first.abandon(ID, 'it burned')
    assert.equal((await outcome).state, 'abandoned')
    assert.match((await outcome).error?.message ?? '', /it burned/)
    await first.stop()
    const second = await start()
    assert.deepEqual(second.open(), [])
    assert.deepEqual(executor.fenced, [])
    world.dial = () => ({})
    for (const up of world.up) up(server.peer)
    await until(() => executor.fenced.length > 0)
    assert.equal(executor.accepts.length, 1)
    await second.stop()
    const third = await start()
    for (const up of world.up) up(server.peer)
    await third.stop()
    assert.deepEqual(executor.fenced, [ID])
  })

  it('is not abandoned once it has come to its outcome', async () => {
    const { start } = pair()
    const dispatches = await start()
    await dispatches.send(order())
    await dispatches.outcome(ID, deadline())
    await assert.rejects(dispatches.abandon(ID), { code: 'CB_USAGE' })
  })

  it('waits for its turn among others, and is not sent when too many of them have failed', async () => {
    const { start, executor, store } = pair()
    const ids = [0, 1, 2, 3].map(n => `${ID.slice(0, 25)}${n}`)
    executor.onAccept = request => {
      const all = eventsOf(request.id, request, dispatcher.peer)
      const suspended: GoalEvent = { goalId: request.id, seq: 3, at: 1, body: { type: 'suspended', code: 'step-failed', reason: 'no' } }
      for (const event of request.id === ids[0] ? all : [...all.slice(0, 2), suspended]) executor.happen(event)
    }
    const dispatches = await start()
    const group = { id: ID, parallel: 1, failuresMax: 1 }
    for (const [at, id] of ids.entries()) await dispatches.send(order({ id, group: { ...group, at } }))
    assert.equal((await dispatches.outcome(ids[3]!, deadline())).error?.code, 'CB_NOT_SENT')
    assert.deepEqual(
      executor.accepts.map(key => key.split('!')[1]),
      ids.slice(0, 3)
    )
    assert.match((await dispatches.find(ids[3]!))?.error?.message ?? '', /2 of 4 nodes failed, more than 1/)
    assert.ok(store.syncs > 0)
  })
})
