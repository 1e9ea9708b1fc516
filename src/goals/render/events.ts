/**
 * The event stream of a goal as lines for people. What is printed depends on the stream and the options alone,
 * so `logs --replay` prints what the terminal showed, at any verbosity. Source: docs/language.md, "What is printed".
 */
import type { GoalEvent, GoalEventBody } from '../pursuit/events.ts'
import type { StepReport, Suspension } from '../pursuit/summary.ts'
import { escapeTerminal, oneLine } from './escape.ts'
import { paint } from './paint.ts'
import { suspensionReport } from './report.ts'
import { duration, exitText, placeText, valueText } from './words.ts'

export interface RenderOptions {
  /** `-n`: `# BEGIN` and `# END` of goals, methods and described statements. */
  readonly narrate: boolean
  /** `-g`: configuration of goals, and every method with its verdict. */
  readonly goals: boolean
  /** `-e`: commands before they run, and their output. */
  readonly echo: boolean
  /** `-l`: FILE:LINE before each line; implies the three above. */
  readonly lines: boolean
  /** `-v`, counted: 1 adds the values that were read, 2 the events themselves. */
  readonly verbose: number
  readonly colour: boolean
  /** Words that a pasted repair command needs; see ReportOptions. */
  readonly suffix: readonly string[]
}

/** Nothing but steps, failures and the summary. */
export const quietest: RenderOptions = { narrate: false, goals: false, echo: false, lines: false, verbose: 0, colour: false, suffix: [] }

/** What the control API streams, as far as it is shown. */
export type RenderItem =
  | { readonly type: 'event'; readonly event: GoalEvent }
  | {
      readonly type: 'output'
      readonly step: string
      readonly attempt: number
      readonly stream: 'stdout' | 'stderr'
      readonly offset: number
      readonly text: string
    }
  | { readonly type: 'waiting'; readonly reason: string }

export interface EventRenderer {
  /** Lines that `item` adds, none of them ending in a newline. */
  next(item: RenderItem): string[]
  /** Steps that run now, for a live display: text and when it began (epoch milliseconds). */
  running(): readonly { readonly text: string; readonly at: number }[]
}

/** All lines of a whole stream. */
export function renderEvents(items: Iterable<RenderItem>, options: RenderOptions): string[] {
  const renderer = eventRenderer(options)
  return Array.from(items).flatMap(item => renderer.next(item))
}

type Of<T extends GoalEventBody['type']> = Extract<GoalEventBody, { readonly type: T }>

interface OpenStep {
  readonly began: Of<'step-began'>
  readonly at: number
  readonly held: { stdout: string; stderr: string }
}

