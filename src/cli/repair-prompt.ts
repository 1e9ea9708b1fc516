/** `repair ID` at a terminal: corrections are collected, looked at, and made at once. Leaving loses nothing: the goal goes on waiting. */
import type { RunInfo, StepDecision } from '../node/control/contract.ts'
import { CloudburstError } from '../errors.ts'
import { oneLine } from '../goals/render/escape.ts'
import { suspensionReport } from '../goals/render/report.ts'
import { whyStep } from '../goals/render/why.ts'
import { shellWord, valueText } from '../goals/render/words.ts'
import { begunSteps, namedStep } from '../goals/render/step-names.ts'
import { type Invocation, readAssignment } from './arguments.ts'
import { giveUp, whatIsUndone } from './cancelling.ts'
import { shownConsequences, shownUndoing } from './consequences.ts'
import { exitOfRest } from './follow.ts'
import { loadedProgram } from './goal-request.ts'
import { colours, print } from './io.ts'
import type { Prompt } from './prompt.ts'
import type { Correction } from './repair-request.ts'
import { eventsOf } from './run-events.ts'
import { remoteShell } from './remote-shell.ts'
import { daemonOf, homeWords, onePeer, type Session, sessionWith } from './session.ts'
import { shellOf } from './step-shell.ts'
import { followFrom } from './stepping.ts'

const HELP = [
  'set PATH=VALUE      correct a value',
  'fill                be asked for each value that was read, or that the program asks for',
  'method METHOD       try another method first',
  'program FILE.xml    go on with an edited program',
  'skip STEP WHY       it need not be done',
  'done STEP           it was done by hand; its results with set',
  'failed STEP WHY     it was in doubt, and has failed',
  'again STEP          do it again though nothing it read has changed',
  'from STEP           start over from there',
  'plan                what would be kept, run again and come after',
  'retry, go           make these corrections and go on',
  'undo                forget the corrections',
  'show                the report again, and the corrections so far',
  'why STEP            why it ran, ran again or was kept',
  'shell               a shell where the step runs',
  'cancel WHY          give the goal up; what its methods can undo is undone',
  'quit                leave; the goal goes on waiting'
]

/** What the person has in hand. */
interface Desk {
  readonly invocation: Invocation
  readonly session: Session
  readonly prompt: Prompt
  /** As it was last shown. */
  info: RunInfo
  correction: Correction
}

/** @returns the exit status of docs/cli.md: 0 completed, 3 it waits */
export async function repairByHand(invocation: Invocation, session: Session, info: RunInfo, prompt: Prompt): Promise<number> {
  const desk: Desk = { invocation, session, prompt, info, correction: nothing }
  if (!isWaiting(desk)) throw new CloudburstError('CB_NOT_SUSPENDED', `goal ${info.id} is ${info.status}, not suspended`, { id: info.id })
  const isAsked = info.suspended?.instructions !== undefined && Object.keys(info.suspended.values).length > 0
  say(desk, [...report(desk), ...(isAsked ? ['fill asks for each value'] : []), 'help lists what can be said here'])
  for (;;) {
    const line = await prompt.ask('repair> ')
    if (line === undefined) return left(desk)
    try {
      const exit = await obey(desk, line)
      if (exit !== undefined) return exit
    } catch (error) {
      if (!(error instanceof CloudburstError) || error.code === 'CB_INTERRUPTED') throw error
      say(desk, [`error: ${oneLine(error.message, 1_000)}`])
      if (error.code === 'CB_NOT_SUSPENDED' && !(await isStillWaiting(desk))) return 1
    }
  }
}

const nothing: Correction = { assignments: [] }

