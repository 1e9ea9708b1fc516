/** The life of one dispatch, from the first try to its outcome on disk. */
import { CloudburstError, type ErrorCode, type ErrorData, toErrorData } from '../../errors.ts'
import { type DispatchEnd, type DispatchSink, dispatchOnce, follow } from '../../protocols/dispatch/client.ts'
import { DISPATCH } from '../../protocols/dispatch/messages.ts'
import { readReceipt } from '../../protocols/dispatch/receipt.ts'
import { isOutcome } from '../../protocols/dispatch/tell.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { Channel } from '../../protocols/wire/channel.ts'
import type { DispatchParts } from './dispatches.ts'
import { type DispatchRecord, isClosed, recordOps } from './dispatch-records.ts'
import type { EarlyStream } from './early-stream.ts'
import { Mirroring } from './mirroring.ts'

/** A dispatch being seen to. `record` is what the store holds. */
export interface Task {
  record: DispatchRecord
  /** A request was sent and its verdict was not heard: it may have been accepted. */
  unheard: boolean
  /** Why nothing is heard of the goal right now. */
  waiting: string | undefined
  /** Since when, in epoch milliseconds. */
  waitingSince?: number | undefined
  /** Called at every change of `record` or `waiting`. */
  readonly listeners: Set<() => void>
  /** It rests there and waits for repair. */
  suspended: boolean
  /** Ends the present pause between two tries. */
  wake: () => void
  /** Fires when it was abandoned. */
  readonly ended: AbortController
  /** For the first try, when the peer was up. */
  readonly early?: EarlyStream
}

/** Pauses between tries, in milliseconds: quick at first, never tiring the peer, and cut short when it comes up. */
const PAUSE_FIRST_MS = 250
const PAUSE_MAX_MS = 15_000
/** Pause when the peer answers but will not have us follow, or does not know the goal: a person has to act there. */
const PAUSE_ANSWERED_MS = 60_000

/** One try to open a stream ends after this long, in milliseconds; what is patient tries again. */
const OPEN_WITHIN_MS = 60_000

/** Answers that leave open whether the goal was accepted: it is asked again. */
const UNDECIDED: ReadonlySet<ErrorCode> = new Set([
  'CB_BUSY',
  'CB_STORE_DEGRADED',
  'CB_INTERNAL',
  'CB_TIMEOUT',
  'CB_PEER_UNREACHABLE',
  'CB_FRAME_INVALID',
  'CB_INTERRUPTED'
])
/** Failures at this end, or at the door, that no further try will mend while the goal is not accepted. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  'CB_DENIED',
  'CB_PROGRAM_UNKNOWN',
  'CB_FRAME_TOO_LONG',
  'CB_PEER_UNKNOWN',
  'CB_SIGNATURE_INVALID',
  'CB_VALUE_INVALID'
])

/** Tries until the dispatch is closed or `stop` fires. */
export async function driveDispatch(parts: DispatchParts, task: Task, stop: AbortSignal): Promise<void> {
  for (let failures = 0; !isClosed(task.record) && !stop.aborted; ) {
    const heard = await seqOf(parts, task).catch(() => 0)
    const pause = await tryOnce(parts, task, stop)
    if (isClosed(task.record) || stop.aborted) return
    const progress = (await seqOf(parts, task).catch(() => heard)) > heard
    failures = progress ? 0 : failures + 1
    await rest(parts, task, stop, pause ?? jittered(Math.min(PAUSE_FIRST_MS * 2 ** Math.min(failures, 10), PAUSE_MAX_MS)))
  }
}

/** One try. @returns how long to pause, when it is not the usual back-off */
async function tryOnce(parts: DispatchParts, task: Task, stop: AbortSignal): Promise<number | undefined> {
  try {
    const outcome = await hasOutcome(parts, task)
    if (outcome !== undefined) {
      await write(parts, task, { ...certain(task.record), state: 'done', outcome })
      return undefined
    }
    if (task.record.giveUp !== undefined && !task.record.sent) {
      await refuse(parts, task, givenUp(task))
      return undefined
    }
    if (task.record.receipt === undefined && !task.unheard && late(parts, task)) {
      await refuse(parts, task, notReached(task))
      return undefined
    }
    return await settle(parts, task, await converse(parts, task, stop))
  } catch (error) {
    if (stop.aborted) return undefined
    const data = toErrorData(error)
    if (task.record.receipt === undefined && !task.unheard && HOPELESS.has(data.code))
      await refuse(parts, task, data).catch(() => undefined)
    else wait(parts, task, `${task.record.node} is away: ${data.message}`)
    return undefined
  }
}

