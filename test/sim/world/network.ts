/**
 * Nodes and the lines between them. A stream is ordered and whole as far as it goes, as Noise over TCP makes it: what faults
 * do to it is delay, silence and its end. What gossip carries may be lost, doubled and overtaken. Each direction of a line
 * can be cut by itself.
 */
import { setMaxListeners } from 'node:events'
import { CloudburstError, toErrorData } from '../../../src/errors.ts'
import type { Capability } from '../../../src/crypto/capability.ts'
import { checkBehalf } from '../../../src/protocols/behalf.ts'
import type { Caller, Channel, Handler } from '../../../src/protocols/wire/channel.ts'
import { decodeMessage, encodeMessage } from '../../../src/protocols/wire/codec.ts'
import { FRAME_BYTES_MAX } from '../../../src/protocols/wire/frames.ts'
import type { MeshEvent } from '../../../src/node/mesh.ts'
import type { Chance } from './chance.ts'
import { never } from './disk.ts'
import { Closing, type Lane, lane, RESEND_MS, unreachable } from './lane.ts'
import type { VirtualTime } from './time.ts'

/** A silent line is given up after this long, give or take a half: the pulse of node/mesh, in milliseconds. */
const SILENT_MS = 5_000
const DIAL_WITHIN_MS = 5_000
/** However slow a node is, in milliseconds: its kernel goes on. */
const DELAY_MAX_MS = 3_000

export interface Weather {
  /** One way, in milliseconds. */
  delayMs: number
  jitterMs: number
  /** Of gossip, 0 to 1; a stream only becomes slower. */
  loss: number
  duplication: number
}

/** One process on the network, from its start to its end. */
export interface Endpoint {
  readonly peer: string
  readonly name: string
  readonly neighbours: () => readonly string[]
  readonly handlers: Map<string, Handler>
  readonly listeners: Record<MeshEvent, Set<(peer: string) => void>>
  readonly topics: Map<string, Set<(bytes: Uint8Array, from: string) => void>>
  /** What others may do here. */
  readonly permits: (peer: string, capability: Capability) => boolean
  alive: boolean
  /** Factor on everything that comes in or goes out. */
  slow: number
  /** By peer: those with whom a connection stands, as this end sees it. */
  readonly up: Map<string, End>
}

/** One end of a connection. */
export interface End {
  readonly of: Endpoint
  readonly peer: string
  readonly other: () => End | undefined
  readonly gone: AbortController
  /** Ends this side of each stream. */
  readonly streams: Set<(reason: unknown) => void>
}

export class Network {
  readonly weather: Weather = { delayMs: 1, jitterMs: 2, loss: 0, duplication: 0 }
  readonly endpoints = new Map<string, Endpoint>()
  /** Others that live under the key of one of them. */
  readonly #clones: Endpoint[] = []
  /** `a>b`: nothing gets from a to b. */
  readonly #cuts = new Set<string>()
  messages = 0
  bytes = 0
  readonly time: VirtualTime
  readonly chance: Chance

  constructor(time: VirtualTime, chance: Chance) {
    this.time = time
    this.chance = chance
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
    const end = this.endpoints.get(from)?.up.get(to)
    if (end !== undefined) this.#giveUpLater(end)
    const back = this.endpoints.get(to)?.up.get(from)
    if (back !== undefined) this.#giveUpLater(back)
  }

  heal(from?: string, to?: string): void {
    if (from === undefined) this.#cuts.clear()
    else this.#cuts.delete(`${from}>${to}`)
  }

