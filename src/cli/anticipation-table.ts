/** What sending a goal to several nodes would meet, as a table. */
import type { Anticipated } from '../node/control/contract.ts'
import { errors } from '../errors.ts'
import type { Table } from './output.ts'

export const anticipationTable: Table<Anticipated> = {
  columns: [
    { title: 'NODE', of: ({ node }) => node },
    { title: 'REACHABLE', of: ({ reachable }) => (reachable ? 'yes' : 'no') },
    { title: 'PERMITTED', of: ({ permitted }) => (permitted === undefined ? undefined : permitted ? 'yes' : 'no') },
    { title: 'PROGRAM', of: ({ program }) => program },
    { title: 'DO', of: ({ would }) => would?.do },
    { title: 'POSSIBLE', of: ({ would }) => would?.possible },
    { title: 'TRUE', of: ({ would }) => would?.alreadyTrue },
    { title: 'WHY NOT', of: ({ problem }) => problem }
  ],
  name: ({ node }) => node,
  empty: 'no peers'
}

/** Exit status: that of the first thing that would go wrong. */
export function notAsPlanned(all: readonly Anticipated[]): number {
  if (all.some(({ permitted }) => permitted === false)) return errors.CB_DENIED.exit
  if (all.some(({ reachable }) => !reachable)) return errors.CB_PEER_UNREACHABLE.exit
  return all.some(({ problem }) => problem !== undefined) ? errors.CB_CONFIG_INCOMPLETE.exit : 0
}
