import { CloudburstError } from '../../errors.ts'
import { planDifference } from '../../goals/render/plan-difference.ts'
import type { Invocation } from '../arguments.ts'
import { showOne } from '../output.ts'
import { readPlan } from '../saved-plan.ts'

/** Compares two saved plans. Exit 1 when they differ, as diff has it. */
export async function diffPlans(invocation: Invocation): Promise<number> {
  const [, before, after, more] = invocation.words
  if (before === undefined || after === undefined || more !== undefined)
    throw new CloudburstError('CB_USAGE', 'plan diff takes two saved plans', { command: 'plan' })
  const lines = planDifference(readPlan(before).plan, readPlan(after).plan)
  await showOne(invocation, { differences: lines }, lines.length === 0 ? 'same' : 'different', () => lines)
  return lines.length === 0 ? 0 : 1
}
