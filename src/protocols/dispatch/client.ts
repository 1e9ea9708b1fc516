/** The dispatcher's side of one stream of dispatch. Keeping at it over many streams is node/dispatches.ts. Spec: ./README.md */
import { CloudburstError, type ErrorData, fromErrorData } from '../../errors.ts'
import type { GoalEvent, OutputChunk } from '../../goals/pursuit/events.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import { beating } from '../heartbeat.ts'
import { accepted } from '../shapes.ts'
import type { Channel } from '../wire/channel.ts'
import type { DispatchRequest } from './executor.ts'
import type { FromDispatcher, FromExecutor, OutputHead } from './messages.ts'
import { fromExecutorShape } from './shapes.ts'
import { isOutcome } from './tell.ts'

/** What a dispatcher understands besides what every version does; executors that do not know of it take it for a heartbeat. */
const TAKES: FromDispatcher = { type: 'heartbeat', takes: ['events'] }

/** Takes in what the executor tells. Each call is awaited before the next message is read: that is the back-pressure. */
export interface DispatchSink {
  /** Durable on return. @throws CloudburstError CB_SIGNATURE_INVALID for a receipt that is not this executor's for this goal */
  accepted(receipt: Uint8Array): Promise<void>
  /** In order, without gap or repeat. The outcome is durable on return. */
  event(event: GoalEvent): Promise<void>
  output(chunk: OutputChunk): Promise<void>
}

/** How a stream of dispatch ended, when nothing broke. */
export type DispatchEnd =
  /** The goal has come to its outcome, and the sink has it. */
  | { readonly kind: 'outcome' }
  /** `accepted`: whether the goal had been accepted on this stream; then only following was refused. */
  | { readonly kind: 'refused'; readonly error: ErrorData; readonly accepted: boolean }
  /** The executor finished without an outcome, e.g. because it is shutting down. */
  | { readonly kind: 'left' }

/**
 * Asks a peer to take on a goal and follows it from its first event.
 * @param programFiles called when the peer lacks the program
 * @throws CloudburstError CB_PEER_UNREACHABLE when the channel broke: the goal may or may not have been accepted;
 *   CB_FRAME_INVALID for an answer against the protocol; whatever the sink throws
 */
export async function dispatchOnce(
  raw: Channel,
  request: DispatchRequest,
  programFiles: (hash: string) => Promise<readonly SourceFile[]>,
  sink: DispatchSink
): Promise<DispatchEnd> {
  return converse(beating(raw), request, 1, sink, programFiles)
}

/**
 * Goes on with a goal that was accepted earlier.
 * @param from number of the first event wanted, from 1
 * @param have how much of each output is held already
 * @throws as {@link dispatchOnce}
 */
export async function follow(
  raw: Channel,
  id: string,
  from: number,
  sink: DispatchSink,
  have: readonly OutputHead[] = []
): Promise<DispatchEnd> {
  return converse(beating(raw), { type: 'follow', id, from, have }, from, sink)
}

/**
 * Tells a peer that a goal which it has accepted was given up here: it rests there until a person decides.
 * @throws CloudburstError CB_RUN_UNKNOWN when the peer never accepted it; CB_PEER_UNREACHABLE when it is not known whether it was told
 */
export async function fence(raw: Channel, id: string, why?: string): Promise<void> {
  const channel = beating(raw)
  try {
    await send(channel, { type: 'fence', id, ...(why !== undefined && { why }) })
    const raw = await channel.read()
    if (raw === undefined)
      throw new CloudburstError('CB_PEER_UNREACHABLE', `peer ${channel.peer} left without an answer`, { peer: channel.peer })
    const answer = accepted(fromExecutorShape, raw, 'message of an executor')
    if (answer.type === 'refused') throw fromErrorData(answer.error)
    if (answer.type !== 'fenced' || answer.id !== id) throw against(channel, `it answered a fence with ${answer.type}`)
    await channel.finish().catch(() => undefined)
  } catch (error) {
    channel.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

async function converse(
  channel: Channel,
  opening: Extract<FromDispatcher, { type: 'request' | 'follow' }>,
  from: number,
  sink: DispatchSink,
  programFiles?: (hash: string) => Promise<readonly SourceFile[]>
): Promise<DispatchEnd> {
  try {
    await Promise.all([send(channel, TAKES), send(channel, opening)])
    const end = await listen(channel, opening.id, from, sink, programFiles)
    await channel.finish().catch(() => undefined)
    return end
  } catch (error) {
    channel.abort(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

async function listen(
  channel: Channel,
  id: string,
  from: number,
  sink: DispatchSink,
  programFiles?: (hash: string) => Promise<readonly SourceFile[]>
): Promise<DispatchEnd> {
  let next = from
  let verdict = false
  for (;;) {
    const raw = await channel.read()
    if (raw === undefined) return { kind: 'left' }
    const message = accepted(fromExecutorShape, raw, 'message of an executor')
    if (!verdict && (message.type === 'event' || message.type === 'events' || message.type === 'output'))
      throw against(channel, `it sent ${message.type} before its verdict`)
    switch (message.type) {
      case 'fenced':
        throw against(channel, 'it answered a fence that was not asked for')
      case 'refused':
        return { kind: 'refused', error: message.error, accepted: verdict }
      case 'need-program':
        if (verdict || programFiles === undefined) throw against(channel, 'it asked for a program out of turn')
        await send(channel, { type: 'program', files: await programFiles(message.hash) })
        break
      case 'accepted':
        if (verdict || message.id !== id) throw against(channel, `it accepted ${message.id} instead of ${id}`)
        await sink.accepted(message.receipt)
        verdict = true
        break
      case 'event':
        await takeEvent(channel, id, next, message.event, sink)
        next++
        if (isOutcome(message.event)) return { kind: 'outcome' }
        break
      case 'events':
        for (const event of message.events) {
          await takeEvent(channel, id, next, event, sink)
          next++
          if (isOutcome(event)) return { kind: 'outcome' }
        }
        break
      case 'output':
        await sink.output({ goalId: id, ...output(message) })
        break
    }
  }
}

async function takeEvent(channel: Channel, id: string, next: number, event: GoalEvent, sink: DispatchSink): Promise<void> {
  if (event.goalId !== id || event.seq !== next)
    throw against(channel, `it sent event ${event.seq} of ${event.goalId} instead of ${next} of ${id}`)
  await sink.event(event)
}

function output({ step, attempt, stream, offset, bytes }: Extract<FromExecutor, { type: 'output' }>): Omit<OutputChunk, 'goalId'> {
  return { step, attempt, stream, offset, bytes }
}

function against(channel: Channel, reason: string): CloudburstError {
  return new CloudburstError('CB_FRAME_INVALID', `peer ${channel.peer} does not keep to the dispatch protocol: ${reason}`, {
    peer: channel.peer
  })
}

function send(channel: Channel, message: FromDispatcher): Promise<void> {
  return channel.write(message)
}
