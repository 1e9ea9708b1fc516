/** Lines of steps: begun, printing, ended, failed. */
import type { StepReport } from '../pursuit/summary.ts'
import { escapeTerminal, oneLine } from './escape.ts'
import { narrated, type Of, type OpenStep, placed, type Story, whereOf } from './story.ts'
import { isBelow } from './instances.ts'
import { duration, exitText, valueText } from './words.ts'

/** Longest text of a step in its line, in characters: beyond that it is read in the report or with `-e`. */
const TEXT_LENGTH_MAX = 100

export function stepBegan(story: Story, body: Of<'step-began'>, at: number): string[] {
  const { options, paints } = story
  const lines = passedOver(story)
  reopen(story, body.instance)
  story.open.set(body.step, { began: body, at, held: { stdout: '', stderr: '' } })
  if (options.narrate && body.describe !== undefined) lines.push(placed(story, body.place, narrated('BEGIN', body.step, body.describe)))
  if (body.debug === true)
    lines.push(
      placed(story, body.place, paints.quiet(`  debug    ${oneLine(body.step)} ${body.kind}: ${oneLine(body.show, TEXT_LENGTH_MAX)}`))
    )
  if (options.verbose >= 1 || body.debug === true)
    lines.push(...Object.entries(body.reads).map(([path, value]) => paints.quiet(`    ${oneLine(path)} = ${valueText(value)}`)))
  if (body.again !== undefined) lines.push(paints.quiet(`  again    ${oneLine(body.again)}`))
  if (options.echo) {
    const shown = escapeTerminal(body.show).trim().split('\n')
    lines.push(...shown.map((line, number) => placed(story, body.place, `${number === 0 ? '$' : '>'} ${line}`)))
  }
  return lines
}

/** After a repair, goals go on that had been left. */
function reopen({ entered }: Story, instance: string): void {
  if (entered.get(instance)?.isOpen !== false) return
  for (const [above, goal] of entered) if (above === instance || isBelow(instance, above)) goal.isOpen = true
}

/** Whole lines of what a step prints; the rest is held back until it is whole. */
export function stepPrinted(
  story: Story,
  item: { readonly step: string; readonly stream: 'stdout' | 'stderr'; readonly text: string }
): string[] {
  const step = story.open.get(item.step)
  if (!story.options.echo || step === undefined) return []
  const lines = (step.held[item.stream] + item.text).split('\n')
  step.held[item.stream] = lines.pop() ?? ''
  return lines.map(line => echoed(story, item.stream, line))
}

export function stepEnded(story: Story, body: Of<'step-ended'>): string[] {
  const step = story.open.get(body.step)
  story.open.delete(body.step)
  const lines = step === undefined ? [] : heldBack(story, step)
  const text = step === undefined ? oneLine(body.step) : textOf(step)
  const why = body.status === 'completed' ? '' : `: ${body.exit === undefined ? oneLine(body.reason ?? body.status) : exitText(body.exit)}`
  if (!isQuiet(story, body, step)) lines.push(`  ${statusWord(story, body.status)} ${duration(body.durationMs).padStart(7)}  ${text}${why}`)
  if (step?.began.debug === true)
    lines.push(...body.writes.map(({ path, value }) => story.paints.quiet(`    ${oneLine(path)} := ${valueText(value)}`)))
  if ((story.options.echo || step?.began.debug === true) && body.note !== undefined)
    lines.push(
      ...escapeTerminal(body.note)
        .split('\n')
        .map(line => echoed(story, 'stdout', line))
    )
  if (story.options.narrate && step?.began.describe !== undefined) lines.push(narrated('END', body.step, step.began.describe))
  count(story, body, step)
  return lines
}

/** Setting a variable does nothing to any machine: it is told with -g, -e and -v only, unless it fails. */
function isQuiet({ options }: Story, body: Of<'step-ended'>, step: OpenStep | undefined): boolean {
  return (
    step?.began.kind === 'update' &&
    step.began.debug !== true &&
    body.status === 'completed' &&
    !options.goals &&
    !options.echo &&
    options.verbose === 0
  )
}

/** A failure that did not suspend the goal, because it went on another way: in full, here. */
export function passedOver(story: Story): string[] {
  const { failure } = story
  if (failure === undefined) return []
  story.failure = undefined
  const tail = escapeTerminal(failure.tail ?? '').trimEnd()
  return [`           at ${whereOf(failure)}`, ...(tail === '' ? [] : tail.split('\n').map(line => `           | ${line}`))]
}

/** A step as it reads in one line: its description, else what a person would type. */
export function textOf({ began }: OpenStep): string {
  return oneLine(began.describe ?? began.show, TEXT_LENGTH_MAX)
}

function count(story: Story, body: Of<'step-ended'>, step: OpenStep | undefined): void {
  if (body.status === 'completed' || body.status === 'ignored') {
    story.counts.done++
    story.kept.push(step?.began.describe === undefined ? body.step : `${step.began.describe} (${body.step})`)
  } else {
    story.counts.failed++
    story.failure = reportOf(body, step)
  }
}

function heldBack(story: Story, step: OpenStep): string[] {
  const streams = (['stdout', 'stderr'] as const).filter(stream => step.held[stream] !== '')
  return streams.map(stream => echoed(story, stream, step.held[stream]))
}

function echoed({ paints }: Story, stream: 'stdout' | 'stderr', line: string): string {
  return `  ${paints.quiet(stream === 'stdout' ? '|' : '!')} ${escapeTerminal(line)}`
}

function statusWord({ paints }: Story, status: Of<'step-ended'>['status']): string {
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

function reportOf(body: Of<'step-ended'>, step: OpenStep | undefined): StepReport {
  return {
    step: body.step,
    show: step?.began.show ?? body.step,
    place: step?.began.place ?? { file: '?', line: 0, col: 0 },
    attempt: body.attempt,
    durationMs: body.durationMs,
    ...(body.exit === undefined ? {} : { exit: body.exit }),
    ...(body.tail === undefined ? {} : { tail: body.tail }),
    ...(step?.began.env === undefined ? {} : { env: step.began.env })
  }
}
