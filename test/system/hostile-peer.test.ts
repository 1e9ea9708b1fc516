import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { AGENCY } from '../../src/protocols/agency/calls.ts'
import { DISPATCH } from '../../src/protocols/dispatch/messages.ts'
import { SESSION } from '../../src/protocols/session/messages.ts'
import type { Channel } from '../../src/protocols/wire/channel.ts'
import { encodeMessage } from '../../src/protocols/wire/codec.ts'
import { FRAME_BYTES_MAX } from '../../src/protocols/wire/frames.ts'
import { until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { type RawPeer, rawPeer } from './mesh/raw-peer.ts'
import { type Mesh, mesh } from './mesh.ts'
import { slower } from './busy.ts'

/** A stream that breaks the rules ends at once, not when its time is over, in milliseconds. */
const ENDED_WITHIN_MS = 2_000

/** Readers that read nothing, and what a daemon may grow by meanwhile, in MiB: they ask for 320, and 120 are windows and garbage. */
const READERS = 20
const GROWTH_MIB_MAX = 220

/** Resolves once the stream is gone, by whomever. */
async function gone(stream: Stream): Promise<void> {
  if (!['open', 'closing'].includes(stream.status)) return
  await once(stream as unknown as EventTarget, 'close', { signal: AbortSignal.timeout(ENDED_WITHIN_MS) })
}

function header(length: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** Memory that a process holds, in MiB. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

describe('a daemon, to a peer that does not keep to the rules,', function () {
  this.timeout(60_000)
  let m: Mesh
  let peer: RawPeer
  before(async () => {
    m = await mesh(3, { started: false })
    await m.node(1).start()
    await m.node(3).start()
    peer = await rawPeer(m.node(2), m.node(1))
  })
  after(async () => {
    await peer?.stop()
    await m?.stop()
  })

  /** It still serves, both its people and its peers. */
  afterEach(async () => {
    assert.equal((await m.node(1).cli('hello')).exit, 0)
    const channel = await peer.channel(AGENCY)
    await channel.write({ type: 'call', name: 'hello', request: {} })
    assert.equal(((await channel.read()) as { type: string }).type, 'reply')
    await channel.finish()
  })

  for (const protocol of [AGENCY, DISPATCH, SESSION]) {
    it(`ends ${protocol} at the header of a frame that is too long`, async () => {
      const stream = await peer.stream(protocol)
      stream.send(header(FRAME_BYTES_MAX + 1))
      await gone(stream)
    })

    it(`ends ${protocol} at bytes that are no message`, async () => {
      const stream = await peer.stream(protocol)
      stream.send(Buffer.concat([header(8), Buffer.from('ff00ff00ff00ff00', 'hex')]))
      await gone(stream)
    })

    it(`ends ${protocol} at a message that is cut`, async () => {
      const stream = await peer.stream(protocol)
      const message = encodeMessage({ type: 'call', name: 'hello', request: {} })
      stream.send(Buffer.concat([header(message.length), message.subarray(0, -3)]))
      await stream.close()
      await gone(stream)
    })
  }

  for (const message of [
    { type: 'call', name: '__proto__', request: {} },
    { type: 'call', name: 'constructor', request: {} },
    { type: 'call', name: 'hello', request: { surplus: 1 } },
    { type: 'stream', name: 'hello', request: {} },
    { type: 'call' },
    ['hello'],
    null
  ]) {
    it(`refuses ${JSON.stringify(message)} as a call`, async () => {
      const channel = await peer.channel(AGENCY)
      await channel.write(message)
      const answer = (await channel.read()) as { type: string; error: { code: string; message: string } }
      assert.equal(answer.type, 'error')
      assert.match(answer.error.code, /^CB_(USAGE|FRAME_INVALID)$/)
      assert.doesNotMatch(answer.error.message, /\n\s+at /, 'no stack goes to a peer')
    })
  }

  it('holds little for one that asks much and reads nothing', async () => {
    const { id } = await m.node(1).json<{ id: string }>('goal', await bigGoal())
    const before = residentOf(m.node(1).pid())
    const channels: Channel[] = []
    for (let count = 0; count < READERS; count++) {
      const channel = await peer.channel(AGENCY)
      await channel.write({ type: 'stream', name: 'events', request: { id, from: 1, output: true } })
      const first = (await channel.read()) as { type: string }
      assert.equal(first.type, 'item', JSON.stringify(first))
      channels.push(channel)
    }
    assert.equal((await m.node(1).cli('dispatch', 'inventory', '--peer', 'n3')).exit, 0, 'others are served meanwhile')
    const grown = residentOf(m.node(1).pid()) - before
    for (const channel of channels) channel.abort(new Error('enough'))
    assert.ok(grown < GROWTH_MIB_MAX, `${grown.toFixed(0)} MiB more`)
  })

  /** A goal here that has printed more than is kept of it, which is 16 MiB. */
  async function bigGoal(): Promise<string> {
    const file = join(m.directory, 'talk.xml')
    const talk = '<shell><send>head -c 20000000 /dev/zero | tr "\\0" x</send></shell>'
    writeFileSync(file, `<cloudburst name="talk"><goalProto name="talk"><method name="m">${talk}</method></goalProto></cloudburst>`)
    return (await m.node(1).cli('pursue', 'talk', '--program', file, '-o', 'name')).stdout.trim()
  }
})

describe('a daemon whose peer', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('is killed while it tells about a goal says that it waits, and goes on when it is back', async () => {
    const job = work(m.directory, 'killed-midstream')
    const command = m.node(1).begin('dispatch', ...job.words, '--peer', 'n2')
    await job.waits()
    await m.node(2).kill('SIGKILL')
    await until('n1 sees that n2 is away', async () => !/n2 .* up /.test((await m.node(1).cli('peers')).stdout))
    assert.equal((await m.node(1).cli('hello')).exit, 0)
    await m.node(2).start()
    job.open()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.match(said.stdout + said.stderr, /n2 .*(away|left)/)
  })

  it('is listed is reached within two seconds past two hundred silent sockets', async () => {
    await m.node(2).kill('SIGTERM')
    const silent: Socket[] = Array.from({ length: 200 }, () => createConnection(m.node(1).port, '127.0.0.1'))
    try {
      for (const socket of silent) socket.on('error', () => undefined)
      await Promise.all(silent.map(socket => once(socket, 'connect')))
      await m.node(2).start()
      const began = Date.now()
      await until('n2 is served by n1', async () => (await m.node(2).cli('hello', '--peer', 'n1')).exit === 0)
      const took = Date.now() - began
      console.log(`        a listed peer was served after ${took} ms`)
      assert.ok(took < 2_000 * slower(), `${took} ms`)
    } finally {
      for (const socket of silent) socket.destroy()
    }
  })
})
