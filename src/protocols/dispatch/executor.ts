/** What the server needs of the node that pursues. Implemented in src/node, faked in tests. */
import type { OutputChunk, Principal } from '../../goals/pursuit/events.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import type { Subject } from '../agency/server.ts'
import type { EventSource } from './live-events.ts'
import type { FromDispatcher, OutputHead } from './messages.ts'

export type DispatchRequest = Extract<FromDispatcher, { type: 'request' }>

/** A goal that is this node's duty since `acceptedAt`. */
export interface Acceptance {
  readonly goal: string
  /** Hash of the program. */
  readonly program: string
  /** Epoch milliseconds. */
  readonly acceptedAt: number
  /** Number of its latest event. */
  readonly seq?: number
}

export interface Executor {
  /** Peer id of this node. */
  readonly peer: string
  /** Whether the program of this hash is held here. */
  holds(hash: string): Promise<boolean>
  /**
   * Takes in a program; durable on return. Called only after program:load was required.
   * @returns its hash
   * @throws CloudburstError CB_PROGRAM_INVALID
   */
  load(files: readonly SourceFile[], by: Principal): Promise<string>
  /**
   * Makes the goal this node's duty, under the request's id as its own: durable on return. The same id of the same
   * dispatcher again changes nothing and gives the same answer. Called only after goal:dispatch was required.
   * @throws CloudburstError CB_GOAL_UNKNOWN, CB_CONFIG_INCOMPLETE, CB_VALUE_INVALID, CB_BUSY, CB_STORE_DEGRADED: nothing has happened then
   */
  accept(request: DispatchRequest, by: Principal): Promise<Acceptance>
  /** What was accepted under `id` from this dispatcher; kept at least until the request's acceptBefore and as long as the goal. */
  find(id: string, dispatcher: string): Promise<Acceptance | undefined>
  /** Brings a goal of this dispatcher to rest, its steps ended, until a person decides; nothing when it is over. Durable on return. */
  fence(id: string, by: Principal, why?: string): Promise<void>
  /** What the goal needs besides goal:dispatch, e.g. node:shell. */
  subject?(request: DispatchRequest): Promise<Subject> | Subject
  readonly events: EventSource
  /**
   * What the goal's steps print, from where `have` ends, then live. When `until` fires, what is still unread follows
   * and the sequence ends.
   */
  output?(goalId: string, have: readonly OutputHead[], until: AbortSignal): AsyncIterable<OutputChunk>
  /** A DSSE envelope by this node's key. */
  seal(payloadType: string, payload: Uint8Array): Uint8Array
  /** Epoch milliseconds. */
  now(): number
}
