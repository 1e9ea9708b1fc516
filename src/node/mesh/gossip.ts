import type { GossipsubMessage } from '@libp2p/gossipsub'
import type { Log } from '../files/live-file.ts'
import type { Node } from './libp2p.ts'

/** Hears what another peer handed to us; `from` is that peer, as Noise proved it, not whose words they are. */
export type Listener = (bytes: Uint8Array, from: string) => void

/** Topics of gossipsub: short news that everybody passes on. What is subscribed to before the node starts is kept. */
export class Gossip {
  readonly #log: Log
  readonly #topics = new Map<string, Set<Listener>>()
  #node: Node | undefined
  #started = false

  constructor(log: Log) {
    this.#log = log
  }

  attach(node: Node): void {
    this.#node = node
    node.services.pubsub.addEventListener('gossipsub:message', event => this.#deliver(event.detail))
  }

  /** The node has started: gossipsub subscribes to nothing before. */
  started(): void {
    this.#started = true
    for (const topic of this.#topics.keys()) this.#listen(topic)
  }

  detach(): void {
    this.#started = false
    this.#node = undefined
  }

  /** Hands `bytes` to the peers that listen; to nobody when none does. Never throws for a peer's fault. */
  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#node?.services.pubsub.publish(topic, bytes)
    } catch (error) {
      this.#log.warn({ topic, reason: error instanceof Error ? error.message : String(error) }, 'news could not be published')
    }
  }

  subscribe(topic: string, listener: Listener): () => void {
    const listeners = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, listeners.add(listener))
    this.#listen(topic)
    return () => listeners.delete(listener)
  }

  #listen(topic: string): void {
    if (this.#started) this.#node?.services.pubsub.subscribe(topic)
  }

  #deliver({ msg, propagationSource }: GossipsubMessage): void {
    for (const listener of this.#topics.get(msg.topic) ?? []) {
      try {
        listener(msg.data, propagationSource.toString())
      } catch (error) {
        this.#log.error({ topic: msg.topic, error }, 'a listener of news failed')
      }
    }
  }
}
