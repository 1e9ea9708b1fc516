/** `why ID STEP`: each time a step ran, ran again or was kept, and what that rested on. Read off the events alone. */
import { isDeepStrictEqual } from 'node:util'
import { changedNames, Freshness, qualify } from '../pursuit/freshness.ts'
import { rootInstance } from '../pursuit/instance.ts'
import type { GoalEvent, Principal, StepDecision } from '../pursuit/events.ts'
import type { Tree, Variables } from '../tree.ts'
import { oneLine } from './escape.ts'
import { type Paint, paint } from './paint.ts'
import type { Of } from './story.ts'
import { duration, exitText, valueText } from './words.ts'

/** The story of one step, oldest first, a line an event and a line a value that it read. Empty for a step that was not begun. */
export function whyStep(events: readonly GoalEvent[], step: string, options: { readonly colour: boolean }): string[] {
  const told: Told = {
    step,
    paints: paint(options.colour),
    values: new Map(),
    fresh: new Freshness(),
    origins: new Map(),
    instances: new Map(),
    root: ''
  }
  return events.flatMap(event => {
    const lines = linesOf(told, event)
    learn(told, event)
    return lines
  })
}

interface Told {
  readonly step: string
  readonly paints: Paint
  /** What is known to be at a path, and which event brought it there. */
  readonly values: Map<string, Tree>
  readonly fresh: Freshness
  /** By event: what it did to values. */
  readonly origins: Map<number, string>
  /** Of each step that was begun. */
  readonly instances: Map<string, string>
  root: string
  began?: Of<'step-began'>
  beganSeq?: number
  ended?: Of<'step-ended'> | undefined
  /** What a person has decided about it since it was last begun. */
  decided?: string | undefined
  /** Ran in the stretch of work that is being told. */
  ran?: boolean
}

function linesOf(told: Told, event: GoalEvent): string[] {
  const { body } = event
  switch (body.type) {
    case 'step-began':
      return body.step === told.step ? began(told, event, body) : []
    case 'step-ended':
      return body.step === told.step ? ended(told, event, body) : []
    case 'repaired':
      return told.began === undefined ? [] : repaired(told, event, body)
    case 'suspended':
    case 'completed':
      return rested(told, event)
    case 'undoing':
      return [row(event, `undone on request of ${personOf(body.by)}${becauseOf(body.why)}`)]
    case 'cancelled':
      return [row(event, `cancelled by ${personOf(body.by)}${becauseOf(body.why)}`)]
    default:
      return []
  }
}

function began(told: Told, event: GoalEvent, body: Of<'step-began'>): string[] {
  const again = body.again ?? whyOnceMore(told)
  told.began = body
  told.beganSeq = event.seq
  told.ended = undefined
  told.decided = undefined
  told.ran = true
  const attempt = body.attempt > 1 ? `, try ${body.attempt}` : ''
  return [
    row(event, `${told.paints.strong('ran')}${attempt}: ${oneLine(again)}`),
    ...Object.entries(body.reads).map(([path, tree]) =>
      told.paints.quiet(`    read ${oneLine(path)} = ${valueText(tree)}${datedText(told, body, path, tree)}`)
    )
  ]
}

function whyOnceMore({ began: before, ended: outcome }: Told): string {
  if (before === undefined) return 'it was not done before'
  if (outcome === undefined) return 'its last try was interrupted'
  return outcome.status === 'completed' || outcome.status === 'ignored' ? 'it was met again' : 'it had not completed'
}

function ended(told: Told, event: GoalEvent, body: Of<'step-ended'>): string[] {
  told.ended = body
  const how = body.exit === undefined ? oneLine(body.reason ?? '') : exitText(body.exit)
  const why = body.status === 'completed' || how === '' ? '' : `: ${how}`
  return [row(event, `${body.status} after ${duration(body.durationMs)}${why}`)]
}

function repaired(told: Told, event: GoalEvent, body: Of<'repaired'>): string[] {
  const { step } = told
  told.decided = decidedText(body, step) ?? told.decided
  const about = (body.decisions ?? []).filter(decision => decision.step === step).map(({ verdict }) => verdictText(verdict))
  if (body.step === step) about.push(body.verb === 'skip' ? 'pass over it' : body.verb === 'step' ? 'do it' : 'look at it again')
  const set = body.assignments.map(
    ({ path, value }) => `set ${oneLine(path)} = ${typeof value === 'string' ? oneLine(value) : valueText(value)}`
  )
  const method = body.method === undefined ? [] : [`try method ${oneLine(body.method.method)} first`]
  const program = body.program === undefined ? [] : [`go on with program ${oneLine(body.program.name)}@${body.program.hash.slice(0, 12)}`]
  const others = (body.decisions ?? []).filter(decision => decision.step !== step && decision.verdict === 'from')
  const from = others.map(decision => `do all from ${oneLine(decision.step)} on again`)
  const what = [...about, ...set, ...method, ...program, ...from]
  return [row(event, `repaired by ${personOf(body.by)}${becauseOf(body.why)}: ${what.length === 0 ? 'go on' : what.join(', ')}`)]
}

