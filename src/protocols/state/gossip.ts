/** SendStateUpdate: news travel as heads by gossip, values by pulling, and pulling alone already makes it right. Spec: ./README.md */
import { setMaxListeners } from 'node:events'
import { toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import type { Dialer } from '../wire/channel.ts'
import { encodeMessage } from '../wire/codec.ts'
import { headsIn } from './announcement.ts'
import { type PullHow, pullState } from './client.ts'
import { BUCKETED_FROM } from './buckets.ts'
import { type Head, HEADS_TOPIC } from './messages.ts'
import type { Replica } from './replica.ts'

export interface GossipTimes {
  /** Between two announcements of one node, in which its news are gathered: ten a second at most. */
  readonly announceMs: number
  /** A random neighbour is asked for what it knows this often, give or take a half. */
  readonly pullMs: number
  /** A neighbour that gave an error is left alone this long, ten times as long when it denied us. */
  readonly restMs: number
}
export const GOSSIP_TIMES: GossipTimes = { announceMs: 100, pullMs: 3_000, restMs: 3_000 }

/** Longest announcement that is looked at, in bytes: a few heads. */
const ANNOUNCEMENT_BYTES_MAX = 16 * 1024
/** Tries to get what was announced before it is left to the regular pulls, and the pause after the first in milliseconds, which doubles. */
const CHASE_TRIES_MAX = 4
const CHASE_FIRST_MS = 150
/** One who has not given its news for so long, in milliseconds, is not waited for: another one is asked, and it may still give them. */
const PATIENCE_MS = 1_000
/** Who has passed an announcement on is asked for its news this much later, give or take a half, in milliseconds: it has to get them first. */
const RELAY_MS = 30
/** Announcements looked into at a time: a burst of more is left to the regular pulls, which bring the same. */
const CHASES_MAX = 64
/** Origins that are asked for at once on account of announcements: whoever makes many up makes no pull long. */
const TOGETHER_MAX = 100

export interface GossipParts {
  readonly replica: Replica
  readonly dialer: Dialer
  readonly pubsub: {
    publish(topic: string, bytes: Uint8Array): Promise<void> | void
    /** @returns ends it */
    subscribe(topic: string, listener: (bytes: Uint8Array, from: string) => void): () => void
  }
  /** Peer ids of those with whom a connection stands. */
  readonly neighbours: () => readonly string[]
  /** @returns ends it */
  readonly onPeerUp: (listener: (peer: string) => void) => () => void
  readonly clock: Clock
  readonly log: { debug(what: object, message: string): void; warn(what: object, message: string): void }
  readonly times?: GossipTimes
  /** A number from 0 to 1. */
  readonly chance?: () => number
}

/** Gossips until stopped. @returns ends it, after pulls under way have ended */
export function startGossip(parts: GossipParts): () => Promise<void> {
  const { replica, pubsub, clock, log, times = GOSSIP_TIMES, chance = Math.random } = parts
  const stopping = new AbortController()
  // Each chase and each pull listens for the end.
  setMaxListeners(0, stopping.signal)
  const pulling = new Map<string, Promise<void>>()
  const resting = new Map<string, number>()
  const work = new Set<Promise<void>>()
  let announcing = false
  let announcedAt = Number.NEGATIVE_INFINITY
  /** What is being looked into: who is asked for a part of it is asked for all, so that a burst is few pulls. */
  const chasing = new Set<readonly Head[]>()

  const inBackground = (what: Promise<void>): void => {
    const safe = what.catch(error => log.debug({ err: error }, 'gossip')).finally(() => work.delete(safe))
    work.add(safe)
  }
  const pull = (peer: string, how?: PullHow): Promise<void> => {
    const running = pulling.get(peer)
    if (running !== undefined) return running
    if ((resting.get(peer) ?? 0) > clock.now() || stopping.signal.aborted) return Promise.resolve()
    const one = pullState(parts.dialer, peer, replica, stopping.signal, how)
      .then(() => void resting.delete(peer))
      .catch(error => {
        const { code, message } = toErrorData(error)
        resting.set(peer, clock.now() + times.restMs * (code === 'CB_DENIED' ? 10 : 1))
        if (code !== 'CB_PEER_UNREACHABLE' && !stopping.signal.aborted) log.warn({ peer, code }, `state could not be pulled: ${message}`)
      })
      .finally(() => pulling.delete(peer))
    pulling.set(peer, one)
    return one
  }
  /** Until it is over, or PATIENCE_MS. */
  const patiently = (pulled: Promise<void> | undefined): Promise<void> | undefined =>
    pulled && Promise.race([pulled, clock.sleep(PATIENCE_MS, stopping.signal)])
  /** One that is not being asked, if there is one. */
  const someNeighbour = (): string | undefined => {
    const all = parts.neighbours()
    const idle = all.filter(peer => !pulling.has(peer))
    const peers = idle.length > 0 ? idle : all
    return peers[Math.floor(chance() * peers.length)]
  }
  /** These, and what else is being looked into. */
  const lacking = (first: readonly Head[]): readonly string[] => {
    const lacked = [first, ...chasing].flat().filter(head => replica.lacks(head))
    return [...new Set(lacked.map(({ origin }) => origin))].slice(0, Math.max(TOGETHER_MAX, first.length))
  }
  /** Asks the one that knows, or the one that told of it, which is given time to have it; then others, until what was announced is here. */
  const chase = async (heads: readonly Head[], from: string): Promise<void> => {
    for (let at = 0; at < CHASE_TRIES_MAX; at++) {
      const wanted = heads.filter(head => replica.lacks(head))
      if (wanted.length === 0) return
      const here = parts.neighbours()
      const owner = wanted.find(({ origin }) => here.includes(origin))?.origin
      if (at === 0 && owner === undefined) await clock.sleep(RELAY_MS * (0.5 + chance()), stopping.signal)
      const near = at > 0 ? someNeighbour() : (owner ?? (parts.neighbours().includes(from) ? from : someNeighbour()))
      // One that is under way may bring it; else only what is wanted is asked for: with many nodes the rest is most of a pull.
      if (near !== undefined) await patiently(pulling.get(near))
      if (near !== undefined && wanted.some(head => replica.lacks(head))) await patiently(pull(near, { of: lacking(wanted) }))
      if (!wanted.some(head => replica.lacks(head))) return
      await clock.sleep(CHASE_FIRST_MS * 2 ** at, stopping.signal)
    }
  }
  const heard = (heads: readonly Head[], from: string): void => {
    if (!heads.some(head => replica.lacks(head))) return
    chasing.add(heads)
    inBackground(chase(heads, from).finally(() => chasing.delete(heads)))
  }
  const announce = async (): Promise<void> => {
    if (announcing) return
    announcing = true
    try {
      // The first at once, those that follow gathered. A clock that was set back makes nobody wait longer.
      const rest = Math.min(times.announceMs, announcedAt + times.announceMs - clock.now())
      if (rest > 0) await clock.sleep(rest, stopping.signal)
      announcedAt = clock.now()
    } finally {
      announcing = false
    }
    const own = replica.heads([replica.self])
    if (own.length > 0) await pubsub.publish(HEADS_TOPIC, encodeMessage({ heads: own }))
  }
  const regularly = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(times.pullMs * (0.5 + chance()), stopping.signal)
      const peer = someNeighbour()
      if (peer !== undefined) await patiently(pull(peer, { compare: true }))
    }
  }

  const ends = [
    pubsub.subscribe(HEADS_TOPIC, (bytes, from) => {
      if (bytes.byteLength > ANNOUNCEMENT_BYTES_MAX || chasing.size >= CHASES_MAX) return
      try {
        // A list of its own, for the same may be heard again while it is looked into.
        heard([...headsIn(bytes)], from)
      } catch (error) {
        log.debug({ err: error }, 'gossip')
      }
    }),
    parts.onPeerUp(peer => {
      resting.delete(peer)
      // Where there are many, most of what is known there is known here: sums tell of what to speak.
      inBackground(pull(peer, replica.heads().length < BUCKETED_FROM ? {} : { compare: true }))
      inBackground(announce())
    }),
    replica.subscribe(({ published, fork, clone }) => {
      if (clone !== undefined)
        log.warn(
          { peer: replica.self, boot: clone },
          'another node lives under the key of this one: end one of them and give it a key of its own; until then others may see either'
        )
      if (published !== undefined) inBackground(announce())
      if (fork !== undefined)
        log.warn(
          { peer: fork },
          `two nodes publish as ${fork}: what they say is held back; end one of them, then: cloudburst state accept-fork ${fork}`
        )
    })
  ]
  for (const peer of parts.neighbours()) inBackground(pull(peer))
  inBackground(announce())
  inBackground(regularly())

  return async () => {
    for (const end of ends) end()
    stopping.abort()
    await Promise.all([...work, ...pulling.values()])
  }
}
