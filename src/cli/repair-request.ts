/** Words of `repair` → what the agency is asked. */
import type { Agency, Principal, RepairRequest, RunInfo, StepDecision } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import { loadedProgram } from './goal-request.ts'

/**
 * The repair that the options describe, its program loaded first when `--program` names a file.
 * @throws CloudburstError CB_USAGE
 */
export async function repairRequest(invocation: Invocation, run: RunInfo, agency: Agency, by: Principal): Promise<RepairRequest> {
  const { why, method, program } = invocation.options
  const decisions = decisionsOf(invocation)
  if (decisions.some(({ verdict }) => verdict === 'skip') && why === undefined)
    throw new CloudburstError('CB_USAGE', '--skip needs a reason that others can read later: --why TEXT', { command: 'repair' })
  const seq = seqOf(invocation)
  return {
    id: run.id,
    assignments: invocation.assignments,
    ...(decisions.length === 0 ? {} : { decisions }),
    ...(method === undefined ? {} : { method }),
    ...(program === undefined ? {} : { program: await loadedProgram(program, agency, by, invocation.io) }),
    ...(why === undefined ? {} : { why }),
    ...(seq === undefined ? {} : { seq })
  }
}

function decisionsOf({ options }: Invocation): readonly StepDecision[] {
  const all = (verdict: StepDecision['verdict'], steps: readonly string[] | undefined): StepDecision[] =>
    (steps ?? []).map(step => ({ step, verdict }))
  return [
    ...all('skip', options.skip),
    ...all('done', options.done),
    ...all('again', options.again),
    ...all('from', options.from === undefined ? [] : [options.from])
  ]
}

function seqOf({ options }: Invocation): number | undefined {
  if (options.seq === undefined) return undefined
  const seq = Number(options.seq)
  if (Number.isInteger(seq) && seq > 0) return seq
  throw new CloudburstError('CB_USAGE', '--seq takes the number of an event', { command: 'repair' })
}
