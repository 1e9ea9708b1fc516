/** Lines of goals and methods: entered, chosen, left, suspended. */
import type { Candidate, Grounds, Principal } from '../pursuit/events.ts'
import type { Suspension } from '../pursuit/summary.ts'
import { escapeTerminal, oneLine } from './escape.ts'
import { suspensionReport } from './report.ts'
import { stateOf } from '../config/config.ts'
import { passedOver } from './step-lines.ts'
import { narrated, type Of, placed, type Story, totals } from './story.ts'
import { driftText, valueText } from './words.ts'

export function proposed(story: Story, body: Of<'proposed'>, id: string): string[] {
  const { paints } = story
  if (body.checks !== undefined) story.drift = { checked: 0, drifted: 0 }
  const program = paints.quiet(`(${oneLine(body.program.name)}@${body.program.hash.slice(0, 8)})`)
  return [`${paints.strong(oneLine(body.goal))} ${program} ${id}`]
}

export function configured({ options }: Story, body: Of<'configured'>): string[] {
  if (!options.goals) return []
  return Object.entries(body.variables).map(([name, value]) => {
    const source = body.sources[`goal.${name}`] ?? body.sources[name]
    return `  goal.${oneLine(name)} = ${valueText(value)}   # ${stateOf(value)}${source === undefined ? '' : `, ${oneLine(source)}`}`
  })
}

export function started(story: Story, body: Of<'started'>): string[] {
  story.failure = undefined
  if (body.cause === 'first' || story.stepping) return []
  return [story.paints.quiet(body.cause === 'restart' ? 'goes on after a restart of the daemon' : 'goes on')]
}

export function goalBegan(story: Story, body: Of<'goal-began'>, at: number): string[] {
  story.entered.set(body.instance, { goal: body.goal, describe: body.describe, at, isOpen: true, debug: body.debug === true })
  const lines = story.options.narrate ? [placed(story, body.place, narrated('BEGIN', body.goal, body.describe))] : []
  if (!story.options.goals) return lines
  const values = Object.entries(body.arguments ?? {}).map(([name, value]) => ` ${oneLine(name)}=${valueText(value)}`)
  return [...lines, placed(story, body.place, `goal ${oneLine(body.goal)}${values.join('')}`)]
}

export function goalEnded(story: Story, body: Of<'goal-ended'>): string[] {
  const { options, paints } = story
  const known = story.entered.get(body.instance)
  if (known !== undefined) known.isOpen = false
  const debug = known?.debug === true
  const lines: string[] = groundLines(story, body.grounds, debug)
  if ((options.goals || debug) && body.candidates !== undefined)
    lines.push(...body.candidates.flatMap(each => candidateLines(story, each, debug)))
  if (options.narrate && known !== undefined) {
    const { method } = known
    if (method !== undefined) lines.push(placed(story, method.place, narrated('END', method.method, method.describe)))
    lines.push(narrated('END', known.goal, known.describe))
  }
  const why = body.reason === undefined ? '' : `: ${oneLine(body.reason)}`
  if (story.drift !== undefined) {
    story.drift.checked += 1
    if (body.outcome === 'failed') {
      story.drift.drifted += 1
      return [...lines, `${paints.warn('!')} ${oneLine(known?.goal ?? '')} ${oneLine(body.instance)}${why}`]
    }
  }
  if (!options.goals && body.outcome !== 'already-true') return lines
  return [
    ...lines,
    `  ${paints.quiet('=')}                ${oneLine(known?.goal ?? body.instance)} ${body.outcome.replace('-', ' ')}${why}`
  ]
}

export function methodChosen(story: Story, body: Of<'method-chosen'>): string[] {
  story.candidates = body.candidates
  const known = story.entered.get(body.instance)
  if (known !== undefined) known.method = body
  const debug = body.debug === true
  const lines = [...passedOver(story), ...groundLines(story, body.grounds, debug)]
  if (story.options.goals || debug) {
    const told = body.candidates.flatMap(each => candidateLines(story, each, debug))
    lines.push(...told.map(line => placed(story, body.place, line)))
  }
  if (story.options.narrate) lines.push(placed(story, body.place, narrated('BEGIN', body.method, body.describe)))
  return lines
}

