/** Words of `repair` → what the agency is asked. */
import type { Agency, Principal, RepairRequest, RunInfo, StepDecision } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import type { Invocation } from './arguments.ts'
import { loadedProgram } from './goal-request.ts'

/** What is to be corrected, whichever goal it is. */
export type Correction = Omit<RepairRequest, 'id' | 'seq'>

/**
 * The repair that the options describe, its program loaded first when `--program` names a file. It is for the goal as it was
 * shown: when somebody else works on it in the meantime, it is refused.
 * @throws CloudburstError CB_USAGE
 */
export async function repairRequest(invocation: Invocation, run: RunInfo, agency: Agency, by: Principal): Promise<RepairRequest> {
  const seq = seqOf(invocation) ?? (run.status === 'suspended' ? run.seq : undefined)
  return { id: run.id, ...(await correctionOf(invocation, agency, by)), ...(seq === undefined ? {} : { seq }) }
}

/** @throws CloudburstError CB_USAGE */
export async function correctionOf(invocation: Invocation, agency: Agency, by: Principal): Promise<Correction> {
  const { why, method, program } = invocation.options
  const decisions = decisionsOf(invocation)
  if (decisions.some(({ verdict }) => verdict === 'skip') && why === undefined)
    throw new CloudburstError('CB_USAGE', '--skip needs a reason that others can read later: --why TEXT', { command: 'repair' })
  return {
    assignments: invocation.assignments,
    ...(decisions.length === 0 ? {} : { decisions }),
    ...(method === undefined ? {} : { method }),
    ...(program === undefined ? {} : { program: await loadedProgram(program, agency, by, invocation.io) }),
    ...(why === undefined ? {} : { why })
  }
}

/** Whether the words say what is to be done; else a person at a terminal is asked. */
export function saysWhat({ options, assignments }: Invocation): boolean {
  const { retry, method, program, skip, done, failed, again, from, plan, step, detach, why, seq, output } = options
  const said = [retry, method, program, skip, done, failed, again, from, plan, step, detach, why, seq, output]
  return assignments.length > 0 || said.some(each => each !== undefined)
}

function decisionsOf({ options }: Invocation): readonly StepDecision[] {
  const all = (verdict: StepDecision['verdict'], steps: readonly string[] | undefined): StepDecision[] =>
    (steps ?? []).map(step => ({ step, verdict }))
  return [
    ...all('skip', options.skip),
    ...all('done', options.done),
    ...all('failed', options.failed),
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
