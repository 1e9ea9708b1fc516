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
  /** Up to which event readers know of goals from the disk: a write that has just ended there tells of the same once more. */
  const ahead = new Map<string, number>()
  const pass = (event: GoalEvent): void => {
    const known = ahead.get(event.goalId)
    if (known !== undefined && event.seq <= known) return
    ahead.delete(event.goalId)
    readers.tell(event)
  }

  const owe = (): NonNullable<typeof owed> => (owed ??= { told: new Map(index.newestFirst().map(({ id, seq }) => [id, seq])), since: [] })
  const catchUp = async (): Promise<void> => {
    const { told, since } = owe()
    await read.runs()
    for (const { id, seq } of index.newestFirst()) {
      if (seq <= (told.get(id) ?? 0)) continue
      for (const event of await read.events(id, (told.get(id) ?? 0) + 1)) {
        told.set(id, event.seq)
        ahead.set(id, event.seq)
        readers.tell(event)
      }
    }
    owed = undefined
    for (const event of since) pass(event)
  }
  return {
    tell: event => {
      if (owed === undefined) pass(event)
      else owed.since.push(event)
    },
    run: () => {
      owe()
      before = before.catch(() => undefined).then(catchUp)
      return before
    }
  }
}
