/** `frames-receiver.ts LINE HOME`: takes in what frames-sender.ts sends, and answers each load once it is there. Prints where it listens. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { resolveHome } from '../src/node/home.ts'
import { generateIdentity } from '../src/crypto/identity.ts'
import { bareNode } from './bare-node.ts'
import { certificate } from './certificate.ts'
import { meshOf } from './mesh.ts'
import type { LineName } from './frames.ts'

/** The protocol of the messages; one without bytes ends a load. */
export const FRAMES = '/bench/frames/1'
/** On a socket a load begins with its number of bytes, as a double. */
export const HEADER_BYTES = 8

async function main(): Promise<void> {
  const [line = '', home = ''] = process.argv.slice(2)
  console.log(await LISTEN[line as LineName](home))
}

/** Each tells what a sender needs to know. */
const LISTEN: Record<LineName, (home: string) => Promise<string>> = {
  channel: async home => {
    const mesh = meshOf(resolveHome(home))
    mesh.handle(FRAMES, async channel => {
      for (let message = await channel.read(); message !== undefined; message = await channel.read()) {
        if ((message as { bytes: Uint8Array }).bytes.length === 0) await channel.write('had')
      }
    })
    await mesh.start()
    return mesh.peer
  },
  bare: listenBare,
  tcp: () => listen(createServer({ noDelay: true }, answer)),
  tls: () => listen(createTlsServer({ ...certificate(), minVersion: 'TLSv1.3', noDelay: true }, answer))
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

/** @returns address with peer id */
async function listenBare(): Promise<string> {
  const node = await bareNode(generateIdentity(), ['/ip4/127.0.0.1/tcp/0'])
  await node.handle(FRAMES, async stream => {
    let left = 0
    for await (const chunk of stream) {
      const bytes = chunk.subarray()
      left += left === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset).readDoubleBE() + HEADER_BYTES - bytes.length : -bytes.length
      if (left === 0) stream.send(Buffer.from('!'))
    }
  })
  return node.getMultiaddrs()[0]!.toString()
}

function answer(socket: Socket): void {
  let left = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    // The sender waits for the answer before the next load, so the header comes first and whole.
    left += left === 0 ? chunk.readDoubleBE() + HEADER_BYTES - chunk.length : -chunk.length
    if (left === 0) socket.write('!')
  })
}

if (process.argv[1] === import.meta.filename) await main()
