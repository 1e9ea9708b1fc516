/** A plan as text. */
import type { Plan, PlanMark, PlanNode } from '../plan/plan.ts'
import { escapeTerminal, oneLine } from './escape.ts'
import { type Paint, paint } from './paint.ts'
import { driftText, duration, placeText, valueText } from './words.ts'

const LEGEND = '+ will do · ~ will redo · - will undo · ? possible · = already true · @peer where'

export interface PlanOptions {
  readonly colour: boolean
  /** `-g`: the configuration, and each method with its verdict. */
  readonly goals?: boolean
  /** `-e`: commands in full. */
  readonly echo?: boolean
  /** `-l`: FILE:LINE before each line. */
  readonly lines?: boolean
  /** `-v`, counted: what was looked up. */
  readonly verbose?: number
}

/** The tree of goals and steps with marks, what stands in the way, the legend and one line of counts. */
export function planText(plan: Plan, options: PlanOptions): string[] {
  const paints = paint(options.colour)
  const depths = depthsOf(plan.nodes)
  const rows = plan.nodes.flatMap(node => {
    const depth = depths.get(node.id) ?? 0
    const row = [nodeRow(node, depth, paints), ...detailRows(node, depth, paints), ...moreRows(node, depth, paints, options)]
    return options.lines ? row.map(line => `${oneLine(node.place.file)}:${node.place.line}: ${line}`) : row
  })
  const problems = plan.problems.map(problem => `${paints.bad('!')} ${placeText(problem.place)}: ${oneLine(problem.message)}`)
  const { do: toDo, redo, undo, possible, alreadyTrue } = plan.summary
  return [
    `plan of ${paints.strong(oneLine(plan.goal))} (${oneLine(plan.program.name)}@${plan.program.hash.slice(0, 8)})`,
    ...(options.goals ? variableRows(plan) : []),
    ...rows,
    ...problems,
    ...driftRows(plan, paints),
    paints.quiet(LEGEND),
    `plan: ${toDo} to do, ${redo} to redo, ${undo} to undo, ${possible} possible, ${alreadyTrue} already true`,
    ...estimateRows(plan)
  ]
}

/** One line `PLAN  <command>` a step that would run, its prefix before it. */
export function planLines(plan: Plan): string[] {
  const steps = plan.nodes.filter(node => node.kind === 'step' && node.mark !== '=')
  return steps.flatMap(node =>
    escapeTerminal(node.text)
      .split('\n')
      .map(line => `PLAN  ${line}`)
  )
}

/** Whether pursuing would do anything: what `--detailed-exitcode` tells. */
export function hasChanges(plan: Plan): boolean {
  return plan.nodes.some(node => node.kind === 'step' && node.mark !== '=')
}

function nodeRow(node: PlanNode, depth: number, paints: Paint): string {
  const where = node.peer === undefined ? '' : ` @${oneLine(node.peer)}`
  const method = node.kind === 'goal' && node.method !== undefined ? ` by ${oneLine(node.method)}` : ''
  const there = thereText(node)
  const said = node.describe === undefined ? '' : `  # ${oneLine(node.describe)}`
  const why = node.because === undefined ? '' : `  (${oneLine(node.because)})`
  // A sub-goal elsewhere is `part on web1` where there is no other place for that.
  const own = node.peer !== undefined && node.text.endsWith(` on ${node.peer}`) ? node.text.slice(0, -` on ${node.peer}`.length) : node.text
  const text = node.kind === 'goal' ? paints.strong(`${oneLine(node.text)}`) + method : oneLine(own)
  return `${'  '.repeat(depth)}${marked(node.mark, paints)} ${text}${where}${there === '' ? '' : paints.bad(there)}${paints.quiet(said + why)}`
}

