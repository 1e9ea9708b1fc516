/** What a repair would do, in a few lines: what is kept, what runs again and why, what comes after. */
import type { Plan, PlanNode } from '../plan/plan.ts'
import { oneLine } from './escape.ts'
import { paint } from './paint.ts'
import { placeText } from './words.ts'

/** Steps beyond this many are counted, not shown: `-o json` has them all. */
const SHOWN_MAX = 12

/** The consequences of a repair, from its preview. */
export function consequences(plan: Plan, options: { readonly colour: boolean }): string[] {
  const paints = paint(options.colour)
  const steps = plan.nodes.filter(node => node.kind === 'step')
  const kept = steps.filter(node => node.mark === '=' && node.because === undefined)
  const skipped = steps.filter(node => node.mark === '=' && node.because !== undefined)
  const again = steps.filter(node => node.mark === '~')
  const later = steps.filter(node => node.mark === '+' || node.mark === '?')
  const undone = steps.filter(node => node.mark === '-')
  return [
    `${paints.quiet('kept ')} ${counted(kept.length)}`,
    ...listed(skipped, paints.quiet('skip ')),
    ...listed(again, paints.strong('again')),
    ...listed(later, paints.good('then ')),
    ...listed(undone, paints.bad('undo ')),
    ...plan.problems.map(problem => `${paints.bad('!')} ${placeText(problem.place)}: ${oneLine(problem.message)}`)
  ]
}

/** The consequences of giving a goal up: what is undone, the last first. What nothing takes back stays. */
export function undoConsequences(plan: Plan, options: { readonly colour: boolean }): string[] {
  const paints = paint(options.colour)
  const undone = plan.nodes.filter(node => node.kind === 'step' && node.mark !== '=')
  const left = plan.nodes.filter(node => node.kind === 'step' && node.step === 'remote' && node.mark === '=')
  return [
    ...(undone.length === 0 && plan.problems.length === 0 ? ['nothing that it has done is undone'] : []),
    ...listed(undone, paints.bad('undo ')),
    ...listed(left, paints.quiet('stays')),
    ...plan.problems.map(problem => `${paints.bad('!')} ${placeText(problem.place)}: ${oneLine(problem.message)}`)
  ]
}

function listed(nodes: readonly PlanNode[], title: string): string[] {
  const rows = nodes
    .slice(0, SHOWN_MAX)
    .map(node => `${title} ${labelOf(node)}${node.because === undefined ? '' : `: ${oneLine(node.because)}`}`)
  return nodes.length > SHOWN_MAX ? [...rows, `${title} … and ${counted(nodes.length - SHOWN_MAX)} more`] : rows
}

function labelOf({ describe, text, id, peer }: PlanNode): string {
  const said = describe === undefined ? oneLine(text, 80) : oneLine(describe, 80)
  return `${said} (${oneLine(id, 80)})${peer === undefined ? '' : ` @${oneLine(peer)}`}`
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'step' : 'steps'}`
}
