/** What one plan has that another has not, as text. */
import type { Plan, PlanNode } from '../plan/plan.ts'
import { moved } from '../plan/basis.ts'
import { oneLine } from './escape.ts'
import { placeText } from './words.ts'

/** Lines of a table that nobody would read further. */
const LINES_MAX = 2_000

/** `+` only in `b`, `-` only in `a`, `~` in both but otherwise; empty when they would do the same for the same reasons. */
export function planDifference(a: Plan, b: Plan): string[] {
  const before = new Map(a.nodes.map(node => [node.id, node]))
  const after = new Set(b.nodes.map(({ id }) => id))
  const lines = [
    ...b.nodes.flatMap(node => changeOf(before.get(node.id), node)),
    ...a.nodes.filter(({ id }) => !after.has(id)).map(node => `- ${shown(node)}`),
    ...moved(a.basis, b.basis)
      .filter(name => name !== 'what would be done')
      .map(name => `~ ${oneLine(name)} is another`)
  ]
  return lines.length <= LINES_MAX ? lines : [...lines.slice(0, LINES_MAX), `and ${lines.length - LINES_MAX} lines more`]
}

function changeOf(before: PlanNode | undefined, node: PlanNode): string[] {
  if (before === undefined) return [`+ ${shown(node)}`]
  const changes = [
    ...(before.mark === node.mark ? [] : [`${before.mark} became ${node.mark}`]),
    ...(before.text === node.text ? [] : [`was ${oneLine(before.text)}`]),
    ...(before.method === node.method ? [] : [`by ${before.method ?? 'none'} before`]),
    ...(before.peer === node.peer ? [] : [`@${oneLine(before.peer ?? 'here')} before`])
  ]
  return changes.length === 0 ? [] : [`~ ${shown(node)}: ${changes.join(', ')}`]
}

function shown({ text, peer, place }: PlanNode): string {
  return `${oneLine(text)}${peer === undefined ? '' : ` @${oneLine(peer)}`} (${placeText(place)})`
}
