/** How people name the steps of a run. */
import { CloudburstError } from '../../errors.ts'
import { didYouMean } from '../program/did-you-mean.ts'
import type { GoalEvent } from '../pursuit/events.ts'

/** The steps that were begun, each once, in the order of their first try. */
export function begunSteps(events: readonly GoalEvent[]): readonly string[] {
  return [...new Set(events.flatMap(({ body }) => (body.type === 'step-began' ? [body.step] : [])))]
}

/** The last part of a step's id, which is its name in the program: `serve` of `site/apache/serve`. */
export function ownName(step: string): string {
  return step.slice(step.lastIndexOf('/') + 1)
}

/**
 * A step by its id or, where only one has it, by the end of its id: `serve` for `site/apache/serve`.
 * @param command whose help is shown when there is none
 * @throws CloudburstError CB_USAGE
 */
export function namedStep(id: string, text: string, steps: readonly string[], command: string): string {
  if (steps.includes(text)) return text
  const [only, second] = steps.filter(step => step.endsWith(`/${text}`))
  if (only !== undefined && second === undefined) return only
  const details = { id, command }
  if (second !== undefined) throw new CloudburstError('CB_USAGE', `goal ${id} has more than one step ${text}: ${only}, ${second}`, details)
  const names = steps.flatMap(step => [step, ownName(step)])
  throw new CloudburstError('CB_USAGE', `goal ${id} has not begun a step ${text}${didYouMean(text, names)}`, details)
}
