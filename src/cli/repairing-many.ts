/** `repair --where`: all suspended goals with something in common, corrected alike. The consequences of all are shown first. */
import type { RepairRequest, RunInfo } from '../node/control/contract.ts'
import { CloudburstError, type ErrorData, errors, toErrorData } from '../errors.ts'
import { causeOf } from '../goals/render/cause.ts'
import { oneLine } from '../goals/render/escape.ts'
import { type Invocation, noWords } from './arguments.ts'
import { shownConsequences } from './consequences.ts'
import { exitOfRest } from './follow.ts'
import { print } from './io.ts'
import { isForPrograms, showRows, type Table } from './output.ts'
import { canAsk, openPrompt } from './prompt.ts'
import { correctionOf } from './repair-request.ts'
import { openSession, type Session } from './session.ts'

/** What became of one goal. */
interface Outcome {
  readonly run: RunInfo
  readonly error?: ErrorData
}

const outcomes: Table<Outcome> = {
  columns: [
    { title: 'ID', of: ({ run }) => run.id },
    { title: 'GOAL', of: ({ run }) => run.goal },
    { title: 'ON', of: ({ run }) => run.on ?? 'here' },
    { title: 'OUTCOME', of: ({ run, error }) => (error === undefined ? run.status : 'refused') },
    { title: 'WHY', of: ({ run, error }) => error?.message ?? run.suspended?.reason }
  ],
  name: ({ run }) => run.id,
  empty: 'no suspended goal is like that'
}

/** @returns the worst exit status of all */
export async function repairMany(invocation: Invocation): Promise<number> {
  noWords({ ...invocation, files: [] })
  const { options, command, io } = invocation
  if (options.seq !== undefined || options.step !== undefined)
    throw new CloudburstError('CB_USAGE', `--${options.seq === undefined ? 'step' : 'seq'} is for one goal, not for --where`, { command })
  if (options.cancel === true) throw new CloudburstError('CB_USAGE', '--cancel is for one goal, not for --where', { command })
  const matches = (options.where ?? []).map(text => condition(text, command))
  if (!options.yes && !options.plan && !canAsk(io))
    throw new CloudburstError(
      'CB_USAGE',
      'repair --where asks before it repairs: --yes does it without, --plan only shows what it would do',
      {
        command
      }
    )
  const session = await openSession(invocation)
  try {
    const waiting = await session.agency.call('goals', { suspended: true, explained: true }, session.by)
    const runs = waiting.filter(run => matches.every(match => match(run))).toSorted((a, b) => a.updatedAt - b.updatedAt)
    if (runs.length === 0) {
      await showRows(invocation, [], outcomes)
      return options.plan ? 0 : 1
    }
    const correction = await correctionOf(invocation, session.agency, session.by)
    const requests = runs.map(run => ({ id: run.id, seq: run.seq, ...correction }))
    await previewAll(invocation, session, runs, requests)
    if (options.plan || !(await mayGoOn(invocation, runs.length))) return 0
    const done = await Promise.all(runs.map((run, at) => repairOne(invocation, session, run, requests[at]!)))
    await showRows(invocation, done, outcomes)
    return Math.max(...done.map(exitOf))
  } finally {
    await session.close()
  }
}

/** `KEY=VALUE` → whether a goal is meant. @throws CloudburstError CB_USAGE */
function condition(text: string, command: string): (run: RunInfo) => boolean {
  const cut = text.indexOf('=')
  const [key, value] = [text.slice(0, Math.max(0, cut)), text.slice(cut + 1)]
  switch (key) {
    case 'cause':
      return ({ suspended }) => suspended !== undefined && causeOf(suspended).id.startsWith(value) && value !== ''
    case 'goal':
      return run => run.goal === value
    case 'program':
      return ({ program }) => program.name === value || (value.length >= 8 && program.hash.startsWith(value))
    case 'step':
      return ({ suspended }) => isStep(suspended?.step?.step, value) || (suspended !== undefined && isStep(causeOf(suspended).step, value))
    default:
      throw new CloudburstError('CB_USAGE', `--where takes cause=ID, goal=NAME, program=NAME or step=STEP, not ${text}`, { command })
  }
}

function isStep(step: string | undefined, wanted: string): boolean {
  return step !== undefined && (step === wanted || step.endsWith(`/${wanted}`))
}

async function previewAll(
  invocation: Invocation,
  { agency, by }: Session,
  runs: readonly RunInfo[],
  requests: readonly RepairRequest[]
): Promise<void> {
  const previews = await Promise.all(requests.map(request => agency.call('preview', request, by)))
  const output = isForPrograms(invocation) ? invocation.io.stderr : invocation.io.stdout
  for (const [at, run] of runs.entries()) {
    const lines = shownConsequences(invocation, previews[at]!).map(line => `  ${line}`)
    print(output, [`${run.goal} ${run.id}${run.on === undefined ? '' : ` on ${run.on}`}`, ...lines])
  }
}

async function mayGoOn({ io, options }: Invocation, count: number): Promise<boolean> {
  if (options.yes) return true
  const prompt = openPrompt(io, 'repair', '')
  try {
    const answer = await prompt.ask(`repair ${count === 1 ? 'this goal' : `these ${count} goals`}? [y/N] `)
    if (/^y(es)?$/i.test(answer ?? '')) return true
    io.stdout.write('nothing was changed\n')
    return false
  } finally {
    prompt.close()
  }
}

/** One that is refused does not keep the others from going on. */
async function repairOne({ options, io }: Invocation, { agency, by }: Session, run: RunInfo, request: RepairRequest): Promise<Outcome> {
  try {
    const repaired = await agency.call('repair', request, by)
    if (options.detach) return { run: repaired }
    for await (const item of agency.stream('events', { id: run.id, from: run.seq + 1, follow: true }, by, io.interrupted)) {
      if (item.type === 'waiting') io.stderr.write(`waiting: ${run.id}: ${oneLine(item.reason)}\n`)
    }
    return { run: await agency.call('goal', { id: run.id }, by) }
  } catch (error) {
    if (!(error instanceof CloudburstError)) throw error
    return { run, error: toErrorData(error) }
  }
}

function exitOf({ run: { status }, error }: Outcome): number {
  if (error !== undefined) return errors[error.code].exit
  return status === 'completed' || status === 'suspended' || status === 'cancelled' ? exitOfRest[status] : 0
}
