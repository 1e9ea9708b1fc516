import assert from 'node:assert/strict'
import fc from 'fast-check'
import { follow } from '../../src/cli/follow-events.ts'
import { CloudburstError } from '../../src/errors.ts'
import type { EventItem } from '../../src/protocols/agency/calls.ts'
import { eventsOf, failing } from '../fakes/agency.ts'

const away = new CloudburstError('CB_NO_DAEMON', 'gone')
const isAway = (error: unknown): boolean => error === away

describe('a stream of events over a daemon that restarts', () => {
  it('neither repeats nor skips, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 6 }), fc.integer({ min: 1, max: 5 }), async (cuts, chunk) => {
        const got = await all(
          follow(request => Promise.resolve(told(request.from ?? 1, cuts.shift(), chunk)), { id: 'x', follow: true, output: true }, isAway)
        )
        assert.deepEqual(
          got.flatMap(item => (item.type === 'event' ? [item.event.seq] : [])),
          events.map(event => event.seq)
        )
        assert.equal(got.map(item => (item.type === 'output' ? item.text : '')).join(''), OUTPUT)
      })
    )
  })

  it('asks again from the event that comes next', async () => {
    const asked: unknown[] = []
    const cuts = [3, undefined]
    await all(
      follow(
        request => {
          asked.push(request.from)
          return Promise.resolve(told(request.from ?? 1, cuts.shift(), 100))
        },
        { id: 'x' },
        isAway
      )
    )
    assert.deepEqual(asked, [1, 4])
  })

  it('gives up on a daemon that leaves events out', async () => {
    const gap = async function* (): AsyncGenerator<EventItem> {
      yield { type: 'event', event: events[1]! }
    }
    await assert.rejects(all(follow(() => Promise.resolve(gap()), { id: 'x' }, isAway)), {
      code: 'CB_INTERNAL',
      message: /sent event 2 where 1 was next/
    })
  })

  it('waits for the node that tells of the goal, says so once, and goes on where it was', async () => {
    const gone = new CloudburstError('CB_PEER_UNREACHABLE', 'n3 is away')
    let pauses = 0
    const elsewhere = { isAway: (error: unknown): error is CloudburstError => error === gone, pause: async () => void pauses++ }
    const cuts: (number | undefined)[] = [4, 0, 0, undefined]
    const open = async (request: { from?: number }): Promise<AsyncIterable<unknown>> => {
      const cut = cuts.shift()
      return (async function* () {
        for (const item of events.slice((request.from ?? 1) - 1, cut === undefined ? undefined : (request.from ?? 1) - 1 + cut))
          yield { type: 'event', event: item }
        if (cut !== undefined) throw gone
      })()
    }
    const got = await all(follow(open, { id: 'x' }, isAway, elsewhere))
    assert.deepEqual(
      got.flatMap(item => (item.type === 'event' ? [item.event.seq] : [])),
      events.map(event => event.seq)
    )
    assert.deepEqual(
      got.filter(item => item.type === 'waiting').map(item => item.reason),
      ['n3 is away']
    )
    assert.equal(pauses, 3)
    cuts.push(0)
    await assert.rejects(all(follow(open, { id: 'x' }, isAway, elsewhere)), { code: 'CB_PEER_UNREACHABLE' })
  })

  it('passes other errors on', async () => {
    const broken = (): Promise<never> => Promise.reject(new CloudburstError('CB_RUN_UNKNOWN', 'no goal x'))
    await assert.rejects(all(follow(broken, { id: 'x' }, isAway)), { code: 'CB_RUN_UNKNOWN' })
  })
})

const OUTPUT = 'größer\nals vorher\n'
const events = eventsOf(failing)
const printing = events.findIndex(event => event.body.type === 'step-began') + 1

/** The stream as a daemon tells it: a running step's output again from its beginning, in chunks that may differ; cut after some items. */
async function* told(from: number, cut = Number.POSITIVE_INFINITY, chunk: number): AsyncGenerator<EventItem> {
  let count = 0
  for (const item of items(from, chunk + (from % 2))) {
    if (count++ >= cut) throw away
    yield item
  }
}

function* items(from: number, chunk: number): Generator<EventItem> {
  for (const event of events) {
    if (event.seq === printing + 1 && from <= event.seq) {
      for (let at = 0; at < OUTPUT.length; at += chunk) {
        const offset = Buffer.byteLength(OUTPUT.slice(0, at))
        yield { type: 'output', step: 'files/make', attempt: 1, stream: 'stdout', offset, text: OUTPUT.slice(at, at + chunk) }
      }
    }
    if (event.seq >= from) yield { type: 'event', event }
  }
}

async function all(stream: AsyncIterable<EventItem>): Promise<EventItem[]> {
  const got: EventItem[] = []
  for await (const item of stream) got.push(item)
  return got
}
