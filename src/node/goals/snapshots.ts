/**
 * Goals that begin where another one was: at a `<snapshot>` of its program. The events up to there are taken over as they are,
 * so that what was done is kept, or done again, by the same rules as after a repair.
 */
import { CloudburstError } from '../../errors.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { GoalEvent, GoalEventBody } from '../../goals/pursuit/events.ts'
import type { NodeJournal } from '../store/journal.ts'

type Proposed = Extract<GoalEventBody, { type: 'proposed' }>
export type Beginning = NonNullable<Proposed['from']>

/** What is asked for: the id of a goal of this node, and the name of a snapshot that it has reached; absent: the last one. */
export interface SnapshotAsked {
  readonly id: string
  readonly snapshot?: string
}

/**
 * @param goal whose steps are to be kept
 * @throws CloudburstError CB_RUN_UNKNOWN, CB_RUN_COMPACTED, CB_VALUE_INVALID when the run is one of another goal or has not reached it
 */
export async function beginningAt(journal: NodeJournal, goal: string, { id, snapshot }: SnapshotAsked): Promise<Beginning> {
  const run = journal.find(id)
  if (run === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `there is no goal ${id} here`, { id })
  if (run.mirrored)
    throw new CloudburstError('CB_VALUE_INVALID', `goal ${id} is pursued elsewhere: name its snapshots there, with --peer`, { id })
  const events = await journal.read(id)
  const first = events[0]?.body
  if (first?.type !== 'proposed' || first.goal !== goal)
    throw new CloudburstError('CB_VALUE_INVALID', `goal ${id} is no ${goal}, so its snapshots are of no use to one`, { id })
  const reached = reachedIn(events)
  const wanted = snapshot ?? [...reached.keys()].at(-1)
  const seq = wanted === undefined ? undefined : reached.get(wanted)
  if (wanted !== undefined && seq !== undefined) return { run: id, snapshot: wanted, seq }
  const has = reached.size === 0 ? 'has reached no snapshot' : `has reached ${[...reached.keys()].join(', ')}`
  const near = snapshot === undefined ? '' : didYouMean(snapshot, reached.keys())
  throw new CloudburstError('CB_VALUE_INVALID', `goal ${id} ${has}${snapshot === undefined ? '' : `, not ${snapshot}`}${near}`, { id })
}

/**
 * Takes over what is missing of the events that a goal begins with; a crash in between is made good by the next call.
 * @returns all events of the goal now
 */
export async function begun(journal: NodeJournal, id: string, events: readonly GoalEvent[]): Promise<readonly GoalEvent[]> {
  const proposed = events[0]?.body
  if (proposed?.type !== 'proposed' || proposed.from === undefined) return events
  const { run, snapshot, seq } = proposed.from
  const before = seq + 1
  if (events.length >= before) return events
  const taken = (await journal.read(run)).slice(1, seq).map(({ body }) => body)
  const why = `begins at snapshot ${snapshot} of goal ${run}`
  const { by, assignments } = proposed
  const bodies: readonly GoalEventBody[] = [...taken, { type: 'repaired', by, verb: 'retry', assignments, why }]
  await journal.takeOver(id, bodies.slice(events.length - 1))
  return await journal.read(id)
}

/** Name of each snapshot whose step was done, in order, with the number of the event that says so. */
function reachedIn(events: readonly GoalEvent[]): ReadonlyMap<string, number> {
  const names = new Map<string, string>()
  const reached = new Map<string, number>()
  for (const { seq, body } of events) {
    if (body.type === 'step-began' && body.kind === 'snapshot') names.set(body.step, body.show.replace(/^snapshot /, ''))
    const name = body.type === 'step-ended' && body.status === 'completed' ? names.get(body.step) : undefined
    if (name === undefined) continue
    reached.delete(name)
    reached.set(name, seq)
  }
  return reached
}