/** Why a sub-goal would not be taken by its node, as things are now. */
function thereText({ there, peer }: PlanNode): string {
  if (there === undefined) return ''
  const why = there.problem === undefined ? '' : `: ${oneLine(there.problem)}`
  if (!there.reachable) return ` (cannot be reached now${why})`
  if (there.permitted === false) return ` (not permitted there${why})`
  if (there.program === 'missing') return ` (${oneLine(peer ?? 'it')} has not got the program${why})`
  return ''
}

/** How long it would take. */
function estimateRows({ estimate }: Plan): string[] {
  if (estimate === undefined) return []
  const { leastMs, mostMs, known, steps } = estimate
  const [least, most] = [duration(leastMs), duration(mostMs)]
  const range = least === most ? `about ${least}` : `${least} to ${most}`
  const of = known === steps ? '' : ` for ${known} of ${steps} steps; nothing is known of the others`
  return [`estimate: ${range}, by earlier runs${of}`]
}

/** What was reached once and is no longer true. */
function driftRows({ drift }: Plan, paints: Paint): string[] {
  if (drift === undefined) return []
  const rows = drift.drifted.map(({ now, goal, instance, because, place, run, at, peer }) => {
    const where = peer === undefined ? '' : ` @${oneLine(peer)}`
    const when = paints.quiet(`  (goal ${run}, ${new Date(at).toISOString().slice(0, 16)}Z)`)
    return `${paints.warn(now === 'false' ? '!' : '?')} ${oneLine(goal)} ${oneLine(instance)}${where}: ${oneLine(because)} ${placeText(place)}${when}`
  })
  return [...rows, driftText({ checked: drift.checked, drifted: drift.drifted.length })]
}

function variableRows({ variables }: Plan): string[] {
  return Object.entries(variables).map(([name, value]) => `  goal.${oneLine(name)} = ${valueText(value)}`)
}

/** What the options ask for besides the row of a node. */
function moreRows({ kind, text, candidates = [], reads, there }: PlanNode, depth: number, paints: Paint, options: PlanOptions): string[] {
  const rows: string[] = []
  const { echo, goals, verbose = 0 } = options
  if (kind === 'step' && echo && text.includes('\n'))
    rows.push(
      ...escapeTerminal(text)
        .split('\n')
        .map(line => `$ ${line}`)
    )
  if (verbose > 0 && there?.reachable === true)
    rows.push(`reachable${there.permitted === true ? ', permitted' : ''}${there.program === undefined ? '' : `, program ${there.program}`}`)
  if (kind === 'step' && verbose > 0 && reads.length > 0) rows.push(`reads ${reads.map(path => oneLine(path)).join(', ')}`)
  for (const { method, verdict, reason, grounds } of candidates) {
    if (goals) rows.push(`method ${oneLine(method)} ${verdict}${reason === undefined ? '' : `: ${oneLine(reason)}`}`)
    if (verbose === 0 || grounds === undefined) continue
    rows.push(...Object.entries(grounds.reads).map(([path, value]) => `  ${oneLine(path)} = ${oneLine(value, 80)}`))
    rows.push(...grounds.reasons.map(why => `  because ${oneLine(why)}`))
  }
  return rows.map(row => paints.quiet(`${'  '.repeat(depth + 2)}${row}`))
}

function detailRows({ detail }: PlanNode, depth: number, paints: Paint): string[] {
  if (detail === undefined) return []
  return escapeTerminal(detail)
    .split('\n')
    .map(line => paints.quiet(`${'  '.repeat(depth + 2)}| ${line}`))
}

function marked(mark: PlanMark, paints: Paint): string {
  switch (mark) {
    case '+':
      return paints.good(mark)
    case '~':
    case '?':
      return paints.warn(mark)
    case '-':
      return paints.bad(mark)
    case '=':
      return paints.quiet(mark)
  }
}

function depthsOf(nodes: readonly PlanNode[]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  for (const node of nodes) depths.set(node.id, node.parent === undefined ? 0 : (depths.get(node.parent) ?? -1) + 1)
  return depths
}
