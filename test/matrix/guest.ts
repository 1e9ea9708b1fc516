/** A caller with a key of its own that speaks the protocols byte by byte, and its control socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { generateIdentity, type Identity, rawPrivateKey } from '../../src/crypto/identity.ts'
import { CloudburstError, fromErrorData, toErrorData } from '../../src/errors.ts'
import { CONTROL_SOCKET, type LocalCalls } from '../../src/node/control/contract.ts'
import { bindControl } from '../../src/node/control/server.ts'
import { remoteAgency } from '../../src/protocols/agency/client.ts'
import { DISPATCH } from '../../src/protocols/dispatch/messages.ts'
import { greet } from '../../src/protocols/session/client.ts'
import { SESSION, type SessionHello } from '../../src/protocols/session/messages.ts'
import type { Channel } from '../../src/protocols/wire/channel.ts'
import { frameChannel } from '../../src/protocols/wire/frame-channel.ts'
import { noLocalCalls } from '../fakes/agency.ts'
import type { Host } from './host.ts'

export const HELLO: SessionHello = { type: 'hello', name: 'guest', version: '0.0.1', labels: {}, addresses: [], grants: [] }
/** An answer that has not come by then is a refusal that was not said, in milliseconds. */
const ANSWER_WITHIN_MS = 3_000

export interface Guest {
  readonly identity: Identity
  /** Home of its control socket, at which `--peer host` is the host. */
  readonly home: string
  /** Says `hello` on a new connection when there is none. */
  connect(hello?: SessionHello): Promise<void>
  stream(protocol: string): Promise<Stream>
  channel(protocol: string): Promise<Channel>
  close(): Promise<void>
}

/** Greets the host before each exchange, as far as it is let. */
export async function openGuest(host: Host): Promise<Guest> {
  const identity = generateIdentity()
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(rawPrivateKey(identity)),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false }
  })
  const { peer } = host.node.identity
  const address = multiaddr(`/ip4/127.0.0.1/tcp/${host.node.port}/p2p/${peer}`)
  const within = (): AbortSignal => AbortSignal.timeout(ANSWER_WITHIN_MS)
  const stream = (protocol: string): Promise<Stream> => node.dialProtocol(address, protocol, { signal: within() })
  const channel = async (protocol: string): Promise<Channel> => {
    const opened = frameChannel(await stream(protocol), peer)
    const late = setTimeout(() => opened.abort(new Error('no answer')), ANSWER_WITHIN_MS).unref()
    opened.closed.addEventListener('abort', () => clearTimeout(late), { once: true })
    return opened
  }
  const home = mkdtempSync(join(tmpdir(), 'matrix-'))
  const control = await bindControl(join(home, CONTROL_SOCKET))
  const guest: Guest = {
    identity,
    home,
    connect: async (hello = HELLO) => {
      if (node.getConnections().length > 0) return
      const { again } = await greet(await channel(SESSION), hello)
      if (again !== true) return
      await node.hangUp(peerIdFromString(peer))
      await greet(await channel(SESSION), hello)
    },
    stream,
    channel,
    close: async () => {
      await control.stop()
      await node.stop()
      rmSync(home, { recursive: true, force: true })
    }
  }
  control.serve({
    agency: remoteAgency({ open: (_peer, protocol) => channel(protocol) }, peer),
    agencyOf: async () => ({ agency: remoteAgency({ open: (_peer, protocol) => channel(protocol) }, peer), peer }),
    local: {
      ...noLocalCalls,
      dispatch: async ({ goal, program }) => [await sent(host, guest, goal, program)]
    },
    by: { peer: identity.peer, node: 'guest' }
  })
  return guest
}

/** A goal sent to the host, as the daemon of the guest would. */
async function sent(host: Host, guest: Guest, goal: string, program?: string): Promise<LocalCalls['dispatch']['reply'][number]> {
  const to = { peer: host.node.identity.peer, node: 'host' }
  const hash = program === 'run' ? host.shell : host.hash
  try {
    return { ...to, id: await dispatched(guest, { goal, program: { name: program ?? 'site', hash } }) }
  } catch (error) {
    return { ...to, error: toErrorData(error) }
  }
}

let nextId = 0

/** Id of the goal that the host has accepted. @throws CloudburstError what it refused with */
export async function dispatched(
  guest: Guest,
  what: { readonly goal: string; readonly program: { readonly name: string; readonly hash: string }; readonly id?: string },
  files?: string
): Promise<string> {
  const id = what.id ?? `01JD${String(++nextId).padStart(22, '0')}`
  const channel = await guest.channel(DISPATCH)
  try {
    const assignments = [{ path: 'goal.port', value: '8080' }]
    await channel.write({ type: 'request', mode: 'pursue', assignments, chain: [], acceptBefore: Date.now() + 60_000, ...what, id })
    for (;;) {
      const answer = (await channel.read()) as { type: string; error?: never } | undefined
      if (answer === undefined) throw new CloudburstError('CB_PEER_UNREACHABLE', 'no answer')
      if (answer.type === 'accepted') return id
      if (answer.type === 'refused' || answer.type === 'error') throw fromErrorData(answer.error!)
      if (answer.type === 'need-program') await channel.write({ type: 'program', files: [{ name: 'site.xml', text: files ?? '' }] })
    }
  } finally {
    channel.abort(new Error('enough'))
  }
}
