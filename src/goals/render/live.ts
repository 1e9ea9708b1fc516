/** What is being pursued right now, as a tree: for a terminal that is drawn again and again. */
import { oneLine } from './escape.ts'
import { isBelow } from './instances.ts'
import { textOf } from './step-lines.ts'
import type { Story } from './story.ts'
import { duration } from './words.ts'

/** Most lines of the tree: more would push what has happened off a small terminal. */
const LINES_MAX = 12

interface Row {
  readonly instance: string
  readonly text: string
  readonly at: number
  readonly isStep: boolean
}

/** Lines `mark time  text`, indented by depth; empty while nothing is pursued. */
export function liveTree(story: Story, now: number): readonly string[] {
  const { entered, open, counts, since, worked } = story
  if (since === undefined) return []
  const goals: Row[] = [...entered].flatMap(([instance, { goal, method, describe, at, isOpen }]) => {
    const how = method === undefined ? '' : ` by ${oneLine(method.method)}`
    return isOpen
      ? [{ instance, text: `${oneLine(goal)}${how}${describe === undefined ? '' : `: ${oneLine(describe)}`}`, at, isStep: false }]
      : []
  })
  if (goals.length === 0 && open.size === 0) return []
  const steps: Row[] = [...open.values()].map(step => ({ instance: step.began.instance, text: textOf(step), at: step.at, isStep: true }))
  const rows = inTreeOrder(goals, steps).map(({ row, depth }) => {
    const mark = row.isStep ? '…' : '>'
    return `  ${mark} ${duration(Math.max(0, now - row.at)).padStart(9)}  ${'  '.repeat(depth)}${row.text}`
  })
  const failed = counts.failed === 0 ? '' : `, ${counts.failed} failed`
  const progress = `  ${counts.done} done${failed}, ${open.size} running, ${duration(worked + Math.max(0, now - since))}`
  return rows.length <= LINES_MAX ? [...rows, progress] : [...rows.slice(0, LINES_MAX), `  … and ${rows.length - LINES_MAX} more`, progress]
}

/** Each goal, then what runs in it, then the sub-goals it has called. */
function inTreeOrder(goals: readonly Row[], steps: readonly Row[]): { readonly row: Row; readonly depth: number }[] {
  const parentOf = (instance: string): string | undefined =>
    goals
      .map(goal => goal.instance)
      .filter(other => other !== instance && isBelow(instance, other))
      .sort((a, b) => b.length - a.length)[0]
  const visit = (goal: Row, depth: number): { row: Row; depth: number }[] => [
    { row: goal, depth },
    ...steps.filter(step => step.instance === goal.instance).map(row => ({ row, depth: depth + 1 })),
    ...goals.filter(other => parentOf(other.instance) === goal.instance).flatMap(other => visit(other, depth + 1))
  ]
  const known = new Set(goals.map(goal => goal.instance))
  return [
    ...goals.filter(goal => parentOf(goal.instance) === undefined).flatMap(goal => visit(goal, 0)),
    ...steps.filter(step => !known.has(step.instance)).map(row => ({ row, depth: 0 }))
  ]
}
