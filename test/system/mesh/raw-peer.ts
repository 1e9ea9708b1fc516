/** A peer that has a key and may say anything: libp2p with none of our protocols, for streams that break the rules. */
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { rawPrivateKey } from '../../../src/crypto/identity.ts'
import { loadIdentity } from '../../../src/node/home.ts'
import { WINDOW_BYTES_MAX } from '../../../src/node/mesh/limits.ts'
import { greet } from '../../../src/protocols/session/client.ts'
import { SESSION } from '../../../src/protocols/session/messages.ts'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { frameChannel } from '../../../src/protocols/wire/frame-channel.ts'
import type { MeshNode } from '../mesh.ts'

export interface RawPeer {
  /** A stream of `protocol`, without frames. */
  stream(protocol: string): Promise<Stream>
  /** The same with frames. */
  channel(protocol: string): Promise<Channel>
  stop(): Promise<void>
}

/** Connects to `host` with the key of `as`, whose own daemon must not run; `greeted`: with a session. */
export async function rawPeer(as: MeshNode, host: MeshNode, { greeted = true } = {}): Promise<RawPeer> {
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(rawPrivateKey(loadIdentity(as.home))),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    // A longer window than its buffer would end the streams that it does not read.
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: WINDOW_BYTES_MAX } })],
    connectionMonitor: { enabled: false }
  })
  const address = multiaddr(`/ip4/127.0.0.1/tcp/${host.port}/p2p/${host.peer}`)
  const stream = async (protocol: string): Promise<Stream> => await node.dialProtocol(address, protocol)
  const channel = async (protocol: string): Promise<Channel> => frameChannel(await stream(protocol), host.peer)
  if (greeted) {
    const hello = { type: 'hello', name: as.name, version: '0.0.0', labels: {}, addresses: [], grants: [] } as const
    await greet(await channel(SESSION), hello)
  }
  return { stream, channel, stop: async () => void (await node.stop()) }
}
