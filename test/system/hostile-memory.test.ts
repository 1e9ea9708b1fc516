import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENCY } from '../../src/protocols/agency/calls.ts'
import { DISPATCH } from '../../src/protocols/dispatch/messages.ts'
import { SESSION } from '../../src/protocols/session/messages.ts'
import { STATE } from '../../src/protocols/state/messages.ts'
import { encodeMessage } from '../../src/protocols/wire/codec.ts'
import { FRAME_BYTES_MAX } from '../../src/protocols/wire/frames.ts'
import { type RawPeer, rawPeer } from './mesh/raw-peer.ts'
import { type Mesh, mesh } from './mesh.ts'

const FRAMES = 5_000
const SLOW_READER_MS = 30_000
/** Streams at a time: as many as a busy peer has. */
const AT_ONCE = 24
/** What a daemon may hold more afterwards, in MiB. */
const GROWTH_MIB_MAX = 64

const header = (length: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}
const framed = (body: Uint8Array): Buffer => Buffer.concat([header(body.byteLength), body])
const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])

/** One of each kind, again and again: too long, no CBOR, cut, deep, wide, poisoned, of no shape, of a shape that asks for much. */
const hostile: readonly ((at: number) => Buffer)[] = [
  () => header(FRAME_BYTES_MAX + 1),
  () => Buffer.concat([header(FRAME_BYTES_MAX), Buffer.alloc(8_192, 0x81)]),
  at => framed(Buffer.from(Array.from({ length: 64 }, (_, byte) => (at * 31 + byte * 17) % 256))),
  () => framed(encodeMessage({ type: 'call', name: 'goals', request: {} })).subarray(0, -3),
  () => framed(Buffer.concat([Buffer.alloc(4_000, 0x81), Buffer.from([1])])),
  () => framed(Buffer.concat([Buffer.from('9a00030d40', 'hex'), Buffer.alloc(200_000, 0xf6)])),
  () => framed(Buffer.from('a1695f5f70726f746f5f5fa0', 'hex')),
  at => framed(encodeMessage({ type: 'call', name: `n${at}`, request: { at, deep: deep(40) } })),
  at => framed(encodeMessage({ type: 'request', id: `01JD${String(at).padStart(22, '0')}`, goal: 'x'.repeat(250), assignments: [] })),
  at =>
    framed(
      encodeMessage({
        type: 'pull',
        have: Array.from({ length: 500 }, (_, each) => ({ origin: `o${at}-${each}`, boot: 1, nonce: 'x', seq: 1 }))
      })
    )
]

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

describe('the memory of a daemon', function () {
  this.timeout(150_000)
  let m: Mesh
  let peer: RawPeer
  before(async () => {
    m = await mesh(2, { started: false })
    await m.node(1).start()
    peer = await rawPeer(m.node(2), m.node(1))
  })
  after(async () => {
    await peer?.stop()
    await m?.stop()
  })

  it(`grows little by ${FRAMES} hostile frames and a reader that is slow for ${SLOW_READER_MS / 1000} seconds`, async () => {
    const { id } = await m.node(1).json<{ id: string }>('goal', await talk())
    // What a daemon takes once for its first work is no growth.
    await sendAll(0, 500)
    await slowly(id, 1_000)
    const before = residentOf(m.node(1).pid())
    let highest = before
    const watching = setInterval(() => {
      highest = Math.max(highest, residentOf(m.node(1).pid()))
    }, 200)
    await Promise.all([sendAll(0, FRAMES), slowly(id, SLOW_READER_MS)]).finally(() => clearInterval(watching))
    const after = residentOf(m.node(1).pid())
    const [grown, peak] = [after - before, highest - before]
    console.log(
      `        ${before.toFixed(0)} MiB before, ${grown.toFixed(0)} MiB more after, at most ${peak.toFixed(0)} MiB more meanwhile`
    )
    assert.ok(grown <= GROWTH_MIB_MAX, `${grown.toFixed(0)} MiB more`)
    assert.equal((await m.node(1).cli('hello')).exit, 0)
    assert.deepEqual((await m.node(1).json<readonly unknown[]>('goals')).length, 1, 'no frame has made a goal')
  })

  async function sendAll(from: number, to: number): Promise<void> {
    let next = from
    const send = async (): Promise<void> => {
      for (let at = next++; at < to; at = next++) {
        const protocol = [AGENCY, DISPATCH, STATE, SESSION][at % 4]!
        try {
          const stream = await peer.stream(protocol)
          stream.send(hostile[at % hostile.length]!(at))
          const closing = once(stream as unknown as EventTarget, 'close', { signal: AbortSignal.timeout(5_000) })
          await stream.close().catch(() => undefined)
          await closing.catch(() => stream.abort(new Error('enough')))
        } catch {
          // Too many streams at once, or the connection was ended: both are an answer.
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, send))
  }

  /** Asks for all that the goal printed, and takes a message now and then. */
  async function slowly(id: string, ms: number): Promise<void> {
    const channel = await peer.channel(AGENCY)
    await channel.write({ type: 'stream', name: 'events', request: { id, from: 1, output: true } })
    for (const end = Date.now() + ms; Date.now() < end; ) {
      await channel.read()
      await once(AbortSignal.timeout(250), 'abort')
    }
    channel.abort(new Error('enough'))
  }

  /** A goal that has printed as much as is kept of one: 16 MiB. */
  async function talk(): Promise<string> {
    const file = join(m.directory, 'talk.xml')
    const said = '<shell><send>head -c 20000000 /dev/zero | tr "\\0" x</send></shell>'
    writeFileSync(file, `<cloudburst name="talk"><goalProto name="talk"><method name="m">${said}</method></goalProto></cloudburst>`)
    return (await m.node(1).cli('pursue', 'talk', '--program', file, '-o', 'name')).stdout.trim()
  }
})
