import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { seal } from '../../../src/crypto/dsse.ts'
import { CloudburstError } from '../../../src/errors.ts'
import type { DispatchParts } from '../../../src/node/dispatch/dispatches.ts'
import type { DispatchRequest } from '../../../src/protocols/dispatch/executor.ts'
import { eventsOf } from '../../fakes/executor.ts'
import { deadline, dispatcher, eventsIn, ID, isEvent, opened, order, pair, seqs, server, started } from './pair.ts'

describe('a goal sent to another node', () => {
  afterEach(async () => {
    for (const dispatches of opened.splice(0)) await dispatches.stop()
  })

  it('is accepted, followed and done, with its events in the journal here', async () => {
    const { start, journal, executor, store } = pair()
    const dispatches = await start()
    assert.equal(await dispatches.send(order()), ID)
    assert.equal(await dispatches.verdict(ID, deadline()), undefined)
    const record = await dispatches.outcome(ID, deadline())
    assert.equal(record.state, 'done')
    assert.deepEqual(await journal.events(ID), executor.journal.get(ID))
    assert.deepEqual(dispatches.sentTo(ID), { node: 'web1', peer: server.peer })
    assert.deepEqual(dispatches.open(), [])
    assert.ok(store.syncs >= 3, 'order, verdict and outcome are each synced')
    await dispatches.stop()
  })

  it('opens its stream to a peer that is up while the order is written down, and sends nothing on it before', async () => {
    const { world, parts, store, executor } = pair()
    const [asked, synced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow: DispatchParts['store'] = {
      ...store,
      batch: async (ops, options) => {
        asked.resolve()
        await synced.promise
        await store.batch(ops, options)
      }
    }
    const syncsBeforeMessage: number[] = []
    world.dial = () => ({ cut: () => syncsBeforeMessage.push(store.syncs) === 0 })
    const dispatches = await started({ ...parts, store: slow, isUp: () => true })
    const sent = dispatches.send(order())
    await asked.promise
    assert.equal(world.connections, 1)
    assert.equal(executor.journal.size, 0)
    synced.resolve()
    assert.equal((await dispatches.outcome(await sent, deadline())).state, 'done')
    assert.equal(world.connections, 1)
    assert.ok(syncsBeforeMessage[0]! > 0, 'the order was synced before the first message')
  })

  it('goes over the stream of the one before it, and over another when that was cut in the middle', async () => {
    const { world, start, journal, executor } = pair()
    const dispatches = await start()
    const ids = Array.from({ length: 4 }, (_, at) => `${ID.slice(0, -1)}${at}`)
    const done = async (id: string) => (await dispatches.outcome(await dispatches.send(order({ id })), deadline())).state
    // The second is cut at its third event, the eleventh message or so of the first connection.
    world.dial = n => ({ cut: (_count, _from, message) => n === 1 && isEvent(message, ids[1]!, 3) })
    for (const id of ids) assert.equal(await done(id), 'done')
    assert.equal(world.connections, 2)
    assert.equal(executor.accepts.length, ids.length)
    for (const id of ids) assert.deepEqual(await journal.events(id), executor.journal.get(id))
  })

  it('leaves no stream behind when it could not be written down', async () => {
    const { parts, store } = pair()
    const aborted = Promise.withResolvers<void>()
    const dialer: DispatchParts['dialer'] = {
      open: async (...words) => ({ ...(await parts.dialer.open(...words)), abort: () => aborted.resolve() })
    }
    const full = { ...store, batch: () => Promise.reject(new CloudburstError('CB_STORE_DEGRADED', 'disk full')) }
    const dispatches = await started({ ...parts, dialer, store: full, isUp: () => true })
    await assert.rejects(dispatches.send(order()), /disk full/)
    await aborted.promise
  })

  it('survives a cut at every message: accepted once, every event once', async () => {
    for (let at = 1; at <= 10; at++) {
      const { start, world, journal, executor } = pair()
      world.dial = n => (n === 1 ? { cut: count => count === at } : {})
      const dispatches = await start()
      await dispatches.send(order())
      const record = await dispatches.outcome(ID, deadline())
      assert.equal(record.state, 'done', `cut at message ${at}`)
      assert.equal(executor.accepts.length, 1, `cut at message ${at}`)
      assert.deepEqual(seqs(await journal.events(ID)), [1, 2, 3, 4, 5], `cut at message ${at}`)
      await dispatches.stop()
    }
  })

  it('is done when the write of its outcome failed and was made all the same', async () => {
    const { start, journal, executor } = pair()
    let failed = 0
    const { mirror } = journal
    journal.mirror = async (goalId, fresh, extra = [], options) => {
      await mirror(goalId, fresh, extra, options)
      if (extra.length > 0 && failed++ === 0) throw new CloudburstError('CB_STORE_DEGRADED', 'the store cannot be written')
    }
    const dispatches = await start()
    await dispatches.send(order())
    assert.equal((await dispatches.outcome(ID, deadline())).state, 'done')
    assert.deepEqual(await journal.events(ID), executor.journal.get(ID))
    assert.equal(failed, 1)
  })

  it('survives a cut at the same message of every connection, as long as one comes through at the end', async () => {
    for (let at = 1; at <= 10; at++) {
      const { start, world, journal, executor } = pair()
      world.dial = n => (n <= 5 ? { cut: count => count >= at } : {})
      const dispatches = await start()
      await dispatches.send(order())
      assert.equal((await dispatches.outcome(ID, deadline())).state, 'done')
      assert.equal(executor.accepts.length, 1)
      assert.deepEqual(seqs(await journal.events(ID)), [1, 2, 3, 4, 5])
      await dispatches.stop()
    }
  })

  it('goes on after a restart of this daemon, wherever it was', async () => {
    for (let at = 1; at <= 10; at++) {
      const { start, world, journal, executor, parts } = pair()
      const first = await start()
      const cut = new Promise<void>(resolve => {
        world.dial = () => ({
          cut: count => {
            if (count === at) resolve()
            return count >= at
          }
        })
      })
      await first.send(order())
      await Promise.race([cut, first.outcome(ID, deadline())])
      await first.stop()
      world.dial = () => ({})
      const second = await started(parts)
      assert.equal((await second.outcome(ID, deadline())).state, 'done', `stopped at message ${at}`)
      assert.equal(executor.accepts.length, 1)
      assert.deepEqual(seqs(await journal.events(ID)), [1, 2, 3, 4, 5])
      assert.deepEqual(second.sentTo(ID), { node: 'web1', peer: server.peer })
      await second.stop()
    }
  })

  it('is one dispatch when it is sent twice under one id', async () => {
    const { start, executor } = pair()
    const dispatches = await start()
    await Promise.all([dispatches.send(order()), dispatches.send(order())])
    await dispatches.outcome(ID, deadline())
    await dispatches.send(order())
    assert.equal(executor.accepts.length, 1)
    await dispatches.stop()
  })

  it('ends with the error of the peer that refuses it, which is recorded', async () => {
    const { start, caller, executor, parts } = pair()
    caller.require = () => {
      throw new CloudburstError('CB_DENIED', 'no permit')
    }
    const dispatches = await start()
    await dispatches.send(order())
    assert.equal((await dispatches.verdict(ID, deadline()))?.code, 'CB_DENIED')
    assert.deepEqual(executor.accepts, [])
    await dispatches.stop()
    const after = await started(parts)
    assert.equal((await after.find(ID))?.state, 'refused')
    assert.deepEqual(after.open(), [])
    await after.stop()
  })

  it('ends with CB_PEER_UNREACHABLE when the peer is away for too long, and is not sent when it comes back', async () => {
    const { start, world, executor } = pair()
    world.dial = () => {
      throw new CloudburstError('CB_PEER_UNREACHABLE', 'no route')
    }
    const dispatches = await start()
    const reasons: string[] = []
    await dispatches.send(order({ acceptWithinMs: 30 }))
    dispatches.onWaiting(ID, reason => reasons.push(reason))
    const error = await dispatches.verdict(ID, deadline())
    assert.equal(error?.code, 'CB_PEER_UNREACHABLE')
    assert.match(error?.message ?? '', /publish was not accepted in time and will not be sent later: web1 is away: no route/)
    assert.ok(reasons.includes('web1 is away: no route'))
    world.dial = () => ({})
    const dials = world.connections
    for (const listener of world.up) listener(server.peer)
    await dispatches.stop()
    assert.equal(world.connections, dials)
    assert.deepEqual(executor.accepts, [])
  })

  it('is not sent after its time when nobody knows whether it arrived: only asked for', async () => {
    const { start, world, executor } = pair()
    // The request itself is cut off, and the peer is away until its time is over.
    let firstSent = (): void => undefined
    const sent = new Promise<void>(resolve => (firstSent = resolve))
    world.dial = n => {
      if (n > 1 && Date.now() < before) throw new CloudburstError('CB_PEER_UNREACHABLE', 'away')
      if (n > 1) return {}
      firstSent()
      return { cut: () => true }
    }
    const dispatches = await start()
    const before = Date.now() + 100
    await dispatches.send(order({ acceptWithinMs: 40 }))
    await sent
    assert.equal((await dispatches.verdict(ID, deadline()))?.code, 'CB_PEER_UNREACHABLE')
    assert.deepEqual(executor.accepts, [])
    await dispatches.stop()
  })

  it('is found accepted when only the verdict was lost and its time is over', async () => {
    const { start, world, executor } = pair()
    let before = 0
    world.dial = n => {
      if (n > 1 && Date.now() < before) throw new CloudburstError('CB_PEER_UNREACHABLE', 'away')
      return n === 1 ? { cut: (_count, from, message) => from === 'server' && (message as { type: string }).type === 'accepted' } : {}
    }
    const dispatches = await start()
    before = Date.now() + 300
    await dispatches.send(order({ acceptWithinMs: 200 }))
    assert.equal((await dispatches.outcome(ID, deadline())).state, 'done')
    assert.equal(executor.accepts.length, 1)
    await dispatches.stop()
  })

  it('is in doubt, and not sent again, when the peer that gave its receipt has lost its memory', async () => {
    const { start, world, executor } = pair()
    let asked: DispatchRequest | undefined
    executor.onAccept = request => {
      asked = request
      executor.happen(eventsOf(request.id, request, dispatcher.peer)[0]!)
    }
    world.dial = n => (n === 1 ? { cut: (_count, _from, message) => eventsIn(message).length > 0 && executor.forget() === undefined } : {})
    const dispatches = await start()
    await dispatches.send(order())
    const doubt = async (): Promise<boolean> => (await dispatches.find(ID))?.state === 'in-doubt'
    for (const end = deadline(); !(await doubt()); ) {
      end.throwIfAborted()
      await wait(1)
    }
    assert.match((await dispatches.find(ID))?.error?.message ?? '', /proved by its receipt/)
    assert.equal(executor.accepts.length, 1)
    assert.equal(dispatches.open().length, 1)
    // Its memory is back, and with it the goal: nothing of the doubt is left.
    executor.onAccept = request => {
      for (const event of eventsOf(request.id, request, dispatcher.peer)) executor.happen(event)
    }
    await executor.accept(asked!, { peer: dispatcher.peer })
    const record = await dispatches.outcome(ID, deadline())
    assert.deepEqual([record.state, record.error], ['done', undefined])
    await dispatches.stop()
  })

  it('is not believed accepted on the word of a receipt that somebody else signed', async () => {
    const { start, executor, world } = pair()
    const stranger = generateIdentity()
    executor.seal = (type, payload) => seal(stranger, type, payload)
    const dispatches = await start()
    await dispatches.send(order())
    const end = deadline()
    while (world.connections < 3) {
      end.throwIfAborted()
      await wait(1)
    }
    assert.equal((await dispatches.find(ID))?.state, 'open')
    assert.equal((await dispatches.find(ID))?.receipt, undefined)
    await dispatches.stop()
  })

  it('is not acknowledged when it cannot be written down', async () => {
    const { start, store, world } = pair()
    const dispatches = await start()
    store.broken = true
    await assert.rejects(dispatches.send(order()), { code: 'CB_STORE_DEGRADED' })
    assert.equal(world.connections, 0)
    store.broken = false
    await dispatches.stop()
  })

  it('is followed to its end although the disk was full for a while', async () => {
    const { start, store, world, executor, journal } = pair()
    world.dial = n => ({
      cut: (_count, _from, message) => {
        if (n === 1 && isEvent(message, ID, 3)) store.broken = true
        if (n === 2) store.broken = false
        return false
      }
    })
    const dispatches = await start()
    await dispatches.send(order())
    assert.equal((await dispatches.outcome(ID, deadline())).state, 'done')
    assert.deepEqual(await journal.events(ID), executor.journal.get(ID))
    await dispatches.stop()
  })
})
