import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { noise } from '@chainsafe/libp2p-noise'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { rawPrivateKey } from '../../src/crypto/identity.ts'
import { loadIdentity } from '../../src/node/home.ts'
import { doors } from '../../src/node/permissions/doors.ts'
import { skip } from '../skip.ts'
import { type Mesh, mesh } from './mesh.ts'

/** Whatever a daemon serves, its table of doors knows: a door without a row is one that nobody tried. */
describe('a daemon', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2, { started: false })
    await m.node(1).start()
  })
  after(() => m?.stop())

  it('serves the protocols of its table and no other, as it tells a peer itself', async () => {
    const node = await createLibp2p({
      privateKey: privateKeyFromRaw(rawPrivateKey(loadIdentity(m.node(2).home))),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
      connectionMonitor: { enabled: false }
    })
    try {
      const identified = once(node as unknown as EventTarget, 'peer:identify', { signal: AbortSignal.timeout(10_000) })
      await node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${m.node(1).port}/p2p/${m.node(1).peer}`))
      const [event] = (await identified) as [CustomEvent<{ protocols: string[] }>]
      const table = doors.filter(({ kind }) => kind === 'protocol').map(({ name }) => name)
      assert.deepEqual([...event.detail.protocols].sort(), table.sort())
    } finally {
      await node.stop()
    }
  })

  it('lets no other user of its machine near its socket', async function () {
    const { home } = m.node(1)
    assert.equal(statSync(home.control).mode & 0o777, 0o700)
    assert.equal(statSync(home.state).mode & 0o777, 0o700)
    if (process.getuid?.() !== 0) skip(this, 'only root can be another user')
    const script = `require('net').connect(${JSON.stringify(home.socket)}).on('connect', () => process.exit(0)).on('error', e => process.exit(e.code === 'EACCES' ? 13 : 1))`
    const child = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, env: {}, cwd: '/', stdio: 'ignore' })
    assert.equal((await once(child, 'close'))[0], 13)
  })
})
