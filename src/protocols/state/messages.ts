/** `/cloudburst/state/1` and the topic of heads: SendStateUpdate. Spec: ./README.md */
import type { Tree } from '../../goals/tree.ts'

export const STATE = '/cloudburst/state/1'
/** gossipsub topic that carries heads, never values. */
export const HEADS_TOPIC = '/cloudburst/heads/1'

/** Longest record of one origin, in bytes, and how many origins are kept. */
export const RECORD_BYTES_MAX = 64 * 1024
export const ORIGINS_MAX = 1_000

/** One change of one path. An absent value removes it. */
export interface ConfigChange {
  /** Below `nodes.<name>`: `agents.web.variables.count`. */
  readonly path: string
  readonly value?: Tree
  /** Counts changes of this path at its owner, from 1. */
  readonly revision: number
  /** Id of the goal at the owner that wrote it. */
  readonly goal?: string
}

/** Changes that become visible together. */
export interface ConfigTransaction {
  readonly id: string
  /** Epoch milliseconds at the owner. */
  readonly at: number
  readonly changes: readonly ConfigChange[]
}

/**
 * What an owner signs. Records of one (origin, boot) count from 1 without gaps; number 1 is a snapshot,
 * and so may later ones be, which makes everything before them unnecessary.
 */
export interface StateRecord {
  readonly origin: string
  /** Name under which the origin publishes: `nodes.<name>`. */
  readonly name: string
  /** max(stored + 1, epoch milliseconds) at each opening of the store. */
  readonly boot: number
  /** Random, per boot: two records that differ only in content prove a fork. */
  readonly nonce: string
  readonly seq: number
  readonly snapshot: boolean
  /** The transaction goes on in the next record, and becomes visible with its last part. Absent in the last. */
  readonly more?: true
  readonly transaction: ConfigTransaction
}

/** How far an origin is known: the version vector is a list of these. */
export interface Head {
  readonly origin: string
  readonly boot: number
  readonly nonce: string
  readonly seq: number
  /**
   * Of all records from the last snapshot on: who tells each of its neighbours another history gives itself away when two
   * of them compare. Absent in heads of older nodes, and where nothing is known yet.
   */
  readonly print?: string
  /** Two different records of one number are held as proof: nothing of this origin is taken until a person decides. */
  readonly fork?: true
}

/** Asks for what is missing; answered by all of it, and `done`. */
export type StateMessage =
  /** Asks whether there is anything to pull: {@link Replica.headsPrint}. Answered by `same`, or by `differs`, and then a pull follows. */
  | { readonly type: 'compare'; readonly print: string }
  | { readonly type: 'same' }
  /** `sums`: of the buckets of the giver's heads (buckets.ts), so that the pull need not speak of all. Absent where they are few, and from older nodes. */
  | { readonly type: 'differs'; readonly sums?: Uint8Array }
  /** Only these origins are asked for, and `have` speaks of no others: `of` them, or of these `buckets`, after a `differs` with sums. Absent: all. */
  | { readonly type: 'pull'; readonly have: readonly Head[]; readonly of?: readonly string[]; readonly buckets?: readonly number[] }
  /** Envelopes as their origin signed them, in order per origin. */
  | { readonly type: 'records'; readonly envelopes: readonly Uint8Array[] }
  /** The proof of a fork: two records of one origin, boot, nonce and number that differ. */
  | { readonly type: 'fork'; readonly proof: readonly [Uint8Array, Uint8Array] }
  /** Statements that a node is gone for good: see forget.ts. */
  | { readonly type: 'forget'; readonly envelopes: readonly Uint8Array[] }
  | { readonly type: 'done' }
