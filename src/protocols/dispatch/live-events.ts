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

/**
 * Every durable event of a goal from number `from` on, then those to come, until `signal` fires: no gap, no repeat,
 * and no more than {@link HELD_MAX} events in memory however slow the reader.
 * @throws CloudburstError CB_STORE_DAMAGED when the source has a gap
 */
export async function* liveEvents(source: EventSource, goalId: string, from: number, signal: AbortSignal): AsyncGenerator<GoalEvent, void> {
  let held: GoalEvent[] = []
  let behind = true
  let wake = (): void => undefined
  const onEvent = (event: GoalEvent): void => {
    if (held.length >= HELD_MAX) behind = true
    if (!behind) held.push(event)
    wake()
  }
  const onAbort = (): void => wake()
  const unsubscribe = source.subscribe(goalId, onEvent)
  signal.addEventListener('abort', onAbort)

  let next = from
  const isNext = (event: GoalEvent): boolean => {
    if (event.seq < next) return false
    if (event.seq > next)
      throw new CloudburstError('CB_STORE_DAMAGED', `goal ${goalId} has no event ${next} but ${event.seq}`, { id: goalId })
    next++
    return true
  }
  try {
    while (!signal.aborted) {
      if (behind) {
        behind = false
        held = []
        for (const event of await source.read(goalId, next)) {
          if (signal.aborted) return
          if (isNext(event)) yield event
        }
        continue
      }
      const event = held.shift()
      if (event === undefined) await new Promise<void>(resolve => (wake = resolve))
      // One that was not told may be there all the same: a write that failed and was made. The source knows.
      else if (event.seq > next) behind = true
      else if (isNext(event)) yield event
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
