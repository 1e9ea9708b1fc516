import { CloudburstError } from '../../errors.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'

/** Where a goal's events come from: a journal, seen by those who only tell. */
export interface EventSource {
  /** Events from number `from` on, oldest first, the first `most` of them or more; only such as are on disk. */
  read(goalId: string, from: number, most?: number): Promise<readonly GoalEvent[]>
  /** Calls `listener` with each event once it is on disk, in order. @returns ends it */
  subscribe(goalId: string, listener: (event: GoalEvent) => void): () => void
}

/** New events held for a reader that is slow, in events; beyond it they are dropped here and read again from the source. */
const HELD_MAX = 256
/** Events read from the source at a time for one who is far behind, and told before more are read. */
const PAGE_EVENTS = 1_000

/** A place in the events of a goal that moves on by what is taken: no gap, no repeat. */
export interface EventCursor {
  /** Number of the next event. */
  readonly next: number
  /**
   * Every event on disk from there on; from memory when the reader keeps up. Of a cursor with pages: the next ones, and none when there are none.
   * @throws CloudburstError CB_STORE_DAMAGED when the source has a gap
   */
  take(): Promise<readonly GoalEvent[]>
  end(): void
}

/**
 * @param onNews called when there may be something to take
 * @param most events that are read from the source at a time; absent: all
 */
export function eventCursor(source: EventSource, goalId: string, from: number, onNews: () => void, most?: number): EventCursor {
  let next = from
  /** Undefined while some of it can only be had from the source. */
  let held: GoalEvent[] | undefined
  const end = source.subscribe(goalId, event => {
    if (held !== undefined && held.length >= HELD_MAX) held = undefined
    held?.push(event)
    onNews()
  })
  const known = async (): Promise<readonly GoalEvent[]> => {
    const ours = held?.filter(event => event.seq >= next)
    held = []
    // One that was not told may be there all the same: a write that failed and was made. The source knows.
    if (ours?.every((event, at) => event.seq === next + at)) return ours
    const read = await source.read(goalId, next, most)
    // There may be more: it is read before anything that is told meanwhile.
    if (most !== undefined && read.length >= most) held = undefined
    return read
  }
  return {
    get next() {
      return next
    },
    take: async () => {
      const events = (await known()).filter(event => event.seq >= next)
      const gap = events.find((event, at) => event.seq !== next + at)
      if (gap !== undefined)
        throw new CloudburstError('CB_STORE_DAMAGED', `goal ${goalId} has no event before ${gap.seq}, but those before ${next}`, {
          id: goalId
        })
      next += events.length
      return events
    },
    end
  }
}

/**
 * Every durable event of a goal from number `from` on, then those to come, as many as there are at a time, until `signal` fires: no gap,
 * no repeat, and no more than a page of them or {@link HELD_MAX} new ones in memory however slow the reader.
 * @throws CloudburstError CB_STORE_DAMAGED when the source has a gap
 */
export async function* liveEvents(
  source: EventSource,
  goalId: string,
  from: number,
  signal: AbortSignal
): AsyncGenerator<readonly GoalEvent[], void> {
  let news = true
  let wake = (): void => undefined
  const ring = (): void => {
    news = true
    wake()
  }
  const cursor = eventCursor(source, goalId, from, ring, PAGE_EVENTS)
  signal.addEventListener('abort', ring)
  try {
    while (!signal.aborted) {
      if (!news) await new Promise<void>(resolve => (wake = resolve))
      news = false
      const events = await cursor.take()
      if (events.length === 0) continue
      // A page may be followed by another one.
      news = true
      if (!signal.aborted) yield events
    }
  } finally {
    cursor.end()
    signal.removeEventListener('abort', ring)
  }
}
