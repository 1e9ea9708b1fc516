/** Waiting until this node knows what a peer has already answered: events of a goal sent away come on a stream of their own. */
import type { NodeJournal } from '../store/journal.ts'

/** How long an answer is held back for the events it speaks of, in milliseconds: the stream may just be gone, the answer is true anyway. */
export const HEARD_WITHIN_MS = 5_000

/**
 * Resolves once the journal here holds event `seq` of the goal, or `withinMs` have passed. Whoever follows the goal from then on
 * does not take the state before the answer for the one after it.
 */
export async function heard(
  journal: Pick<NodeJournal, 'summary' | 'subscribe'>,
  id: string,
  seq: number,
  withinMs = HEARD_WITHIN_MS
): Promise<void> {
  const come = Promise.withResolvers<void>()
  const timer = setTimeout(come.resolve, withinMs)
  const end = journal.subscribe(id, event => {
    if (event.seq >= seq) come.resolve()
  })
  try {
    if (((await journal.summary(id))?.seq ?? 0) < seq) await come.promise
  } finally {
    clearTimeout(timer)
    end()
  }
}
