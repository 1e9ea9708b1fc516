/** `frames-sender.ts HOME PEER TCP TLS`: sends loads over each line in turns; prints the milliseconds that they took. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { multiaddr } from '@multiformats/multiaddr'
import { generateIdentity } from '../src/crypto/identity.ts'
import { resolveHome } from '../src/node/home.ts'
import { bareNode } from './bare-node.ts'
import { type FramesTaken, LINES, type LineName, LOADS, sampleName } from './frames.ts'
import { FRAMES, HEADER_BYTES } from './frames-receiver.ts'
import { meshOf } from './mesh.ts'
import { until } from './nodes.ts'
import { interleave, type Sampler } from './sampling.ts'

/** A sample is a mean over thousands of messages by itself. */
const ROUNDS = 21

/** Sends `count` messages of `bytes`; resolves when the other end has them all. */
type Line = (bytes: number, count: number) => Promise<void>

const [base = '', peer = '', tcp = '', tls = '', bare = ''] = process.argv.slice(2)
const lines: Record<LineName, Line> = {
  channel: await channelLine(),
  bare: await bareLine(),
  tcp: await socketLine(connect({ host: '127.0.0.1', port: Number(tcp), noDelay: true }), 'connect'),
  // Who answers is not what is measured: it listens on loopback, with a certificate made for this run.
  tls: await socketLine(connectTls({ host: '127.0.0.1', port: Number(tls), rejectUnauthorized: false }).setNoDelay(true), 'secureConnect')
}
const samplers: Record<string, Sampler> = {}
for (const { bytes, count } of LOADS) for (const line of LINES) samplers[sampleName(line, bytes)] = () => timeOf(lines[line], bytes, count)
const taken: FramesTaken = await interleave(samplers, ROUNDS)
console.log(JSON.stringify(taken))
process.exit(0)

async function timeOf(line: Line, bytes: number, count: number): Promise<number> {
  const began = performance.now()
  await line(bytes, count)
  return performance.now() - began
}

async function channelLine(): Promise<Line> {
  const mesh = meshOf(resolveHome(base))
  await mesh.start()
  await until('the receiver is up', () => Promise.resolve(mesh.peers().some(({ status }) => status === 'up')))
  const channel = await mesh.open(peer, FRAMES)
  return async (bytes, count) => {
    const chunk = Buffer.alloc(bytes, 'x')
    const message = { type: 'output', step: 'bench.command.shell.1', attempt: 1, stream: 'stdout' }
    for (let at = 0; at < count; at++) await channel.write({ ...message, offset: at * bytes, bytes: chunk })
    await channel.write({ ...message, offset: count * bytes, bytes: new Uint8Array() })
    await channel.read()
  }
}

async function bareLine(): Promise<Line> {
  const node = await bareNode(generateIdentity())
  const stream = await node.dialProtocol(multiaddr(bare), FRAMES)
  return async (bytes, count) => {
    const message = Buffer.alloc(bytes, 'x')
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeDoubleBE(bytes * count)
    const answered = new Promise(resolve => stream.addEventListener('message', resolve, { once: true }))
    stream.send(header)
    for (let at = 0; at < count; at++) if (!stream.send(message)) await stream.onDrain()
    await answered
  }
}

async function socketLine(socket: Socket, ready: 'connect' | 'secureConnect'): Promise<Line> {
  await once(socket, ready)
  return async (bytes, count) => {
    const message = Buffer.alloc(bytes, 'x')
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeDoubleBE(bytes * count)
    const answered = once(socket, 'data')
    socket.write(header)
    for (let at = 0; at < count; at++) if (!socket.write(message)) await once(socket, 'drain')
    await answered
  }
}
