import { CloudburstError } from '../../errors.ts'
import type { GoalEvent } from '../../goals/pursuit/events.ts'
import type { Caller, Channel } from '../wire/channel.ts'
import { encodeJson } from '../wire/json-text.ts'
import type { Executor } from './executor.ts'
import { liveEvents } from './live-events.ts'
import { EVENTS_TEXT_BYTES_MAX, EVENTS_TOGETHER_MAX, type FromExecutor, type OutputHead } from './messages.ts'

/** Output that is still unread when the goal has come to its outcome is waited for this long, in milliseconds. */
const REST_OF_OUTPUT_MS = 5_000

/** What is told of a goal. */
export interface Telling {
  /** Number of the first event. */
  readonly from: number
  /** Output that is held there already. */
  readonly have?: readonly OutputHead[]
  /** Whether several events may go in a message. */
  readonly together: boolean
}

/**
 * Sends a goal's events and output to its dispatcher until the outcome has been sent, the dispatcher has left or its
 * session has ended. A suspended goal is not an outcome: the stream stays open.
 * @throws CloudburstError CB_DENIED when the session has ended
 */
export async function tell(
  executor: Executor,
  channel: Channel,
  caller: Caller,
  goalId: string,
  { from, have = [], together }: Telling
): Promise<void> {
  const left = new AbortController()
  const leave = (): void => left.abort()
  const stop = AbortSignal.any([left.signal, channel.closed, caller.ended])
  const outputEnds = new AbortController()
  if (caller.ended.aborted) throw sessionEnded(caller)

  void untilLeft(channel).then(leave, leave)
  // Output is a courtesy: it is in the executor's files whatever happens here.
  const printing = print(executor, channel, goalId, have, AbortSignal.any([outputEnds.signal, stop])).catch(() => undefined)
  try {
    for await (const events of liveEvents(executor.events, goalId, from, stop)) {
      const last = events.findIndex(isOutcome)
      const end = last === -1 ? [] : events.slice(beginOfEnd(events, last), last + 1)
      const before = last === -1 ? events : events.slice(0, last + 1 - end.length)
      for (const some of together ? slices(before) : before.map(event => [event])) {
        if (stop.aborted) break
        await send(channel, some)
      }
      if (last === -1 || stop.aborted) continue
      // What the last steps printed belongs before the outcome: the dispatcher stops listening there.
      outputEnds.abort()
      await atMost(printing, REST_OF_OUTPUT_MS)
      for (const some of together ? [end] : end.map(event => [event])) await send(channel, some)
      return
    }
    if (caller.ended.aborted) throw sessionEnded(caller)
  } finally {
    outputEnds.abort()
    leave()
  }
}

/** A suspension that the outcome has overtaken goes with it: nobody is to take the goal for one that waits. */
function beginOfEnd(events: readonly GoalEvent[], last: number): number {
  return events[last - 1]?.body.type === 'suspended' ? last - 1 : last
}

/** One message, or several when it would be too long. */
async function send(channel: Channel, events: readonly GoalEvent[]): Promise<void> {
  const [event] = events
  if (event === undefined) return
  if (events.length === 1) return await channel.write({ type: 'event', event } satisfies FromExecutor)
  const text = encodeJson(events)
  if (text.byteLength <= EVENTS_TEXT_BYTES_MAX) return await channel.write({ type: 'events', events: text } satisfies FromExecutor)
  const half = events.length >> 1
  await send(channel, events.slice(0, half))
  await send(channel, events.slice(half))
}

function slices(events: readonly GoalEvent[]): (readonly GoalEvent[])[] {
  if (events.length <= EVENTS_TOGETHER_MAX) return [events]
  const count = Math.ceil(events.length / EVENTS_TOGETHER_MAX)
  return Array.from({ length: count }, (_, at) => events.slice(at * EVENTS_TOGETHER_MAX, (at + 1) * EVENTS_TOGETHER_MAX))
}

/** Whether nothing can follow this event. */
export function isOutcome({ body }: GoalEvent): boolean {
  return body.type === 'completed' || body.type === 'cancelled'
}

async function print(executor: Executor, channel: Channel, goalId: string, have: readonly OutputHead[], until: AbortSignal): Promise<void> {
  if (executor.output === undefined) return
  for await (const { step, attempt, stream, offset, bytes } of executor.output(goalId, have, until)) {
    await channel.write({ type: 'output', step, attempt, stream, offset, bytes } satisfies FromExecutor)
  }
}

/** After its request a dispatcher says nothing but heartbeats; the end of its messages is its leaving. */
async function untilLeft(channel: Channel): Promise<void> {
  const message = await channel.read()
  if (message !== undefined) channel.abort(new CloudburstError('CB_FRAME_INVALID', `peer ${channel.peer} sent a message while following`))
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
    timer.unref()
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

function sessionEnded(caller: Caller): CloudburstError {
  return new CloudburstError('CB_DENIED', `the session of ${caller.node} has ended`, { peer: caller.peer })
}
