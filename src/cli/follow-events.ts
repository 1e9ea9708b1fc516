/** A stream of events that survives the daemon: it goes on after the last event seen, and repeats nothing. */
import type { EventItem, StreamCalls } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'

type Request = StreamCalls['events']['request']

/** Streams that end with a gap, one after the other, before that is called a fault of the daemon. */
const GAPS_MAX = 5

/**
 * @param open begins the stream; waits for the daemon by itself
 * @param isAway whether an error means that the daemon has gone
 * @param elsewhere of a goal that another node tells of: whether an error means that this node has gone, and a pause before it is tried again
 */
export async function* follow(
  open: (request: Request) => Promise<AsyncIterable<unknown>>,
  request: Request,
  isAway: (error: unknown) => boolean,
  elsewhere?: { readonly isAway: (error: unknown) => error is CloudburstError; readonly pause: () => Promise<void> }
): AsyncGenerator<EventItem> {
  let next = request.from ?? 1
  const printed = new Map<string, Printed>()
  let waiting = false
  for (let gaps = 0, connection = 0; ; connection++) {
    try {
      for await (const item of (await open({ ...request, from: next })) as AsyncIterable<EventItem>) {
        if (item.type !== 'waiting') waiting = false
        if (item.type === 'event') {
          if (item.event.seq < next) continue
          if (item.event.seq > next) throw new Gap(next, item.event.seq)
          next++
          gaps = 0
          yield item
        } else if (item.type === 'output') {
          const rest = unseen(item, printed, connection)
          if (rest !== undefined) yield rest
        } else {
          yield item
        }
      }
      return
    } catch (error) {
      if (error instanceof Gap && ++gaps <= GAPS_MAX) continue
      if (error instanceof Gap) throw new CloudburstError('CB_INTERNAL', error.message)
      if (isAway(error)) continue
      // One that was never heard of is an error; one that has told something comes back.
      if (elsewhere === undefined || next === (request.from ?? 1) || !elsewhere.isAway(error)) throw error
      if (!waiting) yield { type: 'waiting', reason: error.message }
      waiting = true
      await elsewhere.pause()
    }
  }
}

class Gap extends Error {
  constructor(wanted: number, got: number) {
    super(`the daemon sent event ${got} where ${wanted} was next`)
  }
}

/** Output of one stream of one try: how much was given, and where this connection is. Both count characters from its beginning. */
interface Printed {
  given: number
  connection: number
  at: number
}

/**
 * The part of an output chunk that was not given before. A daemon that comes back tells a running step's output again
 * from its beginning; chunks need not be the same, their text is. Bytes cannot be counted here: a character may span two chunks.
 */
function unseen(item: Extract<EventItem, { type: 'output' }>, printed: Map<string, Printed>, connection: number): EventItem | undefined {
  const key = `${item.step}\0${item.attempt}\0${item.stream}`
  const known = printed.get(key) ?? { given: 0, connection, at: 0 }
  printed.set(key, known)
  if (known.connection !== connection) {
    known.connection = connection
    known.at = item.offset === 0 ? 0 : known.given
  }
  const fresh = item.text.slice(Math.max(0, known.given - known.at))
  known.at += item.text.length
  known.given = Math.max(known.given, known.at)
  return fresh === '' ? undefined : { ...item, text: fresh }
}
