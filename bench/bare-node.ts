/** libp2p with Noise and yamux as they come, and nothing of ours: what a mesh is measured against. */
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { type Identity, rawPrivateKey } from '../src/crypto/identity.ts'

/** Started. */
export async function bareNode(identity: Identity, listen: string[] = []): Promise<Libp2p> {
  return await createLibp2p({
    privateKey: privateKeyFromRaw(rawPrivateKey(identity)),
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 10_000 },
    connectionMonitor: { enabled: false }
  })
}
