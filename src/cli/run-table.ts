/** Goals as a table. */
import type { RunInfo } from '../node/control/contract.ts'
import type { Caused } from '../goals/render/cause.ts'
import { ageOf, type Table } from './output.ts'

export const runTable: Table<RunInfo> = {
  columns: [
    { title: 'ID', of: run => run.id },
    { title: 'GOAL', of: run => run.goal },
    { title: 'ON', of: run => run.on ?? 'here' },
    { title: 'STATUS', of: statusOf },
    { title: 'DONE', of: run => run.steps.done },
    { title: 'FAILED', of: run => run.steps.failed },
    { title: 'AGE', of: run => ageOf(run.createdAt) },
    { title: 'WHY', of: run => run.suspended?.reason ?? run.toRest ?? run.dispatch?.why ?? run.waitsFor?.join('; ') },
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

/** Its status; of a goal that was sent away, what is known of it here instead when its events do not tell. */
export function statusOf({ status, dispatch }: RunInfo): string {
  if (dispatch === undefined || dispatch.state === 'accepted') return status
  return dispatch.state === 'in-doubt' ? 'in doubt' : dispatch.state
}

/** Goals that wait for repair, with what waits for them. */
export const suspendedTable: Table<RunInfo> = {
  columns: [
    { title: 'ID', of: run => run.id },
    { title: 'GOAL', of: run => run.goal },
    { title: 'ON', of: run => run.on ?? 'here' },
    { title: 'WAITS', of: run => ageOf(run.updatedAt) },
    { title: 'FOR IT', of: run => waitingFor(run) },
    { title: 'DONE', of: run => run.steps.done },
    { title: 'WHY', of: run => run.suspended?.reason },
    ...runTable.columns.filter(column => column.wide)
  ],
  name: run => run.id,
  empty: 'no goal waits for repair'
}

/** Suspended goals by what went wrong. `-o name` gives the ids that `repair --where cause=…` takes. */
export const causeTable: Table<Caused<RunInfo>> = {
  columns: [
    { title: 'CAUSE', of: ({ cause }) => cause.id },
    { title: 'GOALS', of: ({ runs }) => runs.length },
    { title: 'WAITS', of: ({ runs }) => ageOf(runs[0]?.updatedAt ?? 0) },
    { title: 'STEP', of: ({ cause }) => cause.step ?? cause.code },
    { title: 'ENDED', of: ({ cause }) => cause.exit },
    { title: 'LAST LINE', of: ({ cause }) => cause.last },
    { title: 'IDS', of: ({ runs }) => runs.map(run => run.id).join(' '), wide: true }
  ],
  name: ({ cause }) => cause.id,
  empty: suspendedTable.empty
}

/** The goal that goes on once this one is done: `product (01JD…)`. */
export function waitingFor({ chain }: RunInfo): string | undefined {
  const parent = chain?.at(-1)
  const cut = parent?.indexOf(':') ?? -1
  return parent === undefined ? undefined : `${parent.slice(cut + 1)} (${parent.slice(0, Math.max(0, cut))})`
}
