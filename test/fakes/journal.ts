import type { Journal } from '../../src/goals/ports.ts'
import type { GoalEvent, GoalEventBody } from '../../src/goals/pursuit/events.ts'

/** A journal in memory: durable at once, for ever, unless told to fail. */
export interface FakeJournal extends Journal {
  /** All events of all goals, in order of appending. */
  readonly all: readonly GoalEvent[]
  /** The next append, and all after it, reject with this until it is undefined again. */
  failWith: Error | undefined
}

/** @param now epoch milliseconds */
export function fakeJournal(now: () => number = () => 0): FakeJournal {
  const all: GoalEvent[] = []
  const journal: FakeJournal = {
    all,
    failWith: undefined,
    append: async (goalId: string, body: GoalEventBody) => {
      if (journal.failWith !== undefined) throw journal.failWith
      const event: GoalEvent = {
        goalId,
        seq: all.filter(each => each.goalId === goalId).length + 1,
        at: now(),
        body: structuredClone(body)
      }
      all.push(event)
      return event
    },
    read: async goalId => all.filter(event => event.goalId === goalId)
  }
  return journal
}
