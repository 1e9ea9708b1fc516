import type { Connection } from '@libp2p/interface'
import type { Capability } from '../../crypto/capability.ts'
import { CloudburstError } from '../../errors.ts'
import type { Welcome } from '../../protocols/session/client.ts'
import { HELLO_GRANTS_BYTES_MAX, SESSION, type SessionHello } from '../../protocols/session/messages.ts'
import type { Channel, Handler } from '../../protocols/wire/channel.ts'
import type { PeerInfo } from '../control/contract.ts'
import { machineClock } from '../clock.ts'
import { labelsOf } from '../host.ts'
import type { Mesh, MeshEvent, MeshOptions } from '../mesh.ts'
import { probeThrough, sayGoodbye } from '../../protocols/members/client.ts'
import { MEMBERS, MEMBERS_TOPIC } from '../../protocols/members/messages.ts'
import { membersHandler } from '../../protocols/members/server.ts'
import { Admission } from './admission.ts'
import { type OnDialled, openChannel, reach } from './dial.ts'
import { Gossip } from './gossip.ts'
import { Greetings } from './greetings.ts'
import { answerHellos } from './hellos.ts'
import { type Node, startNode } from './libp2p.ts'
import { RECHECK_INTERVAL_MS, STREAMS_MAX } from './limits.ts'
import { type Card, PeerBook } from './peer-book.ts'
import { Membership, type Standing } from './membership.ts'
import { memberNews } from './member-news.ts'
import { roundTrip } from './pulse.ts'
import { isRelayed, Relays } from './relays.ts'
import { peerOfAddress, selectPeers } from './selector.ts'
import { cut, served } from './serve.ts'
import { Sessions } from './sessions.ts'
import { listedAddresses } from './listed-addresses.ts'
import { Supervisor } from './supervisor.ts'

/** The mesh over libp2p. Made by makeMesh of ../mesh.ts. */
export class RunningMesh implements Mesh {
  readonly peer: string
  readonly name: string
  readonly pubsub: Gossip
  readonly #options: MeshOptions
  readonly #book: PeerBook
  readonly #sessions: Sessions
  readonly #admission: Admission
  readonly #greetings: Greetings
  readonly #supervisor: Supervisor
  readonly #membership: Membership
  readonly #suspect: ReturnType<typeof memberNews>
  readonly #handlers = new Map<string, Handler>()
  readonly #listeners = new Map<MeshEvent, Set<(peer: string) => void>>()
  readonly #cleanup: (() => Promise<void> | void)[] = []
  #node: Node | undefined

