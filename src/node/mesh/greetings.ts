/** Our hello on each connection, and what came back: only a welcomed hello makes a peer `up`. */
import type { Connection } from '@libp2p/interface'
import { CloudburstError } from '../../errors.ts'
import { greet, type Welcome } from '../../protocols/session/client.ts'
import { SESSION, type SessionHello } from '../../protocols/session/messages.ts'
import { frameChannel } from '../../protocols/wire/frame-channel.ts'
import { GREET_TIMEOUT_MS } from './limits.ts'

export interface GreetingsOptions {
  /** What to say to this peer. */
  readonly hello: (peer: string) => SessionHello
  readonly onWelcome: (peer: string, welcome: Welcome) => void
  /** The ticket in our hello was good. */
  readonly onJoined: (peer: string, welcome: Welcome) => void
  readonly onRefused: (peer: string, error: unknown) => void
  /** The last welcomed connection to a peer has gone. */
  readonly onDown: (peer: string) => void
}

export class Greetings {
  readonly #options: GreetingsOptions
  readonly #said = new WeakMap<Connection, Promise<Welcome>>()
  readonly #welcomed = new Map<string, Set<Connection>>()

  constructor(options: GreetingsOptions) {
    this.#options = options
  }

  /**
   * Says hello on a connection, once until it is refused.
   * @throws CloudburstError CB_DENIED or another refusal; HungUp when the peer cuts the connection instead of answering
   */
  say(connection: Connection): Promise<Welcome> {
    const said = this.#said.get(connection)
    if (said !== undefined) return said
    const welcome = this.#greet(connection)
    welcome.catch(() => undefined)
    this.#said.set(connection, welcome)
    return welcome
  }

  /** Says hello once more on every connection where we are welcome: there is more to show. */
  sayAgain(): void {
    for (const connection of this.all()) {
      this.#said.delete(connection)
      this.say(connection).catch(() => undefined)
    }
  }

  /** An open connection to `peer` on which we are welcome. */
  connection(peer: string): Connection | undefined {
    for (const connection of this.#welcomed.get(peer) ?? []) if (connection.status === 'open') return connection
    return undefined
  }

  /** Every open connection on which we are welcome. */
  all(): readonly Connection[] {
    return [...this.#welcomed.values()].flatMap(connections => [...connections])
  }

  async #greet(connection: Connection): Promise<Welcome> {
    const peer = connection.remotePeer.toString()
    const hello = this.#options.hello(peer)
    try {
      const welcome = await this.#exchange(connection, peer, hello)
      if (hello.ticket !== undefined) {
        this.#options.onJoined(peer, welcome)
        await connection.close().catch(error => connection.abort(error))
        // To that node we were a stranger on this connection; on the next one we are a neighbour.
        throw new HungUp()
      }
      if (welcome.again === true) await connection.close().catch(error => connection.abort(error))
      if (connection.status !== 'open') throw new HungUp()
      this.#add(peer, connection)
      this.#options.onWelcome(peer, welcome)
      return welcome
    } catch (error) {
      // Not for ever: what is refused now may be permitted in a minute, on the same connection.
      this.#said.delete(connection)
      this.#options.onRefused(peer, error)
      throw error
    }
  }

  async #exchange(connection: Connection, peer: string, hello: SessionHello): Promise<Welcome> {
    const signal = AbortSignal.timeout(GREET_TIMEOUT_MS)
    try {
      const channel = frameChannel(await connection.newStream(SESSION, { signal }), peer)
      const late = (): void =>
        channel.abort(new CloudburstError('CB_PEER_UNREACHABLE', `no answer to our hello within ${GREET_TIMEOUT_MS} ms`))
      signal.addEventListener('abort', late, { once: true })
      return await greet(channel, hello).finally(() => signal.removeEventListener('abort', late))
    } catch (error) {
      if (error instanceof CloudburstError && error.code !== 'CB_PEER_UNREACHABLE') throw error
      if (!signal.aborted) throw new HungUp(error)
      throw error
    }
  }

  #add(peer: string, connection: Connection): void {
    const connections = this.#welcomed.get(peer) ?? new Set()
    this.#welcomed.set(peer, connections.add(connection))
    connection.addEventListener('close', () => this.#remove(peer, connection), { once: true })
  }

  #remove(peer: string, connection: Connection): void {
    const connections = this.#welcomed.get(peer)
    if (connections?.delete(connection) !== true || connections.size > 0) return
    this.#welcomed.delete(peer)
    this.#options.onDown(peer)
  }
}

/** The peer proved its key and then cut the connection: what a node does to a peer without a permit, or one that just died. */
export class HungUp extends Error {
  override readonly name = 'HungUp'

  constructor(cause?: unknown) {
    super('the peer hung up', cause === undefined ? undefined : { cause })
  }
}
