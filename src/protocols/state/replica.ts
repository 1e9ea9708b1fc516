/**
 * What this node knows of all nodes, and what it publishes of itself: SendStateUpdate without any input or output.
 * Spec: ./README.md
 */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import { type ConfigChange, ORIGINS_MAX } from './messages.ts'
import { BUCKETED_FROM } from './buckets.ts'
import type { News, Replica, ReplicaParts, Seen } from './contract.ts'
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
  missing,
  LAST_NONCE,
  newOrigin,
  type Origin,
  sameBytes,
  type Verdict
} from './origin.ts'
import { type OwnRecords, ownRecords } from './own.ts'
import { decodeForget, encodeForget } from './forget.ts'
import { Heads } from './heads.ts'
import { Introductions, Pace } from './limits.ts'
import { explain, readTree } from './read-tree.ts'
import { openRecord } from './opened.ts'

export type { Explained, News, Replica, ReplicaParts, Seen } from './contract.ts'
export type { Verdict } from './origin.ts'

/** Changes kept for those who watch and are slow, or come back: beyond it they start from the whole value. */
export const CHANGES_KEPT = 1_000
/** So many more are let gather before the oldest are dropped, all at once. */
export const CHANGES_SLACK = 200
/** This often we give way to a later boot of ourselves. Beyond it, another node is using our key. */
const REBASES_MAX = 3

export function openReplica(parts: ReplicaParts): Replica {
  const origins = new Map<string, Origin>()
  const recent: Seen[] = []
  const listeners = new Set<Parameters<Replica['subscribe']>[0]>()
  let count = 0
  let rebases = 0
  const own: OwnRecords = ownRecords(parts)
  const heads = new Heads(origins)
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
    heads.changed()
    show(
      state,
      [...state.values.keys()].map(path => ({ path, at: parts.now() }))
    )
    origins.delete(origin)
    introductions.forget(origin)
    pace.forget(origin)
  }

  const tell = (news: News): void => {
    heads.changed()
    for (const listener of listeners) listener(news)
  }
  const show = (state: Origin, changed: readonly Changed[]): void => {
    for (const { path: below, at, value } of changed) {
      const path = `nodes.${state.name}.${below}`
      recent.push(
        value === undefined ? { path, at, origin: state.origin, n: ++count } : { path, value, at, origin: state.origin, n: ++count }
      )
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
    holdBack(state, [a!.envelope, b!.envelope])
    return true
  }

  /** From here on nothing of an origin is taken up to this boot. */
  const distrust = (origin: string, name: string, boot: number): Origin => {
    const fresh = newOrigin({ origin, name, boot, nonce: LAST_NONCE })
    origins.set(origin, fresh)
    heads.changed()
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
    distrust(origin, name, boot).gone = new Uint8Array(envelope)
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
        heads.changed()
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
    heads: of => (of === undefined ? heads.list() : of.flatMap(origin => origins.get(origin) ?? []).map(headOf)),
    headsPrint: () => heads.print(),
    headsSums: () => (origins.size < BUCKETED_FROM ? undefined : heads.sums()),
    unlike: sums => heads.unlike(sums),
    originsIn: buckets => heads.originsIn(buckets),
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
