import type { GoalEvent } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { begunSteps, namedStep } from '../../goals/render/step-names.ts'
import { whyStep } from '../../goals/render/why.ts'
import type { Invocation } from '../arguments.ts'
import { colours } from '../io.ts'
import { showOne } from '../output.ts'
import { eventsOf } from '../run-events.ts'
import { findRun } from '../run-ids.ts'
import { openSession } from '../session.ts'

/** Why a step ran, ran again or was kept. */
export async function run(invocation: Invocation): Promise<number> {
  const [prefix, named, more] = invocation.words
  if (prefix === undefined || named === undefined || more !== undefined)
    throw new CloudburstError('CB_USAGE', 'why takes the id of a goal and a step of it', { command: 'why' })
  const { agency, by, close } = await openSession(invocation)
  try {
    const { id } = await findRun(agency, by, prefix)
    const events = await eventsOf(agency, by, id)
    const step = namedStep(id, named, begunSteps(events), 'why')
    const own = events.filter(event => isAbout(event, step))
    await showOne(invocation, own, step, () => [
      step,
      ...whyStep(events, step, { colour: colours(invocation.io.stdout, invocation.io.env) })
    ])
    return 0
  } finally {
    await close()
  }
}

function isAbout({ body }: GoalEvent, step: string): boolean {
  return body.type === 'repaired' || ((body.type === 'step-began' || body.type === 'step-ended') && body.step === step)
}
