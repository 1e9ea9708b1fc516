/** What an operator is told about a run that waits: why, where, what is kept, and what to type. */
import type { Suspension } from '../pursuit/summary.ts'
import { escapeTerminal, oneLine } from './escape.ts'
import { type Paint, paint } from './paint.ts'
import { duration, exitText, placeText, shellWord, valueText } from './words.ts'

/** Values and kept steps beyond this many are counted, not shown: `-o json` has them all. */
const SHOWN_MAX = 12

export interface ReportOptions {
  readonly id: string
  readonly colour: boolean
  /** Words that a pasted command needs to reach the run: `--peer node3`, or the files of a solo run. */
  readonly suffix: readonly string[]
}

/** The report, without a closing newline in any line. */
export function suspensionReport(suspension: Suspension, options: ReportOptions): string[] {
  const paints = paint(options.colour)
  return [
    `${paints.bad('suspended')}: ${reasonOf(suspension)}`,
    ...stepRows(suspension),
    ...instructionRows(suspension),
    ...candidateRows(suspension),
    ...keptRows(suspension),
    ...laterRows(suspension, options),
    ...valueRows(suspension),
    ...tryRows(suspension, options, paints)
  ]
}

/** Suspensions from which the goal goes on as it is, or nearly: what it would do can be planned. */
const PLANNED: ReadonlySet<Suspension['code']> = new Set([
  'step-failed',
  'timed-out',
  'in-doubt',
  'no-method',
  'post-not-true',
  'requested',
  'stopped',
  'denied'
])

/** Values and methods that are offered at most: the report says what else there is. */
const SETS_MAX = 4
const METHODS_MAX = 2

/** Commands to paste, most likely first; `…` is for the person to fill in. */
export function tryCommands(suspension: Suspension, options: ReportOptions): string[] {
  const repair = ['cloudburst repair', options.id, ...options.suffix.map(shellWord)].join(' ')
  const cancel = ['cloudburst cancel', options.id, ...options.suffix.map(shellWord)].join(' ')
  const step = suspension.step === undefined ? undefined : shellWord(suspension.step.step)
  const skip = step === undefined ? [] : [`${repair} --skip ${step} --why …`]
  const sets = settable(suspension).map(path => `${repair} --set ${shellWord(path)}=…`)
  switch (suspension.code) {
    case 'config-incomplete':
      return sets.length > 0 ? sets.slice(0, SETS_MAX) : [`${repair} --set goal.NAME=…`]
    case 'program-missing':
      return ['cloudburst load FILE', `${repair} --retry`]
    case 'stepping':
      return [`${repair} --step`, repair]
    case 'requested':
    case 'stopped':
    case 'abandoned':
      return [repair]
    case 'in-doubt':
      return [
        `${repair} --retry`,
        ...(step === undefined ? [] : [`${repair} --done ${step}`, `${repair} --failed ${step}`]),
        ...skip,
        cancel
      ]
    case 'journal-damaged':
      return [`cloudburst logs ${options.id} --replay -v`, cancel]
    default:
      return [
        ...sets.slice(0, SETS_MAX),
        `${repair} --retry`,
        ...otherMethods(suspension).map(method => `${repair} --method ${shellWord(method)}`),
        `${repair} --program FILE.xml`,
        ...skip,
        cancel
      ]
  }
}

/** Paths of values that a person can set: where a value came from before the value itself, which is its sub-goal's alone. */
function settable(suspension: Suspension): readonly string[] {
  return inOrder(suspension).filter(path => /^(goal|agent)\./.test(path) || /^[^:]*[/>][^:]*:goal\./.test(path))
}

/** By where they are, the outermost first, then by name: the same at every node, whatever way the event came. */
function inOrder({ values }: Suspension): readonly string[] {
  const depth = (path: string): number => path.slice(0, path.lastIndexOf(':') + 1).split(/[/>]/).length
  return Object.keys(values).sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
}

/** Methods that a person may want to be tried first: those that were passed over or have failed, but not the last one tried. */
function otherMethods({ candidates, step }: Suspension): readonly string[] {
  const tried = step?.step.slice(0, step.step.lastIndexOf('/')).split('/').at(-1)
  return candidates.flatMap(({ method, verdict }) => (verdict === 'selected' || method === tried ? [] : [method])).slice(0, METHODS_MAX)
}

function reasonOf(suspension: Suspension): string {
  const reason = oneLine(suspension.reason)
  return reason === '' ? suspension.code.replaceAll('-', ' ') : reason
}

function stepRows({ step }: Suspension): string[] {
  if (step === undefined) return []
  const attempt = step.attempt > 1 ? `, try ${step.attempt}` : ''
  const rows = [row('step', `${oneLine(step.step)}${attempt}`), row('at', placeText(step.place)), row('command', oneLine(step.show, 160))]
  if (step.exit !== undefined) rows.push(row('ended', `${exitText(step.exit)} after ${duration(step.durationMs)}`))
  if (step.env !== undefined) rows.push(row('env', step.env.map(name => oneLine(name)).join(' ')))
  const tail = escapeTerminal(step.tail ?? '').trimEnd()
  if (tail !== '') rows.push(...tail.split('\n').map((line, at) => row(at === 0 ? 'output' : '', `| ${line}`)))
  return rows
}

/** What the program itself says is to be done. */
function instructionRows({ instructions }: Suspension): string[] {
  if (instructions === undefined) return []
  return escapeTerminal(instructions)
    .split('\n')
    .map((line, at) => row(at === 0 ? 'to do' : '', line.trim()))
}

function candidateRows({ candidates }: Suspension): string[] {
  if (candidates.length < 2) return []
  return candidates.map(({ method, verdict, reason }, at) => {
    const why = reason === undefined ? '' : `: ${oneLine(reason)}`
    return row(at === 0 ? 'methods' : '', `${oneLine(method)} ${verdict}${why}`)
  })
}

function keptRows({ code, kept }: Suspension): string[] {
  if (kept.length === 0) return [row('kept', 'nothing was done yet')]
  const fate = kept.length === 1 ? 'it will not run again' : 'they will not run again'
  return listed('kept', [
    `${kept.length} ${kept.length === 1 ? 'step' : 'steps'} done; ${code === 'post-not-true' ? 'those of this goal run again with --retry' : fate}`,
    ...kept.map(step => `  ${oneLine(step)}`)
  ])
}

/** Steps that were not begun are known to a plan only. */
function laterRows({ code }: Suspension, { id, suffix }: ReportOptions): string[] {
  if (!PLANNED.has(code)) return []
  return [row('later', `what would run again and what comes after: cloudburst repair ${[id, ...suffix].map(shellWord).join(' ')} --plan`)]
}

function valueRows(suspension: Suspension): string[] {
  return listed(
    'values',
    inOrder(suspension).map(path => `${oneLine(path)} = ${valueText(suspension.values[path]!)}`)
  )
}

function tryRows(suspension: Suspension, options: ReportOptions, paints: Paint): string[] {
  return listed('try', tryCommands(suspension, options)).map(line => paints.strong(line))
}

function listed(title: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, SHOWN_MAX).map((line, at) => row(at === 0 ? title : '', line))
  return lines.length > SHOWN_MAX ? [...shown, row('', `… and ${lines.length - SHOWN_MAX} more`)] : shown
}

function row(title: string, text: string): string {
  return `  ${title.padEnd(9)}${text}`
}
