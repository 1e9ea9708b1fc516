import assert from 'node:assert/strict'
import type { GoalEvent, OutputChunk } from '../../../src/goals/pursuit/events.ts'
import { type DispatchEnd, type DispatchSink, dispatchOnce, follow } from '../../../src/protocols/dispatch/client.ts'
import type { DispatchRequest, Executor } from '../../../src/protocols/dispatch/executor.ts'
import { EVENTS_TEXT_BYTES_MAX, EVENTS_TOGETHER_MAX } from '../../../src/protocols/dispatch/messages.ts'
import { readReceipt } from '../../../src/protocols/dispatch/receipt.ts'
import { dispatchHandler } from '../../../src/protocols/dispatch/server.ts'
import { STREAMS_PER_PEER_MAX } from '../../../src/protocols/per-peer.ts'
import type { Caller, Channel } from '../../../src/protocols/wire/channel.ts'
import { decodeJson, encodeJson } from '../../../src/protocols/wire/json-text.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair, type PairOptions } from '../../fakes/channel-pair.ts'
import { eventsOf, fakeExecutor } from '../../fakes/executor.ts'

const SERVER = '12D3KooWServer1111111111111111111111111111'
const HASH = 'a'.repeat(64)
const ID = '01JD0000000000000000000000'
const both = ['goal:dispatch', 'program:load'] as const
const files = async (hash: string) => [{ name: 'site.xml', text: hash }]

function request(change: Partial<DispatchRequest> = {}): DispatchRequest {
  return {
    type: 'request',
    id: ID,
    goal: 'publish',
    program: { name: 'site', hash: HASH },
    mode: 'pursue',
    assignments: [],
    chain: [],
    acceptBefore: Date.now() + 60_000,
    ...change
  }
}

function sink() {
  const seen = { receipts: [] as Uint8Array[], events: [] as GoalEvent[], chunks: [] as OutputChunk[] }
  const it: DispatchSink & typeof seen = {
    ...seen,
    accepted: async receipt => void it.receipts.push(receipt),
    event: async event => void it.events.push(event),
    output: async chunk => void it.chunks.push(chunk)
  }
  return it
}

/** An executor whose goals run to their end at once. */
function quick(programs = new Set([HASH])) {
  const executor = fakeExecutor(SERVER, programs)
  executor.onAccept = accepted => {
    for (const event of eventsOf(accepted.id, accepted, SERVER)) executor.happen(event)
  }
  return executor
}

function connect(executor: Executor, caller: Caller, options: PairOptions = {}) {
  const pair = channelPair({ client: caller.peer, server: SERVER }, options)
  const served = dispatchHandler(executor)(pair.server, caller)
  served.catch(() => undefined)
  return { ...pair, served }
}

const isOver = (message: unknown): boolean => message === undefined || (message as { type: string }).type === 'over'
const code = (end: DispatchEnd): string => (end.kind === 'refused' ? end.error.code : end.kind)

