/** The part of a plan up to one step: `--target`. */
import { CloudburstError } from '../../errors.ts'
import { didYouMean } from '../program/did-you-mean.ts'
import { basisOfNodes } from './basis.ts'
import { summaryOf } from './make-plan.ts'
import type { Plan, PlanNode } from './plan.ts'

/**
 * The same plan up to and with the step or goal that `text` names: its id, or the end of it where only one has that. All that
 * comes before it stays: steps rest on one another in ways that no variable shows.
 * @throws CloudburstError CB_USAGE when there is none, or more than one
 */
export function upTo(plan: Plan, text: string): { readonly plan: Plan; readonly target: string } {
  const target = named(plan, text)
  const inside = new Set([target])
  let end = 0
  plan.nodes.forEach(({ id, parent }, at) => {
    if (parent !== undefined && inside.has(parent)) inside.add(id)
    if (inside.has(id)) end = at
  })
  const nodes = plan.nodes.slice(0, end + 1)
  // What could not be planned comes after it.
  return { plan: { ...plan, nodes, summary: summaryOf(nodes), basis: { ...plan.basis, ...basisOfNodes(nodes) }, problems: [] }, target }
}

function named({ nodes, goal, problems }: Plan, text: string): string {
  if (nodes.some(({ id }) => id === text)) return text
  const [only, second] = nodes.filter(({ id }) => id.endsWith(`/${text}`) || id.endsWith(`>${text}`))
  if (only !== undefined && second === undefined) return only.id
  const details = { goal, command: 'plan' }
  if (only !== undefined && second !== undefined)
    throw new CloudburstError('CB_USAGE', `the plan of ${goal} has more than one step ${text}: ${only.id}, ${second.id}`, details)
  const problem = problems[0] === undefined ? '' : `; it ends early: ${problems[0].message}`
  const near = didYouMean(text, nodes.flatMap(namesOf))
  throw new CloudburstError('CB_USAGE', `the plan of ${goal} has no step or goal ${text}${near}${problem}`, details)
}

function namesOf({ id }: PlanNode): string[] {
  return [id, id.slice(id.lastIndexOf('/') + 1), id.slice(id.lastIndexOf('>') + 1)]
}
