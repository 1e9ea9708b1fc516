/** What is written down about a goal that was sent to another node. Events are not here: they are mirrored into the journal. */
import type { ErrorData } from '../../errors.ts'
import type { DispatchRequest } from '../../protocols/dispatch/executor.ts'

/**
 * open: no verdict yet · accepted: it is the peer's duty · in-doubt: accepted, but the peer does not know it any more ·
 * done: its outcome is in the journal · refused: it was never accepted, `error` says why.
 */
export type DispatchState = 'open' | 'accepted' | 'in-doubt' | 'done' | 'refused'

export interface DispatchRecord {
  readonly id: string
  /** Peer id of the node that pursues. */
  readonly peer: string
  /** Its name when the goal was sent. */
  readonly node: string
  readonly request: DispatchRequest
  readonly state: DispatchState
  /** The request may have reached the peer. Synced before it is written to a connection. */
  readonly sent: boolean
  /** Base64 of the executor's signed receipt. */
  readonly receipt?: string
  readonly error?: ErrorData
}

export const OPEN_PREFIX = 'o!'
const CLOSED_PREFIX = 'oz!'

/** Whether nothing more will happen. */
export function isClosed({ state }: DispatchRecord): boolean {
  return state === 'done' || state === 'refused'
}

/** Open dispatches stand together, so that a restart reads only them. */
export const openKey = (id: string): string => `${OPEN_PREFIX}${id}`
export const closedKey = (id: string): string => `${CLOSED_PREFIX}${id}`
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