describe('a dispatched goal', () => {
  it('is accepted, told event by event, and ends with its outcome', async () => {
    const executor = quick()
    const caller = callerWith(both)
    const taken = sink()
    const end = await dispatchOnce(connect(executor, caller).client, request(), files, taken)
    assert.equal(end.kind, 'outcome')
    assert.deepEqual(taken.events, eventsOf(ID, request(), SERVER))
    const receipt = readReceipt(taken.receipts[0]!)
    assert.deepEqual(
      { ...receipt, acceptedAt: 0 },
      { id: ID, executor: SERVER, dispatcher: caller.peer, goal: 'publish', program: HASH, acceptedAt: 0 }
    )
    assert.equal(executor.loads, 0)
  })

  it('is told several events in a message, but one by one to a dispatcher that does not say that it takes them', async () => {
    const heard = async (...words: object[]): Promise<readonly number[][]> => {
      const { client } = connect(quick(), callerWith(both))
      for (const word of words) await client.write(word)
      const told: number[][] = []
      for (let message = await client.read(); !isOver(message); message = await client.read()) {
        const { event, events } = message as { event?: GoalEvent; events?: Uint8Array }
        const some = events === undefined ? [event].filter(each => each !== undefined) : (decodeJson(events) as GoalEvent[])
        if (some.length > 0) told.push(some.map(({ seq }) => seq))
      }
      return told
    }
    const takes = { type: 'heartbeat', takes: ['events', 'something else'] }
    assert.deepEqual(await heard(request()), [[1], [2], [3], [4], [5]])
    assert.deepEqual(await heard(takes, request()), [[1, 2, 3, 4], [5]])
    assert.deepEqual(await heard({ type: 'heartbeat', takes: 'events' }, request()), [[1], [2], [3], [4], [5]])
  })

  it('is told in shorter messages when one would be too long', async () => {
    const executor = fakeExecutor(SERVER, new Set([HASH]))
    const shown = 'x'.repeat(EVENTS_TEXT_BYTES_MAX / 3)
    const long = eventsOf(ID, request(), SERVER).map(event =>
      event.body.type === 'step-began' ? { ...event, body: { ...event.body, show: shown } } : event
    )
    const [first, second, began, ended, last] = long as [GoalEvent, GoalEvent, GoalEvent, GoalEvent, GoalEvent]
    const all = [first, second, ...Array.from({ length: 7 }, () => began), ended, last].map((event, at) => ({ ...event, seq: at + 1 }))
    executor.onAccept = () => all.forEach(executor.happen)
    const pair = channelPair({ client: 'me', server: SERVER })
    const counts: number[] = []
    const counting: Channel = {
      ...pair.server,
      write: async message => {
        const { events } = message as { events?: Uint8Array }
        if (events !== undefined) counts.push((decodeJson(events) as unknown[]).length)
        await pair.server.write(message)
      }
    }
    void dispatchHandler(executor)(counting, callerWith(both, 'me')).catch(() => undefined)
    const taken = sink()
    assert.equal((await dispatchOnce(pair.client, request(), files, taken)).kind, 'outcome')
    assert.deepEqual(taken.events, all)
    assert.deepEqual(counts, [2, 2, 2, 3])
  })

  it('brings its program along when the peer lacks it', async () => {
    const executor = quick(new Set())
    const caller = callerWith(both)
    assert.equal((await dispatchOnce(connect(executor, caller).client, request(), files, sink())).kind, 'outcome')
    assert.equal(executor.loads, 1)
    assert.ok(caller.asked.some(({ capability, program }) => capability === 'program:load' && program === HASH))
  })

  const refused: readonly {
    it: string
    may?: readonly ('goal:dispatch' | 'program:load')[]
    change?: Partial<DispatchRequest>
    programs?: Set<string>
    program?: string
    code: string
  }[] = [
    { it: 'without goal:dispatch', may: ['program:load'], code: 'CB_DENIED' },
    { it: 'that needs its program loaded without program:load', may: ['goal:dispatch'], programs: new Set(), code: 'CB_DENIED' },
    { it: 'that came too late', change: { acceptBefore: Date.now() - 1 }, code: 'CB_REQUEST_EXPIRED' },
    { it: 'that would wait for itself', change: { chain: ['01JD0000000000000000000009:root', `${ID}:publish`] }, code: 'CB_USAGE' },
    { it: 'with another program than announced', programs: new Set(), program: 'b'.repeat(64), code: 'CB_PROGRAM_INVALID' },
    { it: 'whose id is no ULID', change: { id: '../../etc/passwd' }, code: 'CB_USAGE' },
    { it: 'with an endless chain', change: { chain: Array.from({ length: 40 }, (_, at) => `${at}:x`) }, code: 'CB_USAGE' }
  ]
  for (const row of refused) {
    it(`is refused ${row.it}, without effect`, async () => {
      const executor = quick(row.programs)
      const give = async () => [{ name: 'site.xml', text: row.program ?? HASH }]
      const end = await dispatchOnce(connect(executor, callerWith(row.may ?? both)).client, request(row.change), give, sink())
      assert.equal(code(end), row.code)
      assert.deepEqual(executor.accepts, [])
      assert.equal(executor.journal.size, 0)
    })
  }

  it('needs what its program needs besides', async () => {
    const executor = { ...quick(), subject: () => ({ also: ['node:shell' as const] }) }
    assert.equal(code(await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())), 'CB_DENIED')
    assert.deepEqual(executor.accepts, [])
  })

  it('takes back a goal of its dispatcher only, and needs the right to repair for that', async () => {
    const executor = quick()
    const undo = request({ id: `${ID.slice(0, 25)}1`, undoes: ID })
    const repairing = callerWith([...both, 'goal:repair'])
    const ask = async (caller: Caller, asked: DispatchRequest) =>
      code(await dispatchOnce(connect(executor, caller).client, asked, files, sink()))
    assert.equal(await ask(repairing, undo), 'CB_RUN_UNKNOWN')
    assert.equal(await ask(repairing, request()), 'outcome')
    assert.equal(await ask(callerWith(both), undo), 'CB_DENIED')
    assert.equal(await ask(callerWith([...both, 'goal:repair'], 'somebody else'), undo), 'CB_RUN_UNKNOWN')
    assert.equal(await ask(repairing, undo), 'outcome')
    assert.equal(executor.accepts.length, 2)
  })

  it('is answered again, not run again, when the same request comes twice, even after its time', async () => {
    const executor = quick()
    const [first, second] = [sink(), sink()]
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, first)
    await dispatchOnce(connect(executor, callerWith(both)).client, request({ acceptBefore: 1 }), files, second)
    assert.deepEqual(second.receipts, first.receipts)
    assert.deepEqual(second.events, first.events)
    assert.equal(executor.accepts.length, 1)
  })

  it('is accepted once when the same request comes many times at once', async () => {
    const executor = quick(new Set())
    const caller = callerWith(both)
    const handler = dispatchHandler(executor)
    const ends = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const pair = channelPair({ client: caller.peer, server: SERVER })
        void handler(pair.server, caller)
        return dispatchOnce(pair.client, request(), files, sink())
      })
    )
    assert.ok(ends.every(end => end.kind === 'outcome'))
    assert.equal(executor.accepts.length, 1)
    assert.equal(executor.loads, 1)
  })

  it('is refused under an id that was used for another goal', async () => {
    const executor = quick()
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())
    assert.equal(
      code(await dispatchOnce(connect(executor, callerWith(both)).client, request({ goal: 'other' }), files, sink())),
      'CB_USAGE'
    )
  })

  it('is not followed by anybody but its dispatcher', async () => {
    const executor = quick()
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())
    const other = callerWith(both, '12D3KooWother1111111111111111111111111111')
    assert.equal(code(await follow(connect(executor, other).client, ID, 1, sink())), 'CB_RUN_UNKNOWN')
  })

  it('is not known any more when more of it was told than there is, since an older disk was put back', async () => {
    const executor = quick()
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())
    executor.journal.set(ID, executor.journal.get(ID)!.slice(0, 2))
    assert.equal(code(await follow(connect(executor, callerWith(both)).client, ID, 6, sink())), 'CB_RUN_UNKNOWN')
  })

  it('is never made by follow', async () => {
    const executor = quick()
    assert.equal(code(await follow(connect(executor, callerWith(both)).client, ID, 1, sink())), 'CB_RUN_UNKNOWN')
    assert.deepEqual(executor.accepts, [])
  })

  it('is known to be accepted by a dispatcher that may not follow it any more', async () => {
    const executor = quick()
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())
    const taken = sink()
    const end = await dispatchOnce(connect(executor, callerWith([])).client, request(), files, taken)
    assert.deepEqual({ code: code(end), accepted: end.kind === 'refused' && end.accepted }, { code: 'CB_DENIED', accepted: true })
    assert.equal(taken.receipts.length, 1)
    assert.deepEqual(taken.events, [])
  })

  it('stays on the line while it is suspended, and goes on after its repair', async () => {
    const executor = fakeExecutor(SERVER, new Set([HASH]))
    const script: GoalEvent['body'][] = [
      { type: 'suspended', code: 'step-failed', reason: 'exit 1' },
      { type: 'repaired', by: { peer: SERVER, node: 'n2' }, verb: 'retry', assignments: [] },
      { type: 'completed', outcome: 'completed', results: {} }
    ]
    const events = script.map((body, at): GoalEvent => ({ goalId: ID, seq: at + 1, at: at, body }))
    executor.onAccept = () => executor.happen(events[0]!)
    const taken = sink()
    taken.event = async event => {
      taken.events.push(event)
      const following = events[event.seq]
      if (following !== undefined) setImmediate(() => executor.happen(following))
    }
    assert.equal((await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, taken)).kind, 'outcome')
    assert.deepEqual(taken.events, events)
  })

  it('is refused with CB_BUSY while its dispatcher has as many open as it may, and taken when one is over', async () => {
    const executor = fakeExecutor(SERVER, new Set([HASH]))
    const handler = dispatchHandler(executor)
    const caller = callerWith(both)
    const dispatch = (number: number, taken = sink()): Promise<DispatchEnd> => {
      const pair = channelPair({ client: caller.peer, server: SERVER })
      void handler(pair.server, caller)
      return dispatchOnce(pair.client, request({ id: idOf(number) }), files, taken)
    }
    const idOf = (number: number): string => `${ID.slice(0, -4)}${String(number).padStart(4, '0')}`
    const happen = (number: number): void => {
      for (const event of eventsOf(idOf(number), request(), SERVER)) executor.happen(event)
    }
    const open = Array.from({ length: STREAMS_PER_PEER_MAX }, (_, number) => dispatch(number))
    assert.equal(code(await dispatch(STREAMS_PER_PEER_MAX)), 'CB_BUSY')
    happen(0)
    assert.equal((await open[0]!).kind, 'outcome')
    executor.onAccept = () => happen(STREAMS_PER_PEER_MAX)
    assert.equal((await dispatch(STREAMS_PER_PEER_MAX)).kind, 'outcome')
    for (let number = 1; number < STREAMS_PER_PEER_MAX; number++) happen(number)
    assert.ok((await Promise.all(open)).every(({ kind }) => kind === 'outcome'))
  })

  it('ends its stream with CB_DENIED when the session ends, and goes on by itself', async () => {
    const executor = fakeExecutor(SERVER, new Set([HASH]))
    const caller = callerWith(both)
    executor.onAccept = accepted => executor.happen(eventsOf(accepted.id, accepted, 'caller')[0]!)
    const taken = sink()
    taken.event = async () => caller.end()
    const end = await dispatchOnce(connect(executor, caller).client, request(), files, taken)
    assert.deepEqual({ code: code(end), accepted: end.kind === 'refused' && end.accepted }, { code: 'CB_DENIED', accepted: true })
    assert.equal(executor.accepts.length, 1)
  })

  it('tells what was printed before the outcome', async () => {
    const chunk: OutputChunk = { goalId: ID, step: 's1', attempt: 1, stream: 'stdout', offset: 5, bytes: Uint8Array.of(104, 105) }
    const asked: unknown[] = []
    const executor: Executor = {
      ...quick(),
      async *output(_goalId, have, until) {
        asked.push(have)
        if (!until.aborted) await new Promise(resolve => until.addEventListener('abort', resolve, { once: true }))
        yield chunk
      }
    }
    await dispatchOnce(connect(executor, callerWith(both)).client, request(), files, sink())
    const taken = sink()
    const have = [{ step: 's1', attempt: 1, stream: 'stdout' as const, bytes: 5 }]
    assert.equal((await follow(connect(executor, callerWith(both)).client, ID, 4, taken, have)).kind, 'outcome')
    assert.deepEqual(asked[1], have)
    assert.deepEqual(taken.chunks, [chunk])
    assert.deepEqual(
      taken.events.map(event => event.seq),
      [4, 5]
    )
  })
})