  constructor(options: MeshOptions) {
    const { identity, neighborhood, permissions, audit, joining, grants, now = Date.now } = options
    this.#options = options
    this.peer = identity.peer
    this.name = neighborhood.current.name
    this.pubsub = new Gossip(options.log)
    this.#book = new PeerBook(this.name, now)
    this.#sessions = new Sessions({
      self: identity.peer,
      permissions,
      audit,
      now,
      ...(options.clock !== undefined && { clock: options.clock.now }),
      nameOf: peer => this.#book.nameOf(peer),
      onNothingLeft: id => this.#cut(connection => connection.id === id)
    })
    this.#admission = new Admission({
      permitted: peer => this.#sessions.permitted(peer),
      invited: () => joining?.tickets.outstanding === true || grants?.awaitsGrants === true,
      onDenied: peer => void this.#sessions.deny(peer, 'no permit holds for it: dropped after the handshake'),
      listed: () => listedAddresses(neighborhood.current.neighbours)
    })
    this.#greetings = new Greetings({
      hello: peer => this.#hello(peer),
      onWelcome: (peer, welcome) => this.#welcomed(peer, welcome),
      onJoined: (peer, { name, addresses }) => joining?.joined({ peer, name, addresses }),
      onRefused: (peer, error) => this.#refused(peer, error),
      onDown: peer => this.#down(peer)
    })
    this.#membership = new Membership({
      members: () => this.#members(),
      probe: (peer, within) => this.#probe(peer, within),
      probeThrough: (helper, peer, within) => probeThrough(this, helper, peer, within),
      announce: suspect => void this.#suspect(suspect),
      onStanding: (peer, standing) => this.#stands(peer, standing),
      giveUp: peer => this.#greetings.connection(peer)?.abort(new Error('it has not answered for long')),
      clock: options.clock ?? machineClock,
      chance: Math.random
    })
    this.#suspect = memberNews(this.pubsub, this.peer, peer => this.#membership.heardSuspicion(peer))
    this.handle(
      MEMBERS,
      membersHandler(
        (peer, within) =>
          this.#probe(peer, within).then(
            () => true,
            () => false
          ),
        peer => this.#book.left(peer)
      )
    )
    this.#supervisor = new Supervisor({
      connect: peer => this.#connect(peer),
      untilDown: (peer, signal) => this.#untilDown(peer, signal),
      onFailure: (peer, error) => this.#failed(peer, error),
      now,
      random: Math.random
    })
  }

  async start(): Promise<void> {
    const { identity, version, neighborhood, permissions, listen, mdns, topics, joining, grants } = this.#options
    const { current } = neighborhood
    this.#book.setNeighbours(current.neighbours)
    const wanted = listen ?? current.listen
    const node = await startNode({
      identity,
      version,
      listen: wanted.filter(address => !isRelayed(address)),
      announce: current.announce,
      trusted: current.neighbours.flatMap(({ addresses }) => addresses),
      mdns: { ...current.mdns, enabled: mdns ?? current.mdns.enabled },
      topics: [...(topics ?? []), MEMBERS_TOPIC],
      admission: this.#admission,
      prepare: starting => this.#prepare(starting)
    })
    this.#node = node
    this.pubsub.started()
    const recheck = setInterval(() => this.#sessions.recheck(), RECHECK_INTERVAL_MS).unref()
    this.#cleanup.push(
      () => clearInterval(recheck),
      permissions.onChange(() => this.#permissionsChanged()),
      neighborhood.onChange(() => this.#watch()),
      joining?.onChange(() => this.#watch()) ?? (() => undefined),
      grants?.onOwn(() => this.#grantsChanged()) ?? (() => undefined),
      () => this.#membership.stop()
    )
    const relays = new Relays({
      addresses: wanted.filter(isRelayed),
      listening: node.services.listening,
      isUp: peer => this.#greetings.connection(peer) !== undefined,
      onFailure: (address, error) =>
        this.#options.log.warn({ address, reason: reasonOf(error) }, 'this node cannot be reached through a relay')
    })
    this.#cleanup.push(
      this.on('peer-up', peer => relays.came(peer)),
      () => relays.stop()
    )
    this.#membership.start()
    this.#watch()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members().map(peer => sayGoodbye(this, peer)))
    for (const end of this.#cleanup.splice(0)) await end()
    this.#supervisor.stop()
    const node = this.#node
    this.#node = undefined
    this.pubsub.detach()
    await node?.stop()
  }

  addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map(address => address.toString()) ?? []
  }

  handle(protocol: string, handler: Handler): void {
    this.#handlers.set(protocol, handler)
    if (this.#node !== undefined) void this.#serve(this.#node, protocol, handler)
  }

  open(peer: string, protocol: string, signal?: AbortSignal): Promise<Channel> {
    return openChannel(onDialled => this.#reach(peer, signal, onDialled), { peer, name: this.#book.nameOf(peer) }, protocol, signal)
  }

  peers(): readonly PeerInfo[] {
    return this.#book.all(peer => this.#sessions.capabilities(peer))
  }

  up(): readonly string[] {
    return this.#book.up()
  }

  find(selector: string): readonly PeerInfo[] {
    const found = selectPeers(selector, [this.#self(), ...this.peers()])
    const id = peerOfAddress(selector)
    if (id !== undefined && id !== this.peer) this.#book.found(id, [selector])
    return found
  }

  heardOf({ peer, ...card }: { readonly peer: string } & Card): void {
    if (peer === this.peer || this.#book.neighbour(peer) !== undefined || !this.#sessions.permitted(peer)) return
    // Those who are here say it themselves.
    if (this.#book.status(peer) !== 'up') this.#book.learn(peer, card)
  }

  stance(peer: string): { readonly static: boolean; readonly may: readonly Capability[] } {
    return { static: this.#book.neighbour(peer) !== undefined, may: this.#sessions.capabilities(peer) }
  }

  on(event: MeshEvent, listener: (peer: string) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  /** Handlers and listeners stand before the first connection can come. */
  async #prepare(node: Node): Promise<void> {
    const { joining, grants, log, now = Date.now } = this.#options
    node.addEventListener('connection:open', ({ detail }) => {
      this.#admission.opened(detail)
      if (detail.direction === 'outbound') this.#greetings.say(detail).catch(() => undefined)
    })
    node.addEventListener('connection:close', ({ detail }) => this.#sessions.end(detail.id, 'the connection has closed'))
    node.addEventListener('peer:discovery', ({ detail }) => {
      const addresses = detail.multiaddrs.map(address => address.toString())
      this.#discovered(detail.id.toString(), addresses)
    })
    this.pubsub.attach(node)
    const hellos = answerHellos({
      sessions: this.#sessions,
      admission: this.#admission,
      book: this.#book,
      card: () => this.#card(),
      log,
      now,
      onWelcomed: connection => void this.#greetings.say(connection).catch(() => undefined),
      ...(joining === undefined ? {} : { joining }),
      ...(grants === undefined ? {} : { grants })
    })
    await node.handle(SESSION, hellos, { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX })
    for (const [protocol, handler] of this.#handlers) await this.#serve(node, protocol, handler)
  }

  async #serve(node: Node, protocol: string, handler: Handler): Promise<void> {
    const limits = { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX }
    await node.handle(protocol, served(handler, this.#sessions, this.#options.log), limits)
  }

  #card(): Card {
    const { neighborhood, version } = this.#options
    return { name: this.name, version, labels: labelsOf(neighborhood.current.labels), addresses: this.addresses() }
  }

  #hello(peer: string): SessionHello {
    const ticket = this.#options.joining?.pending(peer)
    return { type: 'hello', ...this.#card(), grants: this.#shown(), ...(ticket === undefined ? {} : { ticket: ticket.secret }) }
  }

  /** The grants of this node, the latest first, as many as fit. */
  #shown(): readonly Uint8Array[] {
    const shown: Uint8Array[] = []
    let bytes = 0
    const { grants } = this.#options
    for (const envelope of [...(grants?.successions() ?? []), ...(grants?.own() ?? []).map(grant => grant.envelope)]) {
      bytes += envelope.byteLength
      if (bytes <= HELLO_GRANTS_BYTES_MAX) shown.push(envelope)
    }
    return shown
  }

  #self(): PeerInfo {
    const { neighborhood, version } = this.#options
    const { peer, name } = this
    const addresses = (): readonly string[] => this.addresses()
    return {
      peer,
      name,
      labels: labelsOf(neighborhood.current.labels),
      version,
      // libp2p works them out anew each time; who looks for a peer by its name does not ask for them.
      get addresses() {
        return addresses()
      },
      status: 'self',
      static: true,
      since: 0,
      may: [],
      mayThere: []
    }
  }

  #welcomed(peer: string, welcome: Welcome): void {
    const wasUp = this.#book.status(peer) === 'up'
    this.#book.learn(peer, welcome)
    this.#book.mark(peer, 'up')
    this.#book.welcomed(peer, welcome.capabilities)
    if (!wasUp) this.#emit('peer-up', peer)
  }

  /** Peers with a connection on which we are welcome. */
  #members(): readonly string[] {
    return [...new Set(this.#greetings.all().map(connection => connection.remotePeer.toString()))]
  }

  async #probe(peer: string, within: number): Promise<number> {
    const connection = this.#greetings.connection(peer)
    if (connection === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', 'there is no connection to it', { peer })
    const took = await roundTrip(connection, AbortSignal.timeout(within))
    this.#book.measured(peer, took)
    return took
  }

  #stands(peer: string, standing: Standing): void {
    if (!this.#book.stands(peer, standing)) return
    this.#options.log.info({ peer, name: this.#book.nameOf(peer) }, standing === 'away' ? 'a node does not answer' : 'a node answers again')
    if (standing !== 'away') this.#emit('peer-up', peer)
  }

  #refused(peer: string, error: unknown): void {
    if (!(error instanceof CloudburstError)) return
    if (error.code === 'CB_TICKET_INVALID') this.#options.joining?.refused(peer, error.message)
    if (error.code === 'CB_DENIED' && this.#greetings.connection(peer) === undefined) this.#failed(peer, error)
  }

  #down(peer: string): void {
    this.#book.mark(peer, 'away')
    this.#emit('peer-down', peer)
  }

  #failed(peer: string, error: unknown): void {
    const denied = error instanceof CloudburstError && error.code === 'CB_DENIED'
    if (this.#greetings.connection(peer) !== undefined) return
    const wasDenied = this.#book.status(peer) === 'denied'
    this.#book.mark(peer, denied ? 'denied' : 'away', reasonOf(error))
    this.#options.log.debug({ peer, reason: reasonOf(error) }, 'not connected')
    if (denied && !wasDenied) this.#emit('peer-denied', peer)
  }

  async #connect(peer: string): Promise<void> {
    if (this.#book.status(peer) === 'away') this.#book.mark(peer, 'connecting')
    await this.#reach(peer)
  }

  async #reach(peer: string, signal?: AbortSignal, onDialled?: OnDialled): Promise<Connection> {
    if (this.#node === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', 'this node is not connected to anybody now', { peer })
    const name = this.#book.nameOf(peer)
    return reach(this.#node, this.#greetings, { peer, name, addresses: this.#book.addresses(peer) }, signal, onDialled)
  }

  #untilDown(peer: string, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const off = this.on('peer-down', down => down === peer && done())
      const done = (): void => {
        off()
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
      if (this.#greetings.connection(peer) === undefined) done()
    })
  }

  /** Neighbours, and whoever a ticket waits to be presented to. */
  #watch(): void {
    const { neighbours } = this.#options.neighborhood.current
    const tickets = this.#options.joining?.waiting() ?? []
    this.#book.setNeighbours(neighbours)
    for (const { peer, addresses } of tickets) this.#book.found(peer, addresses)
    this.#supervisor.watch([...neighbours, ...tickets].map(({ peer }) => peer).filter(peer => peer !== this.peer))
  }

  #permissionsChanged(): void {
    this.#sessions.recheck()
    this.#cut(connection => {
      const permitted = this.#sessions.permitted(connection.remotePeer.toString())
      return connection.direction === 'inbound' && !permitted && !this.#admission.isStranger(connection)
    })
    this.#supervisor.wake()
  }

  #grantsChanged(): void {
    this.#greetings.sayAgain()
    this.#supervisor.wake()
  }

  /** mDNS suggests an address: worth a try for who may come in here, or is waited for. */
  #discovered(peer: string, addresses: readonly string[]): void {
    const awaited = this.#book.neighbour(peer) !== undefined || this.#options.joining?.pending(peer) !== undefined
    if (peer === this.peer || !(awaited || this.#sessions.permitted(peer))) return
    this.#book.found(peer, addresses)
    this.#supervisor.wake(peer)
    if (!awaited) this.#reach(peer).catch(error => this.#failed(peer, error))
  }

  #cut(which: (connection: Connection) => boolean): void {
    for (const connection of this.#node?.getConnections() ?? []) if (which(connection)) void cut(connection)
  }

  #emit(event: MeshEvent, peer: string): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(peer)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
