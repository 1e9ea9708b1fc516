/** Ids of goals as people type them: a unique prefix is enough. */
import type { Agency, Principal, RunInfo } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'

const ULID_LENGTH = 26

/**
 * The goal whose id begins with `prefix`.
 * @throws CloudburstError CB_RUN_UNKNOWN when there is none; CB_USAGE when there are several
 */
export async function findRun(agency: Agency, by: Principal, prefix: string): Promise<RunInfo> {
  const wanted = prefix.toUpperCase()
  if (wanted.length >= ULID_LENGTH) return await agency.call('goal', { id: wanted }, by)
  const found = (await agency.call('goals', {}, by)).filter(run => run.id.toUpperCase().startsWith(wanted))
  const [only, other] = found
  if (only === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `there is no goal ${prefix}`, { id: prefix })
  if (other === undefined) return await agency.call('goal', { id: only.id }, by)
  throw new CloudburstError(
    'CB_USAGE',
    `${found.length} goals begin with ${prefix}: ${found
      .slice(0, 5)
      .map(run => run.id)
      .join(', ')}`
  )
}
