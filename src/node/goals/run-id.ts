/** Ids of goals as people type them. */
import { CloudburstError } from '../../errors.ts'

/** Of a ULID, in characters. */
const ID_LENGTH = 26

/**
 * A goal's id from a unique beginning of it, in either case; `id` itself when no goal's id begins so.
 * Everybody who looks a goal up by what a request says has to do it by this, or a permit would be asked for another goal.
 * @throws CloudburstError CB_RUN_UNKNOWN when several goals' ids begin so
 */
export function fullId(journal: { runs(): readonly { readonly id: string }[] }, id: string): string {
  // A whole id is the beginning of no other.
  if (id.length === ID_LENGTH) return id.toUpperCase()
  const found = [...new Set(journal.runs().map(run => run.id))].filter(each => each.startsWith(id.toUpperCase()))
  if (found.length > 1)
    throw new CloudburstError('CB_RUN_UNKNOWN', `${id} is the beginning of ${found.length} goals' ids: type more of it`, { id })
  return found[0] ?? id
}
