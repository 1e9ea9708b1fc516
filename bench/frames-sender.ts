/** `frames-sender.ts LINE HOME WHERE`: sends a load for each line `BYTES COUNT` that it reads, and prints the milliseconds that it took. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import { multiaddr } from '@multiformats/multiaddr'
import { generateIdentity } from '../src/crypto/identity.ts'
import { resolveHome } from '../src/node/home.ts'
import { bareNode } from './bare-node.ts'
import type { LineName } from './frames.ts'
import { FRAMES, HEADER_BYTES } from './frames-receiver.ts'
import { meshOf } from './mesh.ts'
import { until } from './nodes.ts'

/** Sends `count` messages of `bytes`; resolves when the other end has them all. */
type Line = (bytes: number, count: number) => Promise<void>

const OPEN: Record<LineName, (home: string, where: string) => Promise<Line>> = {
  channel: channelLine,
  bare: (_home, where) => bareLine(where),
  tcp: (_home, where) => socketLine(connect({ host: '127.0.0.1', port: Number(where), noDelay: true }), 'connect'),
  // Who answers is not what is measured: it listens on loopback, with a certificate made for this run.
  tls: (_home, where) =>
    socketLine(connectTls({ host: '127.0.0.1', port: Number(where), rejectUnauthorized: false }).setNoDelay(true), 'secureConnect')
}

async function main(): Promise<void> {
  const [name = '', home = '', where = ''] = process.argv.slice(2)
  const line = await OPEN[name as LineName](home, where)
  console.log('open')
  for await (const asked of createInterface({ input: process.stdin })) {
    const [bytes = 0, count = 0] = asked.split(' ').map(Number)
    console.log(await timeOf(line, bytes, count))
  }
  process.exit(0)
}

async function timeOf(line: Line, bytes: number, count: number): Promise<number> {
  const began = performance.now()
  await line(bytes, count)
  return performance.now() - began
}

async function channelLine(home: string, peer: string): Promise<Line> {
  const mesh = meshOf(resolveHome(home))
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

async function bareLine(where: string): Promise<Line> {
  const node = await bareNode(generateIdentity())
  const stream = await node.dialProtocol(multiaddr(where), FRAMES)
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

await main()
