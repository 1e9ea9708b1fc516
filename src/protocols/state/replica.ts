/**
 * What this node knows of all nodes, and what it publishes of itself: SendStateUpdate without any input or output.
 * Spec: ./README.md
 */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import type { Tree } from '../../goals/tree.ts'
import { type ConfigChange, type Head, ORIGINS_MAX } from './messages.ts'
import {
  advance,
  again,
  type Changed,
  compareBoots,
  digestOf,
  headOf,
  judge,
  type Kept,
  missing,
  LAST_NONCE,
  newOrigin,
  type Origin,
  sameBytes,
  type Verdict
} from './origin.ts'
import { type OwnRecords, ownRecords } from './own.ts'
import { readTree } from './read-tree.ts'
import { decodeRecord } from './record.ts'

export type { Verdict } from './origin.ts'

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
}

/** A change as others see it. `n` counts the changes of this replica, from 1. */
export interface Seen extends Changed {
  readonly n: number
  readonly origin: string
}

/** Changes kept for those who watch and are slow, or come back: beyond it they start from the whole value. */
export const CHANGES_KEPT = 1_000
/** This often we give way to a later boot of ourselves. Beyond it, another node is using our key. */
const REBASES_MAX = 3

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
  /** Takes in an envelope of anybody. @throws CloudburstError CB_SIGNATURE_INVALID, CB_FRAME_INVALID, CB_FRAME_TOO_LONG */
  apply(envelope: Uint8Array): Verdict
  /** Takes in the proof of a fork. @returns whether it holds and is news */
  applyProof(proof: readonly [Uint8Array, Uint8Array]): boolean
  /** The operator's decision to trust an origin again, from its next boot on. */
  acceptFork(origin: string): void
  /** Origins that are held back. */
  forks(): readonly { readonly origin: string; readonly name: string }[]
  heads(): readonly Head[]
  /** Whether `head` is ahead of what is known here. */
  lacks(head: Head): boolean
  /** What somebody with `have` lacks: envelopes in the order in which they can be applied, and proofs of forks. */
  missing(have: readonly Head[]): {
    readonly envelopes: readonly Uint8Array[]
    readonly proofs: readonly (readonly [Uint8Array, Uint8Array])[]
  }
  /** Equal on two nodes that know the same. */
  digest(): string
  /** The value at a path, e.g. `nodes.web1.host.os`; `nodes` or nothing is everything. */
  read(path: string): Tree | undefined
  /** The latest changes, oldest first, at most CHANGES_KEPT. */
  changes(): readonly Seen[]
  /** How many changes there have been. */
  count(): number
  /** Called after changes have become visible, and when there is news for others. @returns ends it */
  subscribe(listener: (news: { readonly published?: Head; readonly fork?: string }) => void): () => void
}

