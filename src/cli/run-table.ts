/** Goals as a table. */
import type { RunInfo } from '../node/control/contract.ts'
import { ageOf, type Table } from './output.ts'

export const runTable: Table<RunInfo> = {
  columns: [
    { title: 'ID', of: run => run.id },
    { title: 'GOAL', of: run => run.goal },
    { title: 'ON', of: run => run.on ?? 'here' },
    { title: 'STATUS', of: run => run.status },
    { title: 'DONE', of: run => run.steps.done },
    { title: 'FAILED', of: run => run.steps.failed },
    { title: 'AGE', of: run => ageOf(run.createdAt) },
    { title: 'WHY', of: run => run.suspended?.reason },
    { title: 'PROGRAM', of: run => `${run.program.name}@${run.program.hash.slice(0, 8)}`, wide: true },
    { title: 'AGENT', of: run => run.agent, wide: true },
    { title: 'BY', of: run => run.by.email ?? run.by.node, wide: true },
    {
      title: 'VALUES',
      of: run => run.assignments.map(({ path, value }) => (typeof value === 'string' ? `${path}=${value}` : path)).join(' '),
      wide: true
    }
  ],
  name: run => run.id,
  empty: 'no goals; cloudburst pursue GOAL or cloudburst dispatch GOAL --peer PEER begins one'
}
