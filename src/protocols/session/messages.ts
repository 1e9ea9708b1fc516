/** `/cloudburst/session/1`: the first words after Noise. Spec: ./README.md */
import type { Capability } from '../../crypto/capability.ts'
import type { ErrorData } from '../../errors.ts'

export const SESSION = '/cloudburst/session/1'

/** Longest first frame from a peer without a permit, in bytes: a handful of grants fits. */
export const STRANGER_FRAME_BYTES_MAX = 16 * 1024
/** Most bytes of grants in one hello: the rest of the frame is for names and addresses. */
export const HELLO_GRANTS_BYTES_MAX = 12 * 1024 + 512
/** A stranger has this long to say who it is, in milliseconds. */
export const STRANGER_TIMEOUT_MS = 2_000

export interface SessionHello {
  readonly type: 'hello'
  /** Name the node calls itself; only a suggestion to the other side. */
  readonly name: string
  readonly version: string
  readonly labels: Readonly<Record<string, string>>
  readonly addresses: readonly string[]
  /** Grants that the caller holds: DSSE envelopes as they were signed. As many as fit; the rest goes over `/cloudburst/trust/1`. */
  readonly grants: readonly Uint8Array[]
  /** Secret of a join ticket, once: makes the two nodes know and permit each other. */
  readonly ticket?: string
}

export type SessionReply =
  | {
      readonly type: 'welcome'
      readonly name: string
      readonly version: string
      readonly labels: Readonly<Record<string, string>>
      readonly addresses: readonly string[]
      /** What the caller may do here, for its information: every request is checked anyway. */
      readonly capabilities: readonly Capability[]
      /** Epoch milliseconds; checked again before then. */
      readonly until: number
      /** The grants were good; this connection began as a stranger's and ends now: come back on another one. */
      readonly again?: true
    }
  | { readonly type: 'refused'; readonly error: ErrorData }