/** Opens a channel and asks for what is not known yet: the verdict, or the events after the last one held. */
async function converse(parts: DispatchParts, task: Task, stop: AbortSignal): Promise<DispatchEnd> {
  const { record } = task
  const asking = record.receipt === undefined && !late(parts, task)
  const limit = asking ? [AbortSignal.timeout(Math.max(1, Math.min(record.request.acceptBefore - parts.clock.now(), OPEN_WITHIN_MS)))] : []
  const channel = await (task.early?.take() ?? parts.dialer.open(record.peer, DISPATCH, AbortSignal.any([stop, ...limit])))
  const leave = (): void => channel.abort(new CloudburstError('CB_INTERRUPTED', 'the daemon is stopping'))
  stop.addEventListener('abort', leave, { once: true })
  try {
    if (!asking) {
      const have = (await parts.output?.heads(record.id)) ?? []
      const next = (await seqOf(parts, task)) + 1
      return await heard(parts, task, sink => follow(channel, record.id, next, sink, have))
    }
    if (task.record.giveUp !== undefined && !task.record.sent) return { kind: 'left' }
    if (!record.sent) await write(parts, task, { ...task.record, sent: true })
    return await ask(parts, task, channel)
  } finally {
    stop.removeEventListener('abort', leave)
    channel.abort(new CloudburstError('CB_INTERRUPTED', 'done with this stream'))
  }
}

/** On whose behalf, signed now. @throws CloudburstError CB_DENIED when that is another node which has signed nothing */
function behalfOf({ sign, self }: DispatchParts, { id, peer, request, by }: DispatchRecord): { readonly behalf?: readonly string[] } {
  if (sign === undefined) return {}
  const asked = { call: 'dispatch', goalId: id, goal: request.goal, program: request.program.hash }
  return { behalf: sign(peer, asked, by ?? { peer: self, node: '' }) }
}

/** Sends the request. When no verdict is heard, it is not known whether it arrived. */
async function ask(parts: DispatchParts, task: Task, channel: Channel): Promise<DispatchEnd> {
  const { request } = task.record
  const assignments = (await parts.secrets?.reveal(request.assignments)) ?? request.assignments
  const signed = { ...request, assignments, ...behalfOf(parts, task.record) }
  try {
    const end = await heard(parts, task, sink => dispatchOnce(channel, signed, parts.programFiles, sink))
    if (end.kind === 'left') task.unheard = true
    return end
  } catch (error) {
    const here = error instanceof CloudburstError && HOPELESS.has(error.code)
    if (!here) task.unheard = true
    throw error
  }
}

/** Listens to one stream. What it says is in the store on return. */
async function heard(parts: DispatchParts, task: Task, listen: (sink: DispatchSink) => Promise<DispatchEnd>): Promise<DispatchEnd> {
  const mirroring = new Mirroring(events => parts.journal.mirror(task.record.id, events))
  const end = await listen(sinkOf(parts, task, mirroring))
  await mirroring.done()
  return end
}

function sinkOf(parts: DispatchParts, task: Task, mirroring: Mirroring): DispatchSink {
  /** What is on its way to the store of the acceptance. */
  let acceptance: Pick<DispatchRecord, 'receipt'> = {}
  return {
    accepted: async receipt => {
      checkReceipt(parts, task.record, receipt)
      if (task.waiting !== undefined) wait(parts, task, undefined)
      const known = (): void => {
        if (task.record.giveUp !== undefined) parts.cancelThere?.(task.record)
      }
      if (task.record.state === 'accepted') return known()
      acceptance = { receipt: Buffer.from(receipt).toString('base64') }
      // The events that come with it are read meanwhile, and share its sync.
      await mirroring.add(write(parts, task, { ...certain(task.record), ...acceptance, state: 'accepted' }).then(known))
    },
    event: async event => {
      note(task, event)
      if (!isOutcome(event)) return mirroring.event(event)
      const outcome = event.body.type === 'completed' ? 'completed' : 'cancelled'
      const done: DispatchRecord = { ...certain(task.record), ...acceptance, state: 'done', outcome }
      if (isClosed(task.record)) return
      await parts.journal.mirror(task.record.id, [...mirroring.take(), event], recordOps(done), { sync: true })
      change(task, done)
    },
    output: async chunk => parts.output?.write(chunk)
  }
}

/** Whether the goal waits for repair there, for those of its group that wait for it. */
function note(task: Task, { body }: GoalEvent): void {
  if (body.type !== 'suspended' && body.type !== 'repaired' && body.type !== 'started') return
  task.suspended = body.type === 'suspended'
  for (const listener of task.listeners) listener()
}