/** A method with its verdict; with `-v` also what its guards looked up. */
function candidateLines(story: Story, { method, verdict, reason, grounds }: Candidate, debug = false): string[] {
  const why = reason === undefined ? '' : `: ${oneLine(reason)}`
  return [`  method ${oneLine(method)} ${verdict}${why}`, ...groundLines(story, grounds, debug)]
}

/** `-v`, and where the program says debug: the reasons of a decision, and what was looked up for it. */
function groundLines({ options, paints }: Story, grounds: Grounds | undefined, debug = false): string[] {
  if ((options.verbose === 0 && !debug) || grounds === undefined) return []
  const reads = Object.entries(grounds.reads).map(([path, value]) => `    ${oneLine(path)} = ${oneLine(value, 80)}`)
  return [...reads, ...grounds.reasons.map(reason => `    because ${oneLine(reason)}`)].map(line => paints.quiet(line))
}

export function methodFailed({ options }: Story, body: Of<'method-failed'>): string[] {
  return options.goals ? [`  method ${oneLine(body.method)} failed: ${oneLine(body.reason)}`] : []
}

export function blockEnded({ options }: Story, { block, outcome }: Of<'block-ended'>): string[] {
  return options.goals && outcome === 'timed-out' ? [`  block ${oneLine(block)} timed out`] : []
}

export function suspended(story: Story, body: Of<'suspended'>, id: string, at: number): string[] {
  const { options, paints, failure } = story
  const step = body.step === undefined || failure?.step === body.step ? failure : undefined
  story.failure = undefined
  const { candidates, kept } = story
  story.stepping = body.code === 'stepping'
  if (story.stepping) {
    totals(story, at)
    return waitsBefore(story, body)
  }
  const suspension: Suspension = {
    code: body.code,
    reason: body.reason,
    candidates,
    kept,
    values: body.values ?? {},
    ...(step === undefined ? {} : { step })
  }
  return [
    '',
    ...suspensionReport(suspension, { id, colour: options.colour, suffix: options.suffix }),
    '',
    `${paints.bad('suspended')}: ${totals(story, at)}`
  ]
}

/** The step that a person is asked about. */
function waitsBefore({ paints }: Story, body: Of<'suspended'>): string[] {
  const values = Object.entries(body.values ?? {}).map(([path, value]) => paints.quiet(`       ${oneLine(path)} = ${valueText(value)}`))
  const shown = escapeTerminal(body.reason).trim().split('\n')
  return [...shown.map((line, at) => `${at === 0 ? paints.warn('next') : '    '}   ${line}`), ...values]
}

export function repaired(story: Story, body: Of<'repaired'>, at: number): string[] {
  story.since = at
  if (body.verb !== 'retry' && body.verb !== 'resume' && body.assignments.length === 0)
    return story.options.goals ? [`  ${body.verb} by ${personOf(body.by)}${becauseOf(body.why)}`] : []
  const values = body.assignments.map(
    ({ path, value }) => ` ${oneLine(path)}=${typeof value === 'string' ? oneLine(value) : valueText(value)}`
  )
  if (body.verb === 'resume' && body.assignments.length === 0) return [`resumed by ${personOf(body.by)}${becauseOf(body.why)}`]
  return [`repaired by ${personOf(body.by)}: ${body.verb}${values.join('')}${becauseOf(body.why)}`]
}

export function completed(story: Story, body: Of<'completed'>, at: number): string[] {
  const word = body.outcome === 'completed' ? 'completed' : 'already true'
  const drift = story.drift === undefined ? [] : [driftText(story.drift)]
  return [...passedOver(story), ...drift, `${story.paints.good(word)}: ${totals(story, at)}`]
}

export function undoing({ paints }: Story, body: Of<'undoing'>): string[] {
  return [`${paints.warn('undoing')} what was done, asked for by ${personOf(body.by)}${becauseOf(body.why)}`]
}

export function cancelled(story: Story, body: Of<'cancelled'>, at: number): string[] {
  return [`${story.paints.warn('cancelled')} by ${personOf(body.by)}${becauseOf(body.why)}: ${totals(story, at)}`]
}

function personOf(by: Principal): string {
  return oneLine(by.email ?? by.node)
}

function becauseOf(why: string | undefined): string {
  return why === undefined ? '' : ` (${oneLine(why)})`
}
