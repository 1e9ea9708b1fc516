/** Tells neighbours what authorities have said, hears it from them, and speaks for the authorities whose keys are in this home. */
import { exchangeTrust } from '../../protocols/trust/client.ts'
import { REVOCATIONS_TOPIC, TRUST } from '../../protocols/trust/messages.ts'
import { type TrustEnd, trustHandler } from '../../protocols/trust/server.ts'
import type { Log } from '../files/live-file.ts'
import type { Mesh } from '../mesh.ts'
import { authorityNames, heartbeat, openAuthority, reissue } from './authority.ts'
import type { Trust } from './trust.ts'

/** How often an authority says that it is still there, and one neighbour by chance is asked for news, in milliseconds. */
export const HEARTBEAT_MS = 30_000

export interface SpreadingParts {
  readonly trust: Trust
  readonly mesh: Mesh
  /** Directory of the authorities of this home. */
  readonly authorities: string
  readonly newId: () => string
  readonly log: Log
  /** Between 0 and 1. */
  readonly random?: () => number
  readonly heartbeatMs?: number
}

export interface Spreading {
  /** Says at once what the authorities of this home have to say. To be called after the mesh has started, and when a book has changed. */
  speak(): void
  /**
   * Hands a grant to its subject, if that is up now.
   * @returns whether it was handed over
   */
  hand(subject: string, envelope: Uint8Array): Promise<boolean>
  /** Tells our news to every neighbour that is up. @returns how many there are */
  tellAll(): Promise<number>
  close(): void
}

/** Serves TRUST from now on; speaks once {@link Spreading.speak} was called. */
export function startSpreading(parts: SpreadingParts): Spreading {
  const { trust, mesh, log, random = Math.random, heartbeatMs = HEARTBEAT_MS } = parts
  /** Grants that were issued anew, for subjects that were not up. */
  const waiting = new Map<string, Uint8Array>()
  let hearing = false
  const take = (envelope: Uint8Array, from: string): void => {
    try {
      trust.take(envelope)
    } catch (error) {
      log.warn({ from, reason: error instanceof Error ? error.message : String(error) }, 'a signed statement was refused')
    }
  }
  const end: TrustEnd = {
    take,
    newsFor: peer => {
      const grant = waiting.get(peer)
      return [
        ...(grant === undefined ? [] : [grant]),
        ...trust.lists(),
        ...trust.successions('all'),
        ...trust.own().map(({ envelope }) => envelope)
      ]
    }
  }
  const exchange = async (peer: string, howMuch: 'first' | 'all' = 'all'): Promise<boolean> => {
    try {
      await exchangeTrust(mesh, peer, end, howMuch)
      return true
    } catch (error) {
      log.debug({ peer, reason: error instanceof Error ? error.message : String(error) }, 'no news of trust were exchanged')
      return false
    }
  }
  /** Number of each list when it was last told: a higher one is told to everybody directly, should gossip not be quick enough. */
  const told = new Map<string, number>()
  const urge = (name: string, number: number): void => {
    if (number > (told.get(name) ?? number)) for (const { peer, status } of mesh.peers()) if (status === 'up') void exchange(peer)
    told.set(name, number)
  }
  const speak = (): void => {
    for (const name of authorityNames(parts.authorities)) {
      try {
        const authority = openAuthority(parts.authorities, name)
        trust.hold(authority.identity.peer)
        trust.take(heartbeat(authority, trust.now()))
        urge(name, authority.book.number)
        for (const { subject, envelope, fresh } of reissue(parts.authorities, authority, parts.newId, trust.now())) {
          waiting.set(subject, envelope)
          trust.take(envelope)
          if (fresh) log.info({ authority: name, subject }, 'a grant was issued anew')
          if (fresh && isUp(mesh, subject)) void exchange(subject)
        }
      } catch (err) {
        log.error({ err, authority: name }, 'an authority of this home cannot be heard')
      }
    }
  }
  const beat = (): void => {
    speak()
    const up = mesh.peers().filter(({ status }) => status === 'up')
    const chosen = up[Math.floor(random() * up.length)]
    if (chosen !== undefined) void exchange(chosen.peer, 'first')
  }
  mesh.handle(TRUST, trustHandler(end))
  const ends = [
    mesh.pubsub.subscribe(REVOCATIONS_TOPIC, (bytes, from) => {
      hearing = true
      take(bytes, from)
      hearing = false
    }),
    // What came by gossip is on its way to everybody already.
    trust.onList(envelope => {
      if (!hearing) void mesh.pubsub.publish(REVOCATIONS_TOPIC, envelope)
    }),
    mesh.on('peer-up', peer => void exchange(peer))
  ]
  const timer = setInterval(beat, heartbeatMs).unref()
  return {
    speak,
    hand: async (subject, envelope) => {
      waiting.set(subject, envelope)
      return isUp(mesh, subject) && (await exchange(subject))
    },
    tellAll: async () => {
      const up = mesh.peers().filter(({ status }) => status === 'up')
      // Whoever hears that this key is no more hangs up on it, so that there is no answer to count.
      await Promise.all(up.map(({ peer }) => exchange(peer)))
      return up.length
    },
    close: () => {
      clearInterval(timer)
      for (const stop of ends) stop()
    }
  }
}

function isUp(mesh: Mesh, peer: string): boolean {
  return mesh.peers().some(each => each.peer === peer && each.status === 'up')
}