  reaches(from: string, to: string): boolean {
    return !this.isCut(from, to) && this.endpoints.get(to)?.alive === true
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`)
  }

  join(endpoint: Endpoint, isClone = false): void {
    if (isClone) this.#clones.push(endpoint)
    else this.endpoints.set(endpoint.peer, endpoint)
    for (const peer of endpoint.neighbours()) this.#supervise(endpoint, peer)
  }

  /** Who answers under this id: of two that live under one key, either. */
  #at(peer: string): Endpoint | undefined {
    const first = this.endpoints.get(peer)
    const clones = this.#clones.filter(clone => clone.peer === peer && clone.alive)
    return clones.length === 0 ? first : this.chance.pick([...(first?.alive === true ? [first] : []), ...clones])
  }

  /** The process is gone: its kernel says so to all that can hear it, unless the host went with it. */
  leave(endpoint: Endpoint, silently: boolean): void {
    endpoint.alive = false
    for (const end of [...endpoint.up.values()]) {
      const other = end.other()
      endpoint.up.delete(end.peer)
      if (other === undefined) continue
      if (silently) this.#giveUpLater(other)
      else this.#hangUp(endpoint, other)
    }
  }

  delay(a: Endpoint, b: Endpoint): number {
    const { delayMs, jitterMs, loss } = this.weather
    const resent = this.chance.once(loss) ? RESEND_MS : 0
    return Math.min((delayMs + this.chance.next() * jitterMs + resent) * Math.max(a.slow, b.slow), DELAY_MAX_MS)
  }

  /** A connection, made if there is none. @throws CloudburstError CB_PEER_UNREACHABLE, CB_DENIED */
  async connect(from: Endpoint, peer: string): Promise<End> {
    const known = from.up.get(peer)
    if (known !== undefined) return known
    const to = this.#at(peer)
    const away = new CloudburstError('CB_PEER_UNREACHABLE', `peer ${peer} is not reachable`, { peer })
    if (to === undefined) throw away
    await this.time.sleep(this.delay(from, to))
    if (this.isCut(from.peer, peer) || this.isCut(peer, from.peer)) {
      await this.time.sleep(DIAL_WITHIN_MS)
      throw away
    }
    await this.time.sleep(this.delay(to, from))
    if (!from.alive) return await never()
    const now = to.alive ? to : this.#at(peer)
    if (now?.alive !== true) throw away
    return from.up.get(peer) ?? this.#connected(from, now)
  }

  #connected(from: Endpoint, to: Endpoint): End {
    for (const stale of [to.up.get(from.peer)]) if (stale !== undefined) this.#lose(stale)
    let here: End
    let there: End
    here = {
      of: from,
      peer: to.peer,
      gone: crowded(),
      streams: new Set(),
      other: () => (to.up.get(from.peer) === there ? there : undefined)
    }
    there = {
      of: to,
      peer: from.peer,
      gone: crowded(),
      streams: new Set(),
      other: () => (from.up.get(to.peer) === here ? here : undefined)
    }
    from.up.set(to.peer, here)
    to.up.set(from.peer, there)
    for (const end of [here, there])
      this.time.after(1, () => end.of.alive && end.of.up.get(end.peer) === end && tell(end.of, 'peer-up', end.peer))
    return here
  }

  #lose(end: End): void {
    if (end.of.up.get(end.peer) !== end) return
    end.of.up.delete(end.peer)
    const other = end.other()
    // The kernel of the one that gave up says so, if it is heard.
    if (other !== undefined) this.#hangUp(end.of, other)
    const reason = new CloudburstError('CB_PEER_UNREACHABLE', `the connection with ${end.peer} is lost`, { peer: end.peer })
    end.gone.abort(reason)
    for (const cut of end.streams) cut(reason)
    end.streams.clear()
    if (!end.of.alive) return
    tell(end.of, 'peer-down', end.peer)
    this.#supervise(end.of, end.peer)
  }

  #hangUp(by: Endpoint, other: End): void {
    this.time.after(this.delay(by, other.of), () => {
      if (this.isCut(by.peer, other.of.peer)) this.#giveUpLater(other)
      else this.#lose(other)
    })
  }

  #giveUpLater(end: End): void {
    this.time.after(SILENT_MS * this.chance.between(0.5, 1.5), () => {
      const { peer } = end.of
      const back = end.other()
      // A line that came back in time was only slow.
      if (back?.of.alive === true && !this.isCut(peer, end.peer) && !this.isCut(end.peer, peer)) return
      this.#lose(end)
    })
  }

  /** Dials a neighbour until it is there, as node/mesh/supervisor.ts does. */
  #supervise(from: Endpoint, peer: string, pause = 250): void {
    if (!from.neighbours().includes(peer)) return
    this.time.after(this.chance.between(0.5, 1) * pause, () => {
      if (!from.alive || from.up.has(peer)) return
      this.connect(from, peer).catch(() => this.#supervise(from, peer, Math.min(pause * 2, 4_000)))
    })
  }

  async open(from: Endpoint, peer: string, protocol: string, signal?: AbortSignal): Promise<Channel> {
    const stop = (): void => {
      if (signal?.aborted === true) throw signal.reason instanceof CloudburstError ? signal.reason : unreachable(peer)
    }
    stop()
    const end = from.up.get(peer) ?? (await unless(signal, peer, this.connect(from, peer)))
    const other = end.other()
    const to = other?.of
    if (to === undefined || other === undefined) {
      this.#giveUpLater(end)
      // The other end has forgotten this connection: nothing comes back.
      return await unless(signal, peer, gone(end))
    }
    await this.time.sleep(this.delay(from, to))
    stop()
    if (end.gone.signal.aborted) throw end.gone.signal.reason
    if (other.gone.signal.aborted) return await unless(signal, peer, gone(end))
    const { here, there } = this.#stream(end, other)
    this.#serve(to, other, protocol, there)
    return here
  }

  #serve(to: Endpoint, end: End, protocol: string, channel: Channel): void {
    const handler = to.handlers.get(protocol)
    if (!to.alive) return
    const from = end.peer
    const caller: Caller = {
      peer: from,
      node: this.endpoints.get(from)?.name ?? from,
      email: `${from}@example.org`,
      ended: end.gone.signal,
      require: capability => {
        if (!to.permits(from, capability)) throw new CloudburstError('CB_DENIED', `${from} may not ${capability} here`, { peer: from })
      },
      // Everybody is permitted: what is shown has to hold, no more.
      onBehalf: (behalf, asked) => {
        checkBehalf(behalf, { from, to: to.peer, asked, now: Date.now() })
        return caller
      }
    }
    const serving = async (): Promise<void> => {
      try {
        if (handler === undefined) throw new CloudburstError('CB_DENIED', `nobody serves ${protocol} here`)
        const serve: (channel: Channel, caller: Caller) => Promise<void> = handler
        await serve(channel, caller)
      } catch (error) {
        await channel.write({ type: 'error', error: toErrorData(error) }).catch(() => undefined)
      }
      await channel.finish().catch(() => undefined)
    }
    void serving()
  }

  #stream(near: End, far: End): { here: Channel; there: Channel } {
    const closed = { here: new Closing(), there: new Closing() }
    let open = 2
    /** What has come to its end at both ends cannot be cut any more. */
    const onEnd = (): void => {
      if (--open > 0) return
      near.streams.delete(cutHere)
      far.streams.delete(cutThere)
    }
    const out = lane(this, near.of, far.of, onEnd)
    const back = lane(this, far.of, near.of, onEnd)
    const cutHere = (reason: unknown): void => {
      near.streams.delete(cutHere)
      closed.here.close(reason)
      out.cut(reason)
      back.cut(reason)
    }
    const cutThere = (reason: unknown): void => {
      far.streams.delete(cutThere)
      closed.there.close(reason)
      out.cut(reason)
      back.cut(reason)
    }
    const endOf = (end: End, to: Endpoint, output: Lane, input: Lane, mine: Closing, far: (reason: unknown) => void): Channel => {
      const channel: Channel = {
        peer: end.peer,
        get closed() {
          return mine.signal
        },
        write: async message => {
          if (!end.of.alive) return await never()
          mine.check()
          const bytes = encodeMessage(message)
          if (bytes.byteLength > FRAME_BYTES_MAX) throw new CloudburstError('CB_FRAME_TOO_LONG', `a frame of ${bytes.byteLength} bytes`)
          await output.push(bytes)
        },
        read: async () => {
          const bytes = await input.pull()
          if (!end.of.alive) return await never()
          if (bytes === undefined) mine.check()
          try {
            return bytes === undefined ? undefined : decodeMessage(bytes)
          } catch (error) {
            channel.abort(error as Error)
            throw error
          }
        },
        finish: async () => output.end(),
        abort: reason => {
          if (mine.isOver || !end.of.alive) return
          mine.close(reason)
          end.streams.delete(near === end ? cutHere : cutThere)
          input.cut(reason)
          output.drop()
          this.time.after(this.delay(end.of, to), () => this.isCut(end.of.peer, to.peer) || far(unreachable(end.of.peer)))
        }
      }
      return channel
    }
    near.streams.add(cutHere)
    far.streams.add(cutThere)
    return {
      here: endOf(near, far.of, out, back, closed.here, cutThere),
      there: endOf(far, near.of, back, out, closed.there, cutHere)
    }
  }
}

function tell(endpoint: Endpoint, event: MeshEvent, peer: string): void {
  for (const listener of endpoint.listeners[event]) listener(peer)
}

/** What comes of it, or of the signal. */
async function unless<T>(signal: AbortSignal | undefined, peer: string, what: Promise<T>): Promise<T> {
  const refused = Promise.withResolvers<never>()
  refused.promise.catch(() => undefined)
  const stop = (): void => refused.reject(signal?.reason instanceof CloudburstError ? signal.reason : unreachable(peer))
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([what, refused.promise])
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function gone(end: End): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (end.gone.signal.aborted) reject(end.gone.signal.reason)
    end.gone.signal.addEventListener('abort', () => reject(end.gone.signal.reason), { once: true })
  })
}

/** Streams without number listen for the end of their connection. */
function crowded(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
