/** Bringing goals to rest: at the next step, or at once. */
import type { Clock, Driver } from '../../goals/ports.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { StepInFlight } from '../../protocols/agency/calls.ts'
import type { Driving } from './driving.ts'
import type { NodeJournal } from '../store/journal.ts'

/** How long a person waits for an answer, in milliseconds; a step that takes longer is named in it instead. */
export const QUIESCE_WITHIN_MS = 800

export interface Quiescing {
  readonly journal: Pick<NodeJournal, 'read'>
  readonly driver: Pick<Driver, 'stop'>
  readonly driving: Pick<Driving, 'halt' | 'leave' | 'isDriven'>
  readonly clock: Clock
}

/**
 * Asks goals to rest at the next step.
 * @param why what their suspensions say
 * @param now ends the steps that run; resolves when all goals rest
 * @returns steps that go on: the goals rest once these have ended. Within {@link QUIESCE_WITHIN_MS}, unless `now`
 */
export async function quiesce(
  { journal, driver, driving, clock }: Quiescing,
  ids: readonly string[],
  why: string,
  now = false
): Promise<readonly StepInFlight[]> {
  const resting = Promise.all(ids.map(id => driving.halt(id, why)))
  if (now) {
    for (const id of ids) void driving.leave(id)
    await Promise.all(ids.map(async id => await stopSteps(driver, id, await journal.read(id))))
    await resting
    return []
  }
  const answered = new AbortController()
  await Promise.race([resting, clock.sleep(QUIESCE_WITHIN_MS, answered.signal).catch(() => undefined)])
  answered.abort()
  const busy = ids.filter(id => driving.isDriven(id))
  const open = await Promise.all(
    busy.map(async id => openSteps(await journal.read(id)).map(({ step, show }) => ({ goal: id, step, show })))
  )
  return open.flat()
}

/** Ends the process groups of the steps of a goal that run. */
export async function stopSteps(driver: Pick<Driver, 'stop'>, goalId: string, events: readonly GoalEvent[]): Promise<void> {
  for (const { step, attempt } of openSteps(events)) await driver.stop({ goalId, step, attempt })
}

/** Steps with an intent and no outcome. */
function openSteps(events: readonly GoalEvent[]): readonly { readonly step: string; readonly attempt: number; readonly show: string }[] {
  const open = new Map<string, { step: string; attempt: number; show: string }>()
  for (const { body } of events) {
    if (body.type === 'step-began') open.set(body.step, { step: body.step, attempt: body.attempt, show: body.show })
    else if (body.type === 'step-ended') open.delete(body.step)
  }
  return [...open.values()]
}