export function openReplica(parts: ReplicaParts): Replica {
  const origins = new Map<string, Origin>()
  const recent: Seen[] = []
  const listeners = new Set<Parameters<Replica['subscribe']>[0]>()
  let count = 0
  let rebases = 0
  const own: OwnRecords = ownRecords(parts)

  const tell = (news: { published?: Head; fork?: string }): void => {
    for (const listener of listeners) listener(news)
  }
  const show = (state: Origin, changed: readonly Changed[]): void => {
    for (const change of changed) {
      recent.push({ ...change, path: `nodes.${state.name}.${change.path}`, origin: state.origin, n: ++count })
    }
    recent.splice(0, Math.max(0, recent.length - CHANGES_KEPT))
  }
  const publish = (changes: readonly Omit<ConfigChange, 'revision'>[], anew = false): void => {
    const state = origins.get(parts.self)
    if (state?.proof !== undefined) return
    const records = own.next(state, changes, anew)
    if (records.length === 0) return
    const into = state ?? newOrigin(records[0]!.record)
    origins.set(parts.self, into)
    for (const { record, kept } of records) show(into, advance(into, record, kept))
    tell({ published: headOf(into) })
  }
  /** Others know a later life of this node than ours, e.g. after an old disk was restored: live on behind it. */
  const rebase = (boot: number): void => {
    if (rebases++ >= REBASES_MAX) return
    own.begin(boot + 1, parts.freshNonce())
    if (origins.has(parts.self)) publish([], true)
  }
  const holdBack = (origin: Origin, proof: readonly [Uint8Array, Uint8Array]): void => {
    const gone = [...origin.values.keys()].map((path): Changed => ({ path, at: parts.now() }))
    origin.proof = proof
    origin.values = new Map()
    origin.log = []
    origin.bytes = 0
    origin.parts = undefined
    show(origin, gone)
    tell({ fork: origin.origin })
  }

  const apply = (envelope: Uint8Array): Verdict => {
    const { signer, payload } = parts.open(envelope)
    const record = decodeRecord(payload, signer)
    const state = origins.get(record.origin)
    const mine = record.origin === parts.self
    if (mine && compareBoots(record, own.life()) > 0) {
      rebase(record.boot)
      return 'own'
    }
    if (mine && compareBoots(record, own.life()) < 0) return 'stale'
    const verdict = judge(state, record, payload)
    if (mine && verdict !== 'fork') return 'own'
    if (verdict === 'fork') holdBack(state!, [state!.log.find(({ seq }) => seq === record.seq)!.envelope, envelope])
    if (verdict !== 'applied') return verdict
    if (state === undefined && origins.size >= ORIGINS_MAX) return 'full'
    const into = state ?? newOrigin(record)
    origins.set(record.origin, into)
    const kept: Kept = { seq: record.seq, envelope, payload }
    const changed =
      into.name !== record.name ? again(into, record.name, show, () => advance(into, record, kept)) : advance(into, record, kept)
    show(into, changed)
    tell({})
    return 'applied'
  }

  const applyProof = (proof: readonly [Uint8Array, Uint8Array]): boolean => {
    const [a, b] = proof.map(envelope => {
      const { signer, payload } = parts.open(envelope)
      return { payload, record: decodeRecord(payload, signer) }
    })
    const same = a!.record.origin === b!.record.origin && compareBoots(a!.record, b!.record) === 0 && a!.record.seq === b!.record.seq
    if (!same || sameBytes(a!.payload, b!.payload)) return false
    const known = origins.get(a!.record.origin)
    if (known?.proof !== undefined || (known?.nonce === LAST_NONCE && a!.record.boot <= known.boot)) return false
    if (known === undefined && origins.size >= ORIGINS_MAX) return false
    const state = known ?? newOrigin(a!.record)
    origins.set(state.origin, state)
    holdBack(state, proof)
    return true
  }

  return {
    self: parts.self,
    name: parts.name,
    nonce: parts.nonce,
    publish: changes => publish(changes),
    own: () => origins.get(parts.self)?.values ?? new Map(),
    apply,
    applyProof,
    acceptFork: origin => {
      const state = origins.get(origin)
      if (state?.proof === undefined) throw new CloudburstError('CB_USAGE', `${origin} has not forked`, { peer: origin })
      const boot = Math.max(state.boot, ...state.proof.map(envelope => decodeRecord(parts.open(envelope).payload, origin).boot))
      origins.set(origin, newOrigin({ origin, name: state.name, boot, nonce: LAST_NONCE }))
      if (origin === parts.self) {
        origins.delete(origin)
        own.begin(boot + 1, parts.freshNonce())
      }
    },
    forks: () => [...origins.values()].filter(state => state.proof !== undefined).map(({ origin, name }) => ({ origin, name })),
    heads: () => [...origins.values()].map(headOf),
    lacks: head => {
      const state = origins.get(head.origin)
      if (head.fork === true) return state === undefined || (state.proof === undefined && state.nonce !== LAST_NONCE)
      if (state === undefined) return true
      if (state.proof !== undefined) return false
      const order = compareBoots(head, state)
      return order > 0 || (order === 0 && head.seq > state.seq)
    },
    missing: have => missing(origins, have),
    digest: () =>
      createHash('sha256')
        .update([...origins.values()].map(digestOf).sort().join('\n'))
        .digest('hex'),
    read: path => readTree([...origins.values()], path),
    changes: () => recent,
    count: () => count,
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}
