import { CloudburstError } from '../../errors.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'

/** Where a goal's events come from: a journal, seen by those who only tell. */
export interface EventSource {
  /** Events from number `from` on, oldest first; only such as are on disk. */
  read(goalId: string, from: number): Promise<readonly GoalEvent[]>
  /** Calls `listener` with each event once it is on disk, in order. @returns ends it */
  subscribe(goalId: string, listener: (event: GoalEvent) => void): () => void
}

/** New events held for a reader that is slow, in events; beyond it they are dropped here and read again from the source. */
const HELD_MAX = 256

/** A place in the events of a goal that moves on by what is taken: no gap, no repeat. */
export interface EventCursor {
  /** Number of the next event. */
  readonly next: number
  /**
   * Every event on disk from there on; from memory when the reader keeps up.
   * @throws CloudburstError CB_STORE_DAMAGED when the source has a gap
   */
  take(): Promise<readonly GoalEvent[]>
  end(): void
}

/** @param onNews called when there may be something to take */
export function eventCursor(source: EventSource, goalId: string, from: number, onNews: () => void): EventCursor {
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
    return ours?.every((event, at) => event.seq === next + at) ? ours : await source.read(goalId, next)
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
 * Every durable event of a goal from number `from` on, then those to come, until `signal` fires: no gap, no repeat,
 * and no more than {@link HELD_MAX} new events in memory however slow the reader.
 * @throws CloudburstError CB_STORE_DAMAGED when the source has a gap
 */
export async function* liveEvents(source: EventSource, goalId: string, from: number, signal: AbortSignal): AsyncGenerator<GoalEvent, void> {
  let news = true
  let wake = (): void => undefined
  const ring = (): void => {
    news = true
    wake()
  }
  const cursor = eventCursor(source, goalId, from, ring)
  signal.addEventListener('abort', ring)
  try {
    while (!signal.aborted) {
      if (!news) await new Promise<void>(resolve => (wake = resolve))
      news = false
      for (const event of await cursor.take()) {
        if (signal.aborted) return
        yield event
      }
    }
  } finally {
    cursor.end()
    signal.removeEventListener('abort', ring)
  }
}
