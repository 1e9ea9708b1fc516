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
  differs,
  digestOf,
  headOf,
  judge,
  type Kept,
  type Missing,
  missing,
  LAST_NONCE,
  newOrigin,
  printOfHeads,
  type Origin,
  sameBytes,
  type Verdict
} from './origin.ts'
import { type OwnRecords, ownRecords } from './own.ts'
import { decodeForget, encodeForget } from './forget.ts'
import { Introductions, Pace } from './limits.ts'
import { explain, readTree } from './read-tree.ts'
import { openRecord } from './opened.ts'

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

/** Changes kept for those who watch and are slow, or come back: beyond it they start from the whole value. */
export const CHANGES_KEPT = 1_000
/** So many more are let gather before the oldest are dropped, all at once. */
export const CHANGES_SLACK = 200
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

export function openReplica(parts: ReplicaParts): Replica {
  const origins = new Map<string, Origin>()
  const recent: Seen[] = []
  const listeners = new Set<Parameters<Replica['subscribe']>[0]>()
  let count = 0
  let rebases = 0
  const own: OwnRecords = ownRecords(parts)
  /** What is told of all origins, until one of them changes. */
  let listed: readonly Head[] | undefined
  let listedPrint: string | undefined

  const pace = new Pace(parts.now)
  const introductions = new Introductions()
  const isKnown = (peer: string): boolean => peer === parts.self || (parts.known?.(peer) ?? true)
  /** Nobody makes nodes up: an origin is known here, or one of a bounded number that a neighbour has told of. */
  const welcome = (origin: string, from: string | undefined): boolean =>
    origins.has(origin) || from === undefined || isKnown(origin) || introductions.take(origin, from)
  /** Room for one more origin: one that nobody here knows gives way to one that somebody does. */
  const room = (origin: string): boolean => {
    if (origins.size < ORIGINS_MAX) return true
    const stranger = isKnown(origin) ? [...origins.keys()].find(each => !isKnown(each)) : undefined
    if (stranger === undefined) return false
    drop(stranger)
    return true
  }
  const drop = (origin: string): void => {
    const state = origins.get(origin)
    if (state === undefined) return
    changed()
    show(
      state,
      [...state.values.keys()].map(path => ({ path, at: parts.now() }))
    )
    origins.delete(origin)
    introductions.forget(origin)
    pace.forget(origin)
  }

  const changed = (): void => {
    listed = undefined
    listedPrint = undefined
  }
  const tell = (news: News): void => {
    changed()
    for (const listener of listeners) listener(news)
  }
  const show = (state: Origin, changed: readonly Changed[]): void => {
    for (const change of changed) {
      recent.push({ ...change, path: `nodes.${state.name}.${change.path}`, origin: state.origin, n: ++count })
    }
    // Not one by one: each time all behind would move up.
    if (recent.length > CHANGES_KEPT + CHANGES_SLACK) recent.splice(0, recent.length - CHANGES_KEPT)
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
    if (rebases++ >= REBASES_MAX) {
      tell({ clone: boot })
      return
    }
    own.begin(boot + 1, parts.freshNonce())
    if (origins.has(parts.self)) publish([], true)
  }
  const holdBack = (origin: Origin, proof: readonly [Uint8Array, Uint8Array]): void => {
    const gone = [...origin.values.keys()].map((path): Changed => ({ path, at: parts.now() }))
    origin.proof = proof
    origin.head = undefined
    origin.values = new Map()
    origin.log = []
    origin.bytes = 0
    origin.parts = undefined
    show(origin, gone)
    tell({ fork: origin.origin })
  }

  const apply = (given: Uint8Array, from?: string): Verdict => {
    const { envelope, payload, record } = openRecord(given, parts.open)
    if (!welcome(record.origin, from)) return 'unknown'
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
    if (state === undefined && !room(record.origin)) return 'full'
    if (from !== undefined && !pace.take(record.origin)) return 'fast'
    const into = state ?? newOrigin(record)
    delete into.gone
    origins.set(record.origin, into)
    const kept: Kept = { seq: record.seq, envelope, payload }
    const seen = into.name !== record.name ? again(into, record.name, show, () => advance(into, record, kept)) : advance(into, record, kept)
    show(into, seen)
    tell({})
    return 'applied'
  }

  const applyProof = (proof: readonly [Uint8Array, Uint8Array], from?: string): boolean => {
    const [a, b] = proof.map(envelope => openRecord(envelope, parts.open))
    const same = a!.record.origin === b!.record.origin && compareBoots(a!.record, b!.record) === 0 && a!.record.seq === b!.record.seq
    if (!same || sameBytes(a!.payload, b!.payload)) return false
    const known = origins.get(a!.record.origin)
    if (known?.proof !== undefined || (known?.nonce === LAST_NONCE && a!.record.boot <= known.boot)) return false
    if (known === undefined && !(welcome(a!.record.origin, from) && room(a!.record.origin))) return false
    const state = known ?? newOrigin(a!.record)
    origins.set(state.origin, state)
    holdBack(state, proof)
    return true
  }

  /** From here on nothing of an origin is taken up to this boot. */
  const distrust = (origin: string, name: string, boot: number): Origin => {
    const fresh = newOrigin({ origin, name, boot, nonce: LAST_NONCE })
    origins.set(origin, fresh)
    changed()
    return fresh
  }
  const bury = (envelope: Uint8Array): boolean => {
    const { signer, payload } = parts.forgets!.open(envelope)
    const { origin, boot } = decodeForget(payload, signer)
    const state = origins.get(origin)
    if (origin === parts.self || state === undefined) return false
    if (signer !== parts.self && !parts.forgets!.allowed(signer)) return false
    if (compareBoots({ boot, nonce: LAST_NONCE }, state) <= 0) return false
    const { name } = state
    drop(origin)
    distrust(origin, name, boot).gone = envelope
    tell({})
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
      const boot = Math.max(state.boot, ...state.proof.map(envelope => openRecord(envelope, parts.open).record.boot))
      distrust(origin, state.name, boot)
      if (origin === parts.self) {
        origins.delete(origin)
        changed()
        own.begin(boot + 1, parts.freshNonce())
      }
      return boot
    },
    distrust: (origin, name, boot) => {
      if (origin !== parts.self && !origins.has(origin)) distrust(origin, name, boot)
    },
    forget: (origin, why) => {
      const state = origins.get(origin)
      if (parts.forgets === undefined || state === undefined || origin === parts.self)
        throw new CloudburstError('CB_USAGE', `there is no other node ${origin} to forget`, { peer: origin })
      const statement = { origin, boot: state.boot, at: parts.now(), ...(why !== undefined && { why }) }
      bury(parts.forgets.seal(encodeForget(statement)))
    },
    applyForget: envelope => parts.forgets !== undefined && bury(envelope),
    kept: () =>
      [...origins.values()]
        .filter(({ origin, proof }) => origin !== parts.self && proof === undefined)
        .map(({ origin, seq, log, gone }) => ({
          origin,
          seq,
          envelopes: log.map(({ envelope }) => envelope),
          ...(gone !== undefined && { gone })
        })),
    explain: path => explain([...origins.values()], path, isKnown),
    origins: () => [...origins.values()].map(({ origin, name }) => ({ origin, name })),
    forks: () => [...origins.values()].filter(state => state.proof !== undefined).map(({ origin, name }) => ({ origin, name })),
    heads: of => {
      if (of !== undefined) return of.flatMap(origin => origins.get(origin) ?? []).map(headOf)
      listed ??= [...origins.values()].map(headOf)
      return listed
    },
    headsPrint: () => {
      listed ??= [...origins.values()].map(headOf)
      listedPrint ??= printOfHeads(listed)
      return listedPrint
    },
    lacks: head => {
      const state = origins.get(head.origin)
      if (head.fork === true) return state === undefined || (state.proof === undefined && state.nonce !== LAST_NONCE)
      if (state === undefined) return true
      if (state.proof !== undefined) return false
      const order = compareBoots(head, state)
      return order > 0 || (order === 0 && head.seq > state.seq) || differs(state, head)
    },
    missing: (have, of) => missing(origins, have, of),
    digest: () =>
      createHash('sha256')
        .update(
          [...origins.values()]
            .filter(({ origin }) => isKnown(origin))
            .map(digestOf)
            .sort()
            .join('\n')
        )
        .digest('hex'),
    read: path => readTree([...origins.values()], path, isKnown),
    changes: () => recent,
    count: () => count,
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}
