/** What a replica is, to those who open one and those who use it. */
import type { Tree } from '../../goals/tree.ts'
import type { ConfigChange, Head } from './messages.ts'
import type { Changed, Missing, Verdict } from './origin.ts'

export interface ReplicaParts {
  /** Peer id and name of this node: it publishes below `nodes.<name>`. */
  readonly self: string
  readonly name: string
  /** Of this opening of the store. */
  readonly boot: number
  readonly nonce: string
  /** An envelope of RECORD_TYPE by this node's key. */
  readonly seal: (payload: Uint8Array) => Uint8Array
  /** @throws CloudburstError CB_SIGNATURE_INVALID */
  readonly open: (envelope: Uint8Array) => { readonly signer: string; readonly payload: Uint8Array }
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A fresh ULID, for transactions. */
  readonly id: () => string
  /** A fresh nonce, hex, when this node has to begin anew because others know a later boot of it. */
  readonly freshNonce: () => string
  /** Whether this node knows a peer by itself: a neighbour, or one with a permit. Absent: all. */
  readonly known?: (peer: string) => boolean
  /** Statements that a node is gone for good; without it there are none. */
  readonly forgets?: {
    /** An envelope of FORGET_TYPE by this node's key. */
    readonly seal: (payload: Uint8Array) => Uint8Array
    /** @throws CloudburstError CB_SIGNATURE_INVALID */
    readonly open: (envelope: Uint8Array) => { readonly signer: string; readonly payload: Uint8Array }
    /** Whether a peer may say so. */
    readonly allowed: (signer: string) => boolean
  }
}

/** A change as others see it. `n` counts the changes of this replica, from 1. */
export interface Seen extends Changed {
  readonly n: number
  readonly origin: string
}

export interface Replica {
  /** Peer id and name of this node. */
  readonly self: string
  readonly name: string
  readonly nonce: string
  /**
   * Makes changes of this node's own part visible, here now and elsewhere when they come to know of it; what is as it was is left out.
   * @param changes paths below `nodes.<name>`; no value removes
   * @throws CloudburstError CB_FRAME_TOO_LONG when one value does not fit into a record; nothing has changed then
   */
  publish(changes: readonly Omit<ConfigChange, 'revision'>[]): void
  /** This node's own part: path, value and revision. */
  own(): ReadonlyMap<string, { readonly value: Tree; readonly revision: number }>
  /** Takes in an envelope of anybody. @param from the peer that gave it; absent: a person or a disk of this node @throws CloudburstError CB_SIGNATURE_INVALID, CB_FRAME_INVALID, CB_FRAME_TOO_LONG */
  apply(envelope: Uint8Array, from?: string): Verdict
  /** Takes in the proof of a fork. @param from the peer that gave it @returns whether it holds and is news */
  applyProof(proof: readonly [Uint8Array, Uint8Array], from?: string): boolean
  /**
   * The operator's decision to trust an origin again, from its next boot on.
   * @returns the last boot that is not trusted
   */
  acceptFork(origin: string): number
  /** What {@link acceptFork} has decided in an earlier life. */
  distrust(origin: string, name: string, boot: number): void
  /** Says that a node is gone for good. @throws CloudburstError CB_USAGE for one that is not known */
  forget(origin: string, why?: string): void
  /** Takes in what somebody else says of that. @returns whether it is news @throws CloudburstError CB_SIGNATURE_INVALID, CB_FRAME_INVALID */
  applyForget(envelope: Uint8Array): boolean
  /** Everything that is kept of others, to be put into a replica that is opened anew. */
  kept(): readonly {
    readonly origin: string
    readonly seq: number
    readonly envelopes: readonly Uint8Array[]
    readonly gone?: Uint8Array
  }[]
  /** Who says a path is so, and since when: the newest of all values at or below it first. */
  explain(path: string): readonly Explained[]
  /** Everybody who is known by what it publishes, or was. */
  origins(): readonly { readonly origin: string; readonly name: string }[]
  /** Origins that are held back. */
  forks(): readonly { readonly origin: string; readonly name: string }[]
  /** How far each origin is known; of these only, if given. */
  heads(of?: readonly string[]): readonly Head[]
  /** Equal on two nodes of which neither has anything to give to the other. */
  headsPrint(): string
  /** SUMS_BYTES, for the {@link Replica.unlike} of somebody with other heads; undefined where the heads themselves are hardly longer. */
  headsSums(): Uint8Array | undefined
  /** The buckets of heads of which somebody else has other sums. */
  unlike(sums: Uint8Array): readonly number[]
  /** Whose heads are in these buckets. */
  originsIn(buckets: readonly number[]): readonly string[]
  /** Whether `head` is ahead of what is known here. */
  lacks(head: Head): boolean
  /** What somebody with `have` lacks: envelopes in the order in which they can be applied, and proofs of forks. */
  missing(have: readonly Head[], of?: readonly string[]): Missing
  /** Equal on two nodes that know the same, of those whom this node knows by itself: others are the word of somebody. */
  digest(): string
  /** The value at a path, e.g. `nodes.web1.host.os`; `nodes` or nothing is everything. */
  read(path: string): Tree | undefined
  /** The latest changes, oldest first: CHANGES_KEPT, or a few more. */
  changes(): readonly Seen[]
  /** How many changes there have been. */
  count(): number
  /** Called after changes have become visible, and when there is news for others. @returns ends it */
  subscribe(listener: (news: News) => void): () => void
}

export interface News {
  /** Of this node itself. */
  readonly published?: Head
  /** An origin that is held back from now on. */
  readonly fork?: string
  /** Another node lives under this node's key: its boot. */
  readonly clone?: number
}

/** Where a value comes from. */
export interface Explained {
  /** With `nodes.<name>`. */
  readonly path: string
  readonly value: Tree
  readonly revision: number
  /** Epoch milliseconds at the owner. */
  readonly at: number
  /** Id of the goal that wrote it. */
  readonly goal?: string
  /** Peer id of the owner, whose signature was verified. */
  readonly origin: string
  readonly boot: number
  /** The record that says so is this one or an earlier one of that boot. */
  readonly seq: number
}
