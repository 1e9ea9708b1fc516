/** Goals in a store, written without a sync each: for tests of many. */
import type { GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { type NodeJournal, openJournal } from '../../../src/node/store/journal.ts'
import type { Store } from '../../../src/node/store/store.ts'
import { proposed, started } from '../../compliance/journal.ts'

/** The same store, which waits for no disk. */
export function hasty(store: Store): Store {
  return {
    ...store,
    get state() {
      return store.state
    },
    batch: ops => store.batch(ops, { sync: false })
  }
}

/** A journal of `store` whose clock is told. */
export async function journalAt(store: Store, now: () => number): Promise<NodeJournal> {
  return openJournal(store, { now })
}

const completed: GoalEventBody = { type: 'completed', outcome: 'completed', results: {} }

/** `count` events of one goal, of which the last is its end unless it stays `open`. */
export async function fill(journal: NodeJournal, goalId: string, count: number, { open = false } = {}): Promise<void> {
  const bodies = Array.from({ length: count }, (_, at) => (at === 0 ? proposed : at === count - 1 && !open ? completed : started(at)))
  await Promise.all(bodies.map(body => journal.append(goalId, body)))
}