/** Turns items into lines one by one, in the order of the stream. */
export function eventRenderer(given: RenderOptions): EventRenderer {
  const options = given.lines ? { ...given, narrate: true, goals: true, echo: true } : given
  const paints = paint(options.colour)
  const open = new Map<string, OpenStep>()
  const names = new Map<string, { goal: string; describe: string | undefined; method?: Of<'method-chosen'> }>()
  const kept: string[] = []
  const counts = { done: 0, failed: 0 }
  let candidates: Suspension['candidates'] = []
  let failure: StepReport | undefined
  let startedAt: number | undefined

  const placed = (place: { file: string; line: number; col: number }, line: string): string =>
    options.lines ? `${placeText(place).replace(/:\d+$/, '')}: ${line}` : line
  const narrated = (word: 'BEGIN' | 'END  ', name: string, text: string | undefined): string =>
    `# ${word} ${oneLine(name)}${text === undefined ? '' : ` : ${oneLine(text)}`}`

  function next(item: RenderItem): string[] {
    switch (item.type) {
      case 'waiting':
        return [paints.warn(`waiting: ${oneLine(item.reason)}`)]
      case 'output':
        return outputLines(item)
      case 'event': {
        const raw = options.verbose >= 2 ? [paints.quiet(`[${item.event.seq}] ${item.event.body.type}`)] : []
        return [...raw, ...eventLines(item.event)]
      }
    }
  }

  function outputLines(item: Extract<RenderItem, { type: 'output' }>): string[] {
    const step = open.get(item.step)
    if (!options.echo || step === undefined) return []
    const lines = (step.held[item.stream] + item.text).split('\n')
    step.held[item.stream] = lines.pop() ?? ''
    return lines.map(line => echoed(item.stream, line))
  }

  function echoed(stream: 'stdout' | 'stderr', line: string): string {
    return `  ${paints.quiet(stream === 'stdout' ? '|' : '!')} ${escapeTerminal(line)}`
  }

  function eventLines({ goalId, at, body }: GoalEvent): string[] {
    startedAt ??= at
    switch (body.type) {
      case 'proposed':
        return [
          `${paints.strong(oneLine(body.goal))} ${paints.quiet(`(${oneLine(body.program.name)}@${body.program.hash.slice(0, 8)})`)} ${goalId}`
        ]
      case 'configured':
        return options.goals
          ? Object.entries(body.variables).map(([name, value]) => `  goal.${oneLine(name)} = ${valueText(value)}${sourceOf(body, name)}`)
          : []
      case 'started':
        return startedLines(body)
      case 'goal-began':
        return goalBegan(body)
      case 'goal-ended':
        return goalEnded(body)
      case 'method-chosen':
        return methodChosen(body)
      case 'method-failed':
        return options.goals ? [`  method ${oneLine(body.method)} failed: ${oneLine(body.reason)}`] : []
      case 'step-began':
        return stepBegan(body, at)
      case 'step-ended':
        return stepEnded(body)
      case 'suspended':
        return suspendedLines(goalId, body, at)
      case 'repaired':
        return [
          `repaired by ${oneLine(body.by.email ?? body.by.node)}: ${body.verb}${body.assignments.map(({ path, value }) => ` ${oneLine(path)}=${typeof value === 'string' ? oneLine(value) : valueText(value)}`).join('')}`
        ]
      case 'completed':
        return [...passedOver(), `${paints.good(body.outcome === 'completed' ? 'completed' : 'already true')}: ${totals(at)}`]
      case 'cancelled':
        return [
          `${paints.warn('cancelled')} by ${oneLine(body.by.email ?? body.by.node)}${body.why === undefined ? '' : `: ${oneLine(body.why)}`}: ${totals(at)}`
        ]
    }
  }

  function startedLines(body: Of<'started'>): string[] {
    failure = undefined
    if (body.cause === 'first') return []
    open.clear()
    return [paints.quiet(body.cause === 'restart' ? 'goes on after a restart of the daemon' : 'goes on')]
  }

  function goalBegan(body: Of<'goal-began'>): string[] {
    names.set(body.instance, { goal: body.goal, describe: body.describe })
    const lines = options.narrate ? [placed(body.place, narrated('BEGIN', body.goal, body.describe))] : []
    if (options.goals) {
      const values = Object.entries(body.arguments ?? {}).map(([name, value]) => ` ${oneLine(name)}=${valueText(value)}`)
      lines.push(placed(body.place, `goal ${oneLine(body.goal)}${values.join('')}`))
    }
    return lines
  }

  function goalEnded(body: Of<'goal-ended'>): string[] {
    const known = names.get(body.instance)
    const lines: string[] = []
    if (options.narrate && known?.method !== undefined)
      lines.push(placed(known.method.place, narrated('END  ', known.method.method, known.method.describe)))
    if (options.narrate && known !== undefined) lines.push(narrated('END  ', known.goal, known.describe))
    const why = body.reason === undefined ? '' : `: ${oneLine(body.reason)}`
    if (options.goals || body.outcome === 'already-true')
      lines.push(`  ${paints.quiet('=')}       ${oneLine(known?.goal ?? body.instance)} ${body.outcome.replace('-', ' ')}${why}`)
    return lines
  }

  function methodChosen(body: Of<'method-chosen'>): string[] {
    candidates = body.candidates
    const known = names.get(body.instance)
    if (known !== undefined) known.method = body
    const lines = passedOver()
    if (options.goals) {
      for (const { method, verdict, reason } of body.candidates) {
        lines.push(placed(body.place, `  method ${oneLine(method)} ${verdict}${reason === undefined ? '' : `: ${oneLine(reason)}`}`))
      }
    }
    if (options.narrate) lines.push(placed(body.place, narrated('BEGIN', body.method, body.describe)))
    return lines
  }

  function stepBegan(body: Of<'step-began'>, at: number): string[] {
    const lines = passedOver()
    open.set(body.step, { began: body, at, held: { stdout: '', stderr: '' } })
    if (options.narrate && body.describe !== undefined) lines.push(placed(body.place, narrated('BEGIN', body.step, body.describe)))
    if (options.verbose >= 1)
      lines.push(...Object.entries(body.reads).map(([path, value]) => paints.quiet(`    ${oneLine(path)} = ${valueText(value)}`)))
    if (body.again !== undefined) lines.push(paints.quiet(`  again   ${oneLine(body.again)}`))
    if (options.echo)
      lines.push(
        ...escapeTerminal(body.show)
          .trim()
          .split('\n')
          .map(line => placed(body.place, `$ ${line}`))
      )
    return lines
  }

  function stepEnded(body: Of<'step-ended'>): string[] {
    const step = open.get(body.step)
    open.delete(body.step)
    const lines = step === undefined ? [] : rest(step)
    const text = step === undefined ? oneLine(body.step) : oneLine(step.began.describe ?? step.began.show, 100)
    const why =
      body.status === 'completed' ? '' : `: ${body.exit === undefined ? oneLine(body.reason ?? body.status) : exitText(body.exit)}`
    lines.push(`  ${statusWord(body.status)} ${duration(body.durationMs).padStart(7)}  ${text}${why}`)
    if (options.narrate && step?.began.describe !== undefined) lines.push(narrated('END  ', body.step, step.began.describe))
    if (body.status === 'completed' || body.status === 'ignored') {
      counts.done++
      kept.push(step?.began.describe === undefined ? body.step : `${step.began.describe} (${body.step})`)
    } else {
      counts.failed++
      failure = reportOf(body, step)
    }
    return lines
  }

  function rest(step: OpenStep): string[] {
    return (['stdout', 'stderr'] as const).filter(stream => step.held[stream] !== '').map(stream => echoed(stream, step.held[stream]))
  }

  function statusWord(status: Of<'step-ended'>['status']): string {
    switch (status) {
      case 'completed':
        return paints.good('ok    ')
      case 'ignored':
        return paints.warn('ignore')
      case 'failed':
        return paints.bad('failed')
      case 'in-doubt':
        return paints.bad('doubt ')
      case 'stopped':
        return paints.warn('stop  ')
    }
  }

  /** A failure that did not suspend the goal, because it went on another way: in full, here. */
  function passedOver(): string[] {
    if (failure === undefined) return []
    const tail = escapeTerminal(failure.tail ?? '').trimEnd()
    const lines = [
      `          at ${placeText(failure.place)}: ${oneLine(failure.show, 160)}`,
      ...(tail === '' ? [] : tail.split('\n').map(line => `          | ${line}`))
    ]
    failure = undefined
    return lines
  }

  function suspendedLines(id: string, body: Of<'suspended'>, at: number): string[] {
    const step = failure !== undefined && (body.step === undefined || failure.step === body.step) ? failure : undefined
    const suspension: Suspension = {
      code: body.code,
      reason: body.reason,
      candidates,
      kept,
      values: body.values ?? {},
      ...(step === undefined ? {} : { step })
    }
    failure = undefined
    return [
      '',
      ...suspensionReport(suspension, { id, colour: options.colour, suffix: options.suffix }),
      '',
      `${paints.bad('suspended')}: ${totals(at)}`
    ]
  }

  function totals(at: number): string {
    return `${counts.done} done, ${counts.failed} failed, ${duration(at - (startedAt ?? at))}`
  }

  return { next, running: () => Array.from(open.values(), ({ began, at }) => ({ text: oneLine(began.describe ?? began.show, 100), at })) }
}

function reportOf(body: Of<'step-ended'>, step: OpenStep | undefined): StepReport {
  return {
    step: body.step,
    show: step?.began.show ?? body.step,
    place: step?.began.place ?? { file: '?', line: 0, col: 0 },
    attempt: body.attempt,
    durationMs: body.durationMs,
    ...(body.exit === undefined ? {} : { exit: body.exit }),
    ...(body.tail === undefined ? {} : { tail: body.tail })
  }
}

function sourceOf(body: Of<'configured'>, name: string): string {
  const source = body.sources[`goal.${name}`] ?? body.sources[name]
  return source === undefined ? '' : `   # ${oneLine(source)}`
}