/** At the end of a stretch of work in which it did not run: it was kept, unless what it read has changed and it was not met. */
function rested(told: Told, event: GoalEvent): string[] {
  const { began: last, ended: outcome, beganSeq = 0, ran, decided } = told
  told.ran = false
  if (last === undefined || ran === true) return []
  if (decided !== undefined) return [row(event, decided)]
  if (outcome?.status !== 'completed' && outcome?.status !== 'ignored') return []
  const changed = told.fresh.changedSince(
    Object.keys(last.reads).map(path => qualify(last.instance, path)),
    beganSeq
  )
  if (changed === undefined) return [row(event, 'kept: nothing that it read has changed since')]
  return [row(event, `not met: ${nameOf(changed)} has changed, so it runs again once the goal gets there`)]
}

/** Since when a value was what the step read, and what made it so. */
function datedText({ values, fresh, origins }: Told, { instance }: Of<'step-began'>, path: string, tree: Tree): string {
  const full = qualify(instance, path)
  const seq = fresh.changedAt(full)
  const known = values.get(full)
  const origin = origins.get(seq)
  // A sub-goal may have given it another value, which is no event of its own.
  if (origin === undefined || (known !== undefined && valueText(known) !== valueText(tree))) return ''
  return `   ${origin}, event ${seq}`
}

/** What the event says about values. */
function learn(told: Told, { seq, body }: GoalEvent): void {
  switch (body.type) {
    case 'proposed':
      told.root = rootInstance(body.goal)
      return
    case 'configured':
      variables(told, told.root, body.variables, seq, 'configured')
      return
    case 'goal-began':
      variables(told, body.instance, body.arguments ?? {}, seq, 'an argument of its goal')
      return
    case 'step-began':
      told.instances.set(body.step, body.instance)
      return
    case 'step-ended': {
      const instance = told.instances.get(body.step) ?? told.root
      for (const { path, value } of body.writes) know(told, qualify(instance, path), value, seq, `written by ${oneLine(body.step)}`)
      return
    }
    case 'repaired':
      for (const { path, value } of body.assignments) {
        const full = path.includes(':') ? path : qualify(told.root, path)
        if (typeof value !== 'string') know(told, full, value, seq, `set by ${personOf(body.by)}`)
      }
      return
    default:
  }
}

function variables(told: Told, instance: string, now: Variables, seq: number, origin: string): void {
  const before = Object.fromEntries(Object.keys(now).map(name => [name, told.values.get(`${instance}:goal.${name}`) ?? {}]))
  for (const name of changedNames(before, now)) know(told, `${instance}:goal.${name}`, now[name] ?? {}, seq, origin)
}

function know(told: Told, path: string, value: Tree, seq: number, origin: string): void {
  if (isDeepStrictEqual(told.values.get(path), value)) return
  told.values.set(path, value)
  told.fresh.mark(path, seq)
  told.origins.set(seq, origin)
}

/** What becomes of the step by what a person has decided, if it is not done. */
function decidedText(body: Of<'repaired'>, step: string): string | undefined {
  const verdict = body.decisions?.find(decision => decision.step === step)?.verdict
  if (verdict === 'done') return 'kept: it was done by hand'
  return verdict === 'skip' || (body.verb === 'skip' && body.step === step) ? 'passed over: it need not be done' : undefined
}

function verdictText(verdict: StepDecision['verdict']): string {
  switch (verdict) {
    case 'skip':
      return 'it need not be done'
    case 'done':
      return 'it was done by hand'
    case 'again':
      return 'do it again'
    case 'from':
      return 'do it and all after it again'
    case 'failed':
      return 'it failed'
  }
}

function row({ at, seq }: GoalEvent, text: string): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z  ${String(seq).padStart(4)}  ${text}`
}

function nameOf(path: string): string {
  return oneLine(path.slice(path.lastIndexOf(':') + 1))
}

function personOf(by: Principal): string {
  return oneLine(by.email ?? by.node)
}

function becauseOf(why: string | undefined): string {
  return why === undefined ? '' : ` (${oneLine(why)})`
}