/** @returns the exit status once the person is done here */
async function obey(desk: Desk, line: string): Promise<number | undefined> {
  const [, verb = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(line) ?? []
  switch (verb.toLowerCase()) {
    case '':
      return undefined
    case 'set':
      return correct(desk, { assignments: [...desk.correction.assignments, readAssignment(rest, 'the line')] })
    case 'fill':
      return await fill(desk)
    case 'method':
      return correct(desk, { method: needed(rest, 'method METHOD') })
    case 'program':
      return correct(desk, {
        program: await loadedProgram(needed(rest, 'program FILE.xml'), desk.session.agency, desk.session.by, desk.invocation.io)
      })
    case 'skip':
    case 'done':
    case 'failed':
    case 'again':
    case 'from':
      return await decide(desk, verb.toLowerCase() as StepDecision['verdict'], needed(rest, `${verb} STEP`))
    case 'undo':
      return correct(desk, nothing, true)
    case 'plan':
      return say(desk, shownConsequences(desk.invocation, await preview(desk)))
    case 'retry':
    case 'go':
    case 'continue':
      return await goOn(desk)
    case 'show':
      await refresh(desk)
      return say(desk, [...report(desk), ...correctionLines(desk.correction)])
    case 'why':
      return await tellWhy(desk, needed(rest, 'why STEP'))
    case 'shell':
      return await openShell(desk)
    case 'cancel':
      return await cancel(desk, rest)
    case 'quit':
    case 'q':
    case 'exit':
      return left(desk)
    case 'help':
    case '?':
      return say(desk, HELP)
    default:
      return say(desk, [`there is no ${oneLine(verb)} here`, ...HELP])
  }
}

/** Each value in turn; an empty answer leaves it as it is. */
async function fill(desk: Desk): Promise<undefined> {
  for (const [path, value] of Object.entries(desk.info.suspended?.values ?? {})) {
    const answer = await desk.prompt.ask(`${path} [${oneLine(valueText(value))}]: `)
    if (answer === undefined) break
    const assignments = answer === '' ? [] : [readAssignment(`${path}=${answer}`, 'the line')]
    desk.correction = { ...desk.correction, assignments: [...desk.correction.assignments, ...assignments] }
  }
  return say(desk, correctionLines(desk.correction))
}

function correct(desk: Desk, more: Partial<Correction>, instead = false): undefined {
  desk.correction = instead ? nothing : { ...desk.correction, ...more }
  return say(desk, correctionLines(desk.correction))
}

async function decide(desk: Desk, verdict: StepDecision['verdict'], rest: string): Promise<undefined> {
  const [, named = '', said = ''] = /^(\S+)\s*(.*)$/.exec(rest) ?? []
  const { agency, by } = desk.session
  const step = namedStep(desk.info.id, named, begunSteps(await eventsOf(agency, by, desk.info.id)), 'repair')
  const why = verdict !== 'skip' || said !== '' ? said : ((await desk.prompt.ask('why need it not be done? ')) ?? '')
  if (verdict === 'skip' && why === '') return say(desk, ['skip needs a reason that others can read later'])
  const decisions = [...(desk.correction.decisions ?? []).filter(each => each.step !== step), { step, verdict }]
  return correct(desk, { decisions, ...(why !== '' && { why }) })
}

async function goOn(desk: Desk): Promise<number | undefined> {
  const { session, invocation, info } = desk
  const { agency, by, suffix, solo } = session
  const asked = { id: info.id, seq: info.seq, ...desk.correction }
  say(desk, shownConsequences(invocation, await preview(desk)))
  await agency.call('repair', asked, by)
  desk.correction = nothing
  const rest = await followFrom(invocation, { id: info.id, agency, by, suffix, here: solo }, info.seq + 1)
  if (rest !== 'suspended') return exitOfRest[rest]
  await refresh(desk)
  return undefined
}

async function preview({ session: { agency, by }, info, correction }: Desk) {
  return await agency.call('preview', { id: info.id, seq: info.seq, ...correction }, by)
}

/** Somebody else was faster: the goal as it is now is shown, if it waits again. */
async function isStillWaiting(desk: Desk): Promise<boolean> {
  await refresh(desk)
  const { info } = desk
  if (isWaiting(desk)) say(desk, ['it waits again:', ...report(desk), ...correctionLines(desk.correction)])
  else say(desk, [`it is ${info.status} now; cloudburst logs ${words(desk)} --follow`])
  return isWaiting(desk)
}

async function tellWhy({ session: { agency, by }, info, invocation }: Desk, named: string): Promise<undefined> {
  const events = await eventsOf(agency, by, info.id)
  const step = namedStep(info.id, named, begunSteps(events), 'why')
  print(invocation.io.stdout, whyStep(events, step, { colour: colours(invocation.io.stdout, invocation.io.env) }))
}

async function openShell(desk: Desk): Promise<undefined> {
  const { info, invocation, prompt, session } = desk
  const peer = info.on ?? onePeer(invocation)
  if (peer !== undefined) {
    const there = info.on === undefined ? session : sessionWith(daemonOf(invocation), peer, homeWords(invocation))
    say(desk, [`each line is run on ${oneLine(peer)}, where the step runs, and needs node:shell there; exit comes back here`])
    await remoteShell(info, peer, there, { prompt, io: invocation.io })
    return undefined
  }
  say(desk, ['a shell where the step runs; leave it to come back here'])
  await prompt.lend(() => shellOf(info, invocation.io))
}

async function cancel(desk: Desk, why: string): Promise<number> {
  const preview = await whatIsUndone(desk.session, desk.info.id)
  if (preview !== undefined) say(desk, shownUndoing(desk.invocation, preview))
  const { session, invocation, info } = desk
  const { status, seq } = await giveUp(session, info.id, why === '' ? undefined : why, false)
  say(desk, [status === 'pursuing' ? 'what it has done is undone, then it is cancelled' : 'cancelled'])
  const { agency, by, suffix, solo } = session
  if (status === 'pursuing' && solo) await followFrom(invocation, { id: info.id, agency, by, suffix, here: solo }, seq + 1)
  return exitOfRest.cancelled
}

function left(desk: Desk): number {
  const { correction } = desk
  if (correctionLines(correction).length > 0) say(desk, ['these corrections were not made:', ...correctionLines(correction)])
  say(desk, [`it waits; cloudburst repair ${words(desk)}`])
  return exitOfRest.suspended
}

async function refresh(desk: Desk): Promise<void> {
  desk.info = await desk.session.agency.call('goal', { id: desk.info.id }, desk.session.by)
}

function isWaiting({ info }: Desk): boolean {
  return info.status === 'suspended'
}

function report({ info, session, invocation: { io } }: Desk): readonly string[] {
  if (info.suspended === undefined) return []
  return suspensionReport(info.suspended, { id: info.id, colour: colours(io.stdout, io.env), suffix: session.suffix })
}

function correctionLines({ assignments, decisions = [], method, program, why }: Correction): readonly string[] {
  return [
    ...assignments.map(({ path, value }) => `set ${path}=${typeof value === 'string' ? value : '…'}`),
    ...decisions.map(({ verdict, step }) => `${verdict} ${step}`),
    ...(method === undefined ? [] : [`method ${method}`]),
    ...(program === undefined ? [] : [`program ${program.slice(0, 12)}`]),
    ...(why === undefined ? [] : [`why ${why}`])
  ].map(line => `  ${oneLine(line, 1_000)}`)
}

function words({ info, session }: Desk): string {
  return [info.id, ...session.suffix].map(shellWord).join(' ')
}

/** @throws CloudburstError CB_USAGE when it is empty */
function needed(rest: string, usage: string): string {
  if (rest === '') throw new CloudburstError('CB_USAGE', `it is ${usage}`)
  return rest
}

function say({ invocation }: Desk, lines: readonly string[]): undefined {
  print(invocation.io.stdout, lines)
}
