/**
 * What this node knows of all nodes, and what it publishes of itself: SendStateUpdate without any input or output.
 * Spec: ./README.md
 */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import type { ConfigChange } from './messages.ts'
import { BUCKETED_FROM } from './buckets.ts'
import { Changes } from './changes.ts'
import type { News, Replica, ReplicaParts } from './contract.ts'
import {
  advance,
  compareBoots,
  differs,
  digestOf,
  headOf,
  judge,
  missing,
  LAST_NONCE,
  newOrigin,
  type Origin,
  sameBytes,
  type Verdict
} from './origin.ts'
import { type OwnRecords, ownRecords } from './own.ts'
import { decodeForget, encodeForget } from './forget.ts'
import { Origins } from './origins.ts'
import { explain, readTree } from './read-tree.ts'
import { openRecord } from './opened.ts'

export type { Explained, News, Replica, ReplicaParts, Seen } from './contract.ts'
export type { Verdict } from './origin.ts'

/** This often we give way to a later boot of ourselves. Beyond it, another node is using our key. */
const REBASES_MAX = 3

export function openReplica(parts: ReplicaParts): Replica {
  const changes = new Changes()
  const origins = new Origins(parts, changes)
  const listeners = new Set<Parameters<Replica['subscribe']>[0]>()
  const own: OwnRecords = ownRecords(parts)
  let rebases = 0
  const { heads, isKnown } = origins

  const tell = (news: News): void => {
    heads.changed()
    for (const listener of listeners) listener(news)
  }
  const publish = (changed: readonly Omit<ConfigChange, 'revision'>[], anew = false): void => {
    const state = origins.get(parts.self)
    if (state?.proof !== undefined) return
    const records = own.next(state, changed, anew)
    if (records.length === 0) return
    const into = origins.put(state ?? newOrigin(records[0]!.record))
    for (const { record, kept } of records) changes.add(into, advance(into, record, kept))
    tell({ published: headOf(into) })
  }
  /** Others know a later life of this node than ours, e.g. after an old disk was restored: live on behind it. */
  const rebase = (boot: number): void => {
    if (rebases++ >= REBASES_MAX) {
      tell({ clone: boot })
      return
    }
    own.begin(boot + 1, parts.freshNonce())
    if (origins.get(parts.self) !== undefined) publish([], true)
  }
  const holdBack = (state: Origin, proof: readonly [Uint8Array, Uint8Array]): void => {
    origins.holdBack(state, proof)
    tell({ fork: state.origin })
  }

  const apply = (given: Uint8Array, from?: string): Verdict => {
    const { envelope, payload, record } = openRecord(given, parts.open)
    if (!origins.mayTell(record.origin, from)) return 'unknown'
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
    if (state === undefined && !origins.makeRoom(record.origin)) return 'full'
    if (from !== undefined && !origins.isInTime(record.origin)) return 'fast'
    const into = origins.put(state ?? newOrigin(record))
    delete into.gone
    if (into.name !== record.name) origins.rename(into, record.name)
    changes.add(into, advance(into, record, { seq: record.seq, envelope, payload }))
    tell({})
    return 'applied'
  }

  const applyProof = (proof: readonly [Uint8Array, Uint8Array], from?: string): boolean => {
    const [a, b] = proof.map(envelope => openRecord(envelope, parts.open))
    const { origin } = a!.record
    const same = origin === b!.record.origin && compareBoots(a!.record, b!.record) === 0 && a!.record.seq === b!.record.seq
    if (!same || sameBytes(a!.payload, b!.payload)) return false
    const known = origins.get(origin)
    if (known?.proof !== undefined || (known?.nonce === LAST_NONCE && a!.record.boot <= known.boot)) return false
    if (known === undefined && !(origins.mayTell(origin, from) && origins.makeRoom(origin))) return false
    holdBack(origins.put(known ?? newOrigin(a!.record)), [a!.envelope, b!.envelope])
    return true
  }

  const bury = (envelope: Uint8Array): boolean => {
    const { signer, payload } = parts.forgets!.open(envelope)
    const { origin, boot } = decodeForget(payload, signer)
    const state = origins.get(origin)
    if (origin === parts.self || state === undefined) return false
    if (signer !== parts.self && !parts.forgets!.allowed(signer)) return false
    if (compareBoots({ boot, nonce: LAST_NONCE }, state) <= 0) return false
    origins.drop(state)
    origins.distrust(origin, state.name, boot).gone = new Uint8Array(envelope)
    tell({})
    return true
  }

  return {
    self: parts.self,
    name: parts.name,
    nonce: parts.nonce,
    publish: changed => publish(changed),
    own: () => origins.get(parts.self)?.values ?? new Map(),
    apply,
    applyProof,
    acceptFork: origin => {
      const state = origins.get(origin)
      if (state?.proof === undefined) throw new CloudburstError('CB_USAGE', `${origin} has not forked`, { peer: origin })
      const boot = Math.max(state.boot, ...state.proof.map(envelope => openRecord(envelope, parts.open).record.boot))
      origins.distrust(origin, state.name, boot)
      if (origin === parts.self) {
        origins.forget(origin)
        own.begin(boot + 1, parts.freshNonce())
      }
      return boot
    },
    distrust: (origin, name, boot) => {
      if (origin !== parts.self && origins.get(origin) === undefined) origins.distrust(origin, name, boot)
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
      origins.all
        .filter(({ origin, proof }) => origin !== parts.self && proof === undefined)
        .map(({ origin, seq, log, gone }) => ({
          origin,
          seq,
          envelopes: log.map(({ envelope }) => envelope),
          ...(gone !== undefined && { gone })
        })),
    explain: path => explain(origins.all, path, isKnown),
    origins: () => origins.all.map(({ origin, name }) => ({ origin, name })),
    forks: () => origins.all.filter(state => state.proof !== undefined).map(({ origin, name }) => ({ origin, name })),
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
    missing: (have, of) => missing(origins.byId, have, of),
    digest: () =>
      createHash('sha256')
        .update(
          origins.all
            .filter(({ origin }) => isKnown(origin))
            .map(digestOf)
            .sort()
            .join('\n')
        )
        .digest('hex'),
    read: path => readTree(origins.all, path, isKnown),
    changes: () => changes.recent,
    count: () => changes.count,
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}
