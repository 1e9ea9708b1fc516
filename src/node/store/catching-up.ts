/** Readers hear every event of a goal once and in order, also when what a failed write has written all the same is found out late. */
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { RunIndex } from './run-index.ts'
import type { Subscribers } from './subscribers.ts'

export interface CatchingUp {
  /** Tells at once; while readers are brought up to date, afterwards. */
  tell(event: GoalEvent): void
  /**
   * Has everything read anew, tells what nobody was told of, then what has come meanwhile. One at a time.
   * @throws what the reading throws: the next one makes up for it
   */
  run(): Promise<void>
}

/** @param read.runs brings the index up to date; read.events gives those of a goal from a number on, as far as they are on disk */
export function catchingUp(
  readers: Subscribers,
  index: RunIndex,
  read: { runs(): Promise<void>; events(goalId: string, from: number): Promise<readonly GoalEvent[]> }
): CatchingUp {
  /** Up to which event readers were told, by goal, and what has been written since; undefined when they are up to date. */
  let owed: { readonly told: Map<string, number>; readonly since: GoalEvent[] } | undefined
  let before: Promise<void> = Promise.resolve()

  const owe = (): NonNullable<typeof owed> => (owed ??= { told: new Map(index.newestFirst().map(({ id, seq }) => [id, seq])), since: [] })
  const catchUp = async (): Promise<void> => {
    const { told, since } = owe()
    await read.runs()
    for (const { id, seq } of index.newestFirst()) {
      if (seq <= (told.get(id) ?? 0)) continue
      for (const event of await read.events(id, (told.get(id) ?? 0) + 1)) {
        told.set(id, event.seq)
        readers.tell(event)
      }
    }
    owed = undefined
    for (const event of since) if (event.seq > (told.get(event.goalId) ?? 0)) readers.tell(event)
  }
  return {
    tell: event => {
      if (owed === undefined) readers.tell(event)
      else owed.since.push(event)
    },
    run: () => {
      owe()
      before = before.catch(() => undefined).then(catchUp)
      return before
    }
  }
}
