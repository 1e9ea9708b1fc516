import assert from 'node:assert/strict'
import { once } from 'node:events'
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { generateIdentity, rawPrivateKey } from '../../../src/crypto/identity.ts'
import { addPermit } from '../../../src/node/permissions/permissions.ts'
import { greet } from '../../../src/protocols/session/client.ts'
import { SESSION, type SessionHello } from '../../../src/protocols/session/messages.ts'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { frameChannel } from '../../../src/protocols/wire/frame-channel.ts'
import { FOREVER, Testbed, type TestNode } from './testbed.ts'

const SERVED = '/test/served/1'
const HELLO: SessionHello = { type: 'hello', name: 'guest', version: '0.0.1', labels: {}, addresses: [], grants: [] }

describe('what a peer opens right after its hello', function () {
  this.timeout(30_000)
  let bed: Testbed
  let host: TestNode
  let client: Libp2p
  let asked: number

  beforeEach(async () => {
    bed = new Testbed()
    host = await bed.node('host')
    asked = 0
    host.mesh.handle(SERVED, async (channel, caller) => {
      asked++
      caller.require('goal:dispatch')
      await channel.write('served')
    })
    await host.start()
    const identity = generateIdentity()
    const lifetime = FOREVER
    addPermit(host.home.permissions, {
      email: 'g@example.org',
      peer: identity.peer,
      capabilities: ['agency:hello', 'goal:dispatch'],
      lifetime
    })
    host.permissions.reload()
    client = await createLibp2p({
      privateKey: privateKeyFromRaw(rawPrivateKey(identity)),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false }
    })
  })
  afterEach(async () => {
    await client.stop()
    await bed.close()
  })

  async function open(...protocols: string[]): Promise<Channel[]> {
    const connection = await client.dial(multiaddr(`/ip4/127.0.0.1/tcp/${host.port}/p2p/${host.identity.peer}`))
    const streams = await Promise.all(protocols.map(protocol => connection.newStream(protocol)))
    return streams.map(stream => frameChannel(stream, host.identity.peer))
  }

  /** Whatever was sent before has arrived: libp2p's own protocols wait for no hello of whoever has a permit. */
  async function pinged(): Promise<void> {
    const [connection] = client.getConnections()
    const stream = await connection!.newStream('/ipfs/ping/1.0.0')
    const answered = once(stream as unknown as EventTarget, 'message', { signal: AbortSignal.timeout(5_000) })
    stream.send(new Uint8Array(32))
    await answered
    stream.abort(new Error('enough'))
  }

  it('waits for the answer, and is served after it', async () => {
    const [session, ...early] = (await open(SESSION, SERVED, SERVED)) as [Channel, Channel, Channel]
    const answers = Promise.all(early.map(channel => channel.read()))
    await pinged()
    assert.equal(asked, 0)
    await greet(session, HELLO)
    assert.deepEqual(await answers, ['served', 'served'])
  })

  it('is refused when the hello was', async () => {
    const [session, early] = (await open(SESSION, SERVED)) as [Channel, Channel]
    const answer = early.read().catch((error: unknown) => error)
    await session.write({ type: 'hello', wrong: true })
    assert.notEqual(await answer, 'served')
    assert.equal(asked, 0)
  })

  it('is refused at once where there was no hello', async () => {
    const [alone] = (await open(SERVED)) as [Channel]
    const answer = (await alone.read()) as { readonly type: string; readonly error: { readonly code: string } }
    assert.deepEqual([answer.type, answer.error.code, asked], ['error', 'CB_DENIED', 0])
  })
})
