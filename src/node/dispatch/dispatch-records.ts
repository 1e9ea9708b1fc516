/** What is written down about a goal that was sent to another node. Events are not here: they are mirrored into the journal. */
import type { ErrorData } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { DispatchRequest } from '../../protocols/dispatch/executor.ts'

/**
 * queued: its turn in its group has not come · open: no verdict yet · accepted: it is the peer's duty ·
 * in-doubt: accepted, but the peer does not know it any more · done: its outcome is in the journal ·
 * refused: it was never accepted, `error` says why · abandoned: a person has said that its peer is gone for good.
 */
export type DispatchState = 'queued' | 'open' | 'accepted' | 'in-doubt' | 'done' | 'refused' | 'abandoned'

/** Dispatches of one goal to many nodes, so many at a time. */
export interface DispatchGroup {
  readonly id: string
  /** Place in the order in which they are sent, from 0. */
  readonly at: number
  /** Nodes that pursue at a time. */
  readonly parallel: number
  /** When more have failed, no further ones are sent. Absent: all are. */
  readonly failuresMax?: number
}

/** How a goal is given up. */
export interface GivingUp {
  readonly why?: string
  /** What was done stays done. */
  readonly undo?: false
  /** Others that have asked for the same keep it. */
  readonly leave?: true
}

export interface DispatchRecord {
  readonly id: string
  /** Peer id of the node that pursues. */
  readonly peer: string
  /** Its name when the goal was sent. */
  readonly node: string
  readonly request: DispatchRequest
  /** Whose wish it is; absent: this node's own people's. Signed anew each time it is sent. */
  readonly by?: Principal
  readonly state: DispatchState
  /** The request may have reached the peer. Synced before it is written to a connection. */
  readonly sent: boolean
  /** Base64 of the executor's signed receipt. */
  readonly receipt?: string
  readonly error?: ErrorData
  /** Of done. */
  readonly outcome?: 'completed' | 'cancelled'
  readonly group?: DispatchGroup
  /** How long the peer has to accept once it is its turn, in milliseconds. */
  readonly acceptWithinMs?: number
  /** It may wait for a peer that is away: others of its group need not wait for it. */
  readonly patient?: true
  /** A person has given it up: told to the peer when it is there again. */
  readonly giveUp?: { readonly by: Principal } & GivingUp
}

/** A peer that has not been told yet that its goal was abandoned. */
export interface Fence {
  readonly id: string
  readonly peer: string
  readonly node: string
  readonly why?: string
}

export const OPEN_PREFIX = 'o!'
const CLOSED_PREFIX = 'oz!'
export const FENCE_PREFIX = 'of!'

/** Whether nothing more will happen. */
export function isClosed({ state }: DispatchRecord): boolean {
  return state === 'done' || state === 'refused' || state === 'abandoned'
}

/** Open dispatches stand together, so that a restart reads only them. */
export const openKey = (id: string): string => `${OPEN_PREFIX}${id}`
export const closedKey = (id: string): string => `${CLOSED_PREFIX}${id}`
export const fenceKey = (id: string): string => `${FENCE_PREFIX}${id}`
export const closedPrefix = CLOSED_PREFIX

/** What has to be written for a record. */
export function recordOps(record: DispatchRecord): readonly DispatchOp[] {
  if (!isClosed(record)) return [{ type: 'put', key: openKey(record.id), value: record }]
  return [
    { type: 'del', key: openKey(record.id) },
    { type: 'put', key: closedKey(record.id), value: record }
  ]
}

export type DispatchOp =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string }
