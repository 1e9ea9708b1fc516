/** Ids of goals as people type them. */
import { CloudburstError } from '../../errors.ts'
import type { NodeJournal } from '../store/journal.ts'

/**
 * A goal's id from a unique beginning of it, in either case; `id` itself when no goal's id begins so.
 * Everybody who looks a goal up by what a request says has to do it by this, or a permit would be asked for another goal.
 * @throws CloudburstError CB_RUN_UNKNOWN when several goals' ids begin so
 */
export function fullId(journal: Pick<NodeJournal, 'runs'>, id: string): string {
  const found = journal.runs().filter(run => run.id.startsWith(id.toUpperCase()))
  if (found.length > 1)
    throw new CloudburstError('CB_RUN_UNKNOWN', `${id} is the beginning of ${found.length} goals' ids: type more of it`, { id })
  return found[0]?.id ?? id
}