describe('an executor that does not keep to the protocol', () => {
  const event = eventsOf(ID, request(), SERVER)[1]!
  const receipt = new Uint8Array(1)
  const bad: readonly { it: string; messages: readonly unknown[] }[] = [
    { it: 'tells before it has accepted', messages: [{ type: 'event', event: { ...event, seq: 1 } }] },
    {
      it: 'skips an event',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'event', event }
      ]
    },
    {
      it: 'tells of another goal',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'event', event: { ...event, seq: 1, goalId: 'x' } }
      ]
    },
    {
      it: 'skips an event among several',
      messages: [
        { type: 'accepted', id: ID, receipt },
        {
          type: 'events',
          events: encodeJson([
            { ...event, seq: 1 },
            { ...event, seq: 3 }
          ])
        }
      ]
    },
    {
      it: 'tells more events at once than it may',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'events', events: encodeJson(Array.from({ length: EVENTS_TOGETHER_MAX + 1 }, (_, at) => ({ ...event, seq: at + 1 }))) }
      ]
    },
    {
      it: 'tells a text that is none of events',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'events', events: Buffer.from('[{') }
      ]
    },
    { it: 'accepts another goal', messages: [{ type: 'accepted', id: '01JD0000000000000000000001', receipt }] },
    {
      it: 'accepts twice',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'accepted', id: ID, receipt }
      ]
    },
    {
      it: 'invents an event',
      messages: [
        { type: 'accepted', id: ID, receipt },
        { type: 'event', event: { ...event, seq: 1, body: { type: 'won' } } }
      ]
    }
  ]
  for (const { it: name, messages } of bad) {
    it(`is left when it ${name}`, async () => {
      const pair = channelPair({ client: 'me', server: SERVER })
      const talk = (async () => {
        for (const message of messages) await pair.server.write(message)
      })().catch(() => undefined)
      await assert.rejects(dispatchOnce(pair.client, request(), files, sink()), { code: 'CB_FRAME_INVALID' })
      assert.ok(pair.client.closed.aborted)
      await talk
    })
  }
})