/** What follows from how a stream ended. @returns the pause, when it is not the usual one */
async function settle(parts: DispatchParts, task: Task, end: DispatchEnd): Promise<number | undefined> {
  const { record } = task
  if (end.kind === 'outcome') return undefined
  if (end.kind === 'left') {
    wait(parts, task, `${record.node} has left`)
    return undefined
  }
  const { error } = end
  if (record.receipt !== undefined) {
    if (error.code === 'CB_RUN_UNKNOWN' && !end.accepted) await doubt(parts, task)
    wait(parts, task, `${record.node} does not tell: ${error.message}`)
    return UNDECIDED.has(error.code) ? undefined : PAUSE_ANSWERED_MS
  }
  if (UNDECIDED.has(error.code)) {
    if (error.code !== 'CB_BUSY') task.unheard = true
    wait(parts, task, `${record.node} has not decided: ${error.message}`)
    return undefined
  }
  // Asked with `follow` after the time to accept: it was not, and now it cannot be any more.
  await refuse(parts, task, error.code === 'CB_RUN_UNKNOWN' ? notReached(task) : error)
  return undefined
}

/** A peer that gave its receipt and does not know the goal has lost its memory: a person must find out what was done. */
async function doubt(parts: DispatchParts, task: Task): Promise<void> {
  if (task.record.state === 'in-doubt') return
  parts.log.warn(
    { goal: task.record.id, peer: task.record.peer },
    'a goal is in doubt: the node that accepted it does not know it any more'
  )
  const message = `${task.record.node} accepted the goal, which is proved by its receipt, and does not know it any more; it is not sent again`
  await write(parts, task, {
    ...task.record,
    state: 'in-doubt',
    error: { code: 'CB_RUN_UNKNOWN', message, details: { id: task.record.id } }
  })
}

/** The record without its doubts: the node tells of the goal again. */
function certain(record: DispatchRecord): DispatchRecord {
  if (record.state !== 'in-doubt') return record
  const { error: _, ...rest } = record
  return rest
}

async function refuse(parts: DispatchParts, task: Task, error: ErrorData): Promise<void> {
  await write(parts, task, { ...task.record, state: 'refused', error })
}

function notReached({ record, waiting }: Task): ErrorData {
  return {
    code: 'CB_PEER_UNREACHABLE',
    message: `${record.request.goal} was not accepted in time and will not be sent later${waiting === undefined ? '' : `: ${waiting}`}`,
    details: { peer: record.node, goal: record.request.goal }
  }
}

function checkReceipt(parts: DispatchParts, { id, peer, request }: DispatchRecord, envelope: Uint8Array): void {
  const { signer, payload } = parts.openReceipt(envelope)
  const receipt = readReceipt(payload)
  const right =
    signer === peer &&
    receipt.executor === peer &&
    receipt.dispatcher === parts.self &&
    receipt.id === id &&
    receipt.goal === request.goal &&
    receipt.program === request.program.hash
  if (!right) throw new CloudburstError('CB_FRAME_INVALID', `the receipt of ${peer} is not for goal ${id}`, { id })
}

/** A person gave it up before anything was sent. */
export function givenUp({ record: { request, giveUp } }: Task): ErrorData {
  const why = giveUp?.why === undefined ? '' : `: ${giveUp.why}`
  return { code: 'CB_NOT_SENT', message: `${request.goal} was cancelled before it was sent${why}`, details: { id: request.id } }
}

/** Durable on return. */
export async function write(parts: DispatchParts, task: Task, record: DispatchRecord): Promise<void> {
  // What was closed meanwhile, e.g. abandoned, stays closed.
  if (isClosed(task.record)) return
  await parts.store.batch(recordOps(record), { sync: true })
  change(task, record)
}

function change(task: Task, record: DispatchRecord): void {
  task.record = record
  for (const listener of task.listeners) listener()
}

function wait({ clock }: DispatchParts, task: Task, reason: string | undefined): void {
  task.waitingSince = reason === undefined ? undefined : (task.waitingSince ?? clock.now())
  task.waiting = reason
  for (const listener of task.listeners) listener()
}

async function seqOf(parts: DispatchParts, task: Task): Promise<number> {
  return (await parts.journal.summary(task.record.id))?.seq ?? 0
}

/** A write of the outcome that failed may have been made all the same; the executor has nothing to tell after it. */
async function hasOutcome(parts: DispatchParts, task: Task): Promise<DispatchRecord['outcome']> {
  const status = (await parts.journal.summary(task.record.id))?.status
  return status === 'completed' || status === 'cancelled' ? status : undefined
}

function late(parts: DispatchParts, { record }: Task): boolean {
  return parts.clock.now() >= record.request.acceptBefore
}

/** A pause that ends early when the peer comes up, or when the time to accept is over. */
async function rest(parts: DispatchParts, task: Task, stop: AbortSignal, ms: number): Promise<void> {
  const left = task.record.request.acceptBefore - parts.clock.now()
  const until = task.record.receipt === undefined && left > 0 ? Math.min(ms, left) : ms
  const woken = new AbortController()
  task.wake = () => woken.abort()
  await parts.clock.sleep(until, AbortSignal.any([stop, woken.signal])).catch(() => undefined)
  task.wake = () => undefined
}

/** Between half of it and all of it, so that many dispatches do not knock at once. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
