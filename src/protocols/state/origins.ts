/** Everybody whose records a node keeps: who is let in, and who is not trusted any more. */
import type { Changes } from './changes.ts'
import type { ReplicaParts } from './contract.ts'
import { Heads } from './heads.ts'
import { Introductions, Pace } from './limits.ts'
import { ORIGINS_MAX } from './messages.ts'
import { type Changed, LAST_NONCE, newOrigin, type Origin } from './origin.ts'

/** At most ORIGINS_MAX. */
export class Origins {
  readonly heads: Heads
  readonly #parts: Pick<ReplicaParts, 'self' | 'known' | 'now'>
  readonly #changes: Changes
  readonly #all = new Map<string, Origin>()
  readonly #pace: Pace
  readonly #introductions = new Introductions()

  constructor(parts: Pick<ReplicaParts, 'self' | 'known' | 'now'>, changes: Changes) {
    this.#parts = parts
    this.#changes = changes
    this.#pace = new Pace(parts.now)
    this.heads = new Heads(this.#all)
  }

  get size(): number {
    return this.#all.size
  }

  get all(): readonly Origin[] {
    return [...this.#all.values()]
  }

  get byId(): ReadonlyMap<string, Origin> {
    return this.#all
  }

  get(origin: string): Origin | undefined {
    return this.#all.get(origin)
  }

  put(state: Origin): Origin {
    this.#all.set(state.origin, state)
    return state
  }

  /** Whether this node knows a peer by itself, not only by what others tell. */
  readonly isKnown = (peer: string): boolean => peer === this.#parts.self || (this.#parts.known?.(peer) ?? true)

  /** Nobody makes nodes up: an origin is known here, or one of a bounded number that a neighbour has told of. */
  mayTell(origin: string, from: string | undefined): boolean {
    return this.#all.has(origin) || from === undefined || this.isKnown(origin) || this.#introductions.take(origin, from)
  }

  /** Whether there is room for one more: one that nobody here knows gives way to one that somebody does. */
  makeRoom(origin: string): boolean {
    if (this.#all.size < ORIGINS_MAX) return true
    const stranger = this.isKnown(origin) ? this.all.find(each => !this.isKnown(each.origin)) : undefined
    if (stranger !== undefined) this.drop(stranger)
    return stranger !== undefined
  }

  /** Whether a neighbour may give one more record of it now. */
  isInTime(origin: string): boolean {
    return this.#pace.take(origin)
  }

  /** It publishes under a new name: all it had is gone from the old one, to appear under the new one. */
  rename(state: Origin, name: string): void {
    this.#changes.add(
      state,
      [...state.values].map(([path, { at }]) => ({ path, at }))
    )
    state.name = name
    state.values = new Map()
  }

  drop(state: Origin): void {
    const { origin } = state
    this.heads.changed()
    this.#changes.add(state, this.#allGone(state))
    this.#all.delete(origin)
    this.#introductions.forget(origin)
    this.#pace.forget(origin)
  }

  /** Its key has signed two records for one place: nothing of it is believed. */
  holdBack(state: Origin, proof: readonly [Uint8Array, Uint8Array]): void {
    const gone = this.#allGone(state)
    state.proof = proof
    state.head = undefined
    state.values = new Map()
    state.log = []
    state.bytes = 0
    state.parts = undefined
    this.#changes.add(state, gone)
  }

  /** From here on nothing of an origin is taken up to this boot. */
  distrust(origin: string, name: string, boot: number): Origin {
    this.heads.changed()
    return this.put(newOrigin({ origin, name, boot, nonce: LAST_NONCE }))
  }

  /** As if it had never been there. */
  forget(origin: string): void {
    this.#all.delete(origin)
    this.heads.changed()
  }

  #allGone({ values }: Origin): readonly Changed[] {
    return [...values.keys()].map(path => ({ path, at: this.#parts.now() }))
  }
}
