/** Goals sent to other nodes: followed together, then told as one table. */
import type { Agency, DispatchInfo, Dispatched, DispatchRequest, RunInfo } from '../node/control/contract.ts'
import { atHome, type ErrorCode, fromErrorData } from '../errors.ts'
import { escapeTerminal } from '../goals/render/escape.ts'
import { type Invocation, milliseconds } from './arguments.ts'
import type { ControlClient } from './control-client.ts'
import { exitOfRest, type Followed, followGoals, type Rest } from './follow.ts'
import type { Prompt } from './prompt.ts'
import { stepThrough } from './step-option.ts'
import { print } from './io.ts'
import { duration, shellWord } from '../goals/render/words.ts'
import { isForPrograms, showRows, type Table } from './output.ts'
import { homeWords, sessionWith } from './session.ts'

/** How a goal sent to one peer came out. */
export interface Outcome {
  readonly node: string
  readonly peer: string
  readonly id?: string
  readonly status: Rest | 'dispatched' | 'queued' | 'unreachable' | 'denied' | 'not sent' | 'refused' | 'abandoned' | 'in doubt'
  readonly run?: RunInfo
  readonly error?: string
  /** What to type about the error. */
  readonly next?: string
  readonly exit: number
}

/** One row a peer. */
export const outcomeTable: Table<Outcome> = {
  columns: [
    { title: 'NODE', of: outcome => outcome.node },
    { title: 'STATUS', of: outcome => outcome.status },
    { title: 'DONE', of: outcome => outcome.run?.steps.done },
    { title: 'FAILED', of: outcome => outcome.run?.steps.failed },
    { title: 'TIME', of: outcome => (outcome.run === undefined ? undefined : duration(outcome.run.updatedAt - outcome.run.createdAt)) },
    { title: 'ID', of: outcome => outcome.id },
    { title: 'WHY', of: outcome => outcome.error ?? outcome.run?.suspended?.reason }
  ],
  name: outcome => outcome.id ?? outcome.node,
  empty: 'no peers'
}

/** `--timeout`, as dispatch takes it. */
export function acceptWithin({ options }: Invocation): Pick<DispatchRequest, 'acceptWithinMs'> {
  return options.timeout === undefined ? {} : { acceptWithinMs: milliseconds(options.timeout, 'timeout') }
}

/** Follows what was accepted until it rests; one outcome a peer, in the order of the peers. */
export async function followDispatched(
  invocation: Invocation,
  client: ControlClient,
  sent: readonly Dispatched[],
  prompt?: Prompt
): Promise<Outcome[]> {
  const accepted = sent.filter(isAccepted)
  const { agency, by } = sessionWith(client, undefined, [])
  const runs = accepted.map(({ id, node }) => ({ id, node, agency, by, suffix: ['--peer', node, ...homeWords(invocation)] }))
  const rests = prompt === undefined ? await followGoals(invocation, runs) : await oneByOne(invocation, runs, prompt)
  const infos = await Promise.all(accepted.map(({ id }) => infoOf(agency, by, id)))
  return sent.map(one => {
    if (!isAccepted(one)) return refused(one)
    const at = accepted.indexOf(one)
    const [rest, run] = [rests[at] ?? 'unknown', infos[at]]
    if (rest === 'unknown' && run?.dispatch?.error !== undefined) return { ...refused({ ...one, error: run.dispatch.error }), id: one.id }
    if (rest === 'unknown' && run?.dispatch !== undefined) return unheard(one, run, run.dispatch)
    return { node: one.node, peer: one.peer, id: one.id, status: rest, exit: exitOfRest[rest], ...(run === undefined ? {} : { run }) }
  })
}

/** A person can decide about one goal at a time. */
async function oneByOne(invocation: Invocation, runs: readonly Followed[], prompt: Prompt): Promise<Rest[]> {
  const rests: Rest[] = []
  for (const run of runs) rests.push(await stepThrough(invocation, run, prompt))
  return rests
}

/** Outcomes of what is not followed. @param status of what was taken down */
export function unfollowed(sent: readonly Dispatched[], status: 'dispatched' | 'queued' = 'dispatched'): Outcome[] {
  return sent.map(one => (isAccepted(one) ? { node: one.node, peer: one.peer, id: one.id, status, exit: 0 } : refused(one)))
}

/** Nothing was heard of it but how it stands. */
function unheard({ node, peer, id }: Accepted, run: RunInfo, { state, why }: DispatchInfo): Outcome {
  const status = state === 'queued' || state === 'abandoned' ? state : state === 'in-doubt' ? 'in doubt' : 'unknown'
  return { node, peer, id, status, run, exit: exitOfRest.unknown, ...(why !== undefined && { error: why }) }
}

/** The table of all, what to type about those that refused, and the status of the worst. */
export async function tellOutcomes(invocation: Invocation, outcomes: readonly Outcome[]): Promise<number> {
  await showRows(invocation, outcomes, outcomeTable)
  if (outcomes.length > COUNTED_FROM && !isForPrograms(invocation)) print(invocation.io.stdout, ['', counted(outcomes)])
  print(invocation.io.stderr, nextLines(invocation, outcomes))
  return worstExit(outcomes)
}

/** From so many nodes on, a person wants to see how many came out how. */
const COUNTED_FROM = 5

/** `17 completed, 2 unreachable, 1 denied`: most first. */
function counted(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>()
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ')
}

/** `next: …`, each once. */
export function nextLines({ options: { home } }: Invocation, outcomes: readonly Outcome[]): string[] {
  const at = home === undefined ? undefined : shellWord(home)
  const hints = new Set(outcomes.flatMap(({ next }) => (next === undefined ? [] : [atHome(next, at)])))
  return [...hints].map(next => `next: ${escapeTerminal(next)}`)
}

/** Refusals weigh more than what waits for repair, and that more than nothing. */
export function worstExit(outcomes: readonly Outcome[]): number {
  const exits = outcomes.map(outcome => outcome.exit)
  return exits.find(exit => exit !== 0 && exit !== exitOfRest.suspended) ?? Math.max(0, ...exits)
}

type Accepted = Extract<Dispatched, { readonly id: string }>

function isAccepted(one: Dispatched): one is Accepted {
  return 'id' in one
}

function refused(one: Exclude<Dispatched, Accepted>): Outcome {
  const { code, message, next, exit } = fromErrorData({ ...one.error, details: { peer: one.node, ...one.error.details } })
  return { node: one.node, peer: one.peer, status: refusals[code] ?? 'refused', error: message, next, exit }
}

/** What some refusals are called in a table. */
const refusals: Partial<Record<ErrorCode, Outcome['status']>> = {
  CB_PEER_UNREACHABLE: 'unreachable',
  CB_DENIED: 'denied',
  CB_NOT_SENT: 'not sent'
}

async function infoOf(agency: Agency, by: Parameters<Agency['call']>[2], id: string): Promise<RunInfo | undefined> {
  try {
    return await agency.call('goal', { id }, by)
  } catch {
    // The outcome is known from its events; the summary only adds to it.
    return undefined
  }
}
