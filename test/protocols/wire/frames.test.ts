import assert from 'node:assert/strict'
import { streamPair } from '@libp2p/utils'
import fc from 'fast-check'
import '../../../src/polyfill.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { FRAME_BYTES_MAX, FrameStream } from '../../../src/protocols/wire/frames.ts'

type RawStream = Awaited<ReturnType<typeof streamPair>>[0]

function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.byteLength)
  return Buffer.concat([head, body])
}

function coded(code: string): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === code
}

/** One end raw, the other framed. */
async function pair(): Promise<[RawStream, FrameStream]> {
  const [raw, other] = await streamPair()
  return [raw, new FrameStream(other)]
}

async function all(frames: FrameStream): Promise<string[]> {
  const read: string[] = []
  for await (const frame of frames) read.push(Buffer.from(frame).toString())
  return read
}

describe('a frame stream', () => {
  it('reads frames however they are cut', async () => {
    const bytes = Buffer.concat(['one', '', 'three'].map(text => framed(Buffer.from(text))))
    for (let cut = 0; cut <= bytes.length; cut++) {
      const [raw, frames] = await pair()
      const reading = all(frames)
      raw.send(bytes.subarray(0, cut))
      raw.send(bytes.subarray(cut))
      await raw.close()
      assert.deepEqual(await reading, ['one', '', 'three'], `cut after ${cut} bytes`)
    }
  })

  it('says that a frame is not whole, at whatever byte the stream ends', async () => {
    const bytes = framed(Buffer.from('three'))
    for (let cut = 1; cut < bytes.length; cut++) {
      const [raw, frames] = await pair()
      const reading = all(frames)
      raw.send(bytes.subarray(0, cut))
      await raw.close()
      await assert.rejects(reading, coded('CB_FRAME_INVALID'), `cut after ${cut} bytes`)
    }
  })

  it('refuses a long frame by its header, and resets the stream', async () => {
    const [raw, frames] = await pair()
    const head = Buffer.alloc(4)
    head.writeUInt32BE(FRAME_BYTES_MAX + 1)
    raw.send(head)
    await assert.rejects(frames.read(), coded('CB_FRAME_TOO_LONG'))
    assert.ok(frames.closed.aborted)
    assert.equal(frames.stream.status, 'aborted')
  })

  it('refuses to write a long frame, and goes on', async () => {
    const [left, right] = (await streamPair()).map(stream => new FrameStream(stream)) as [FrameStream, FrameStream]
    await assert.rejects(left.write(new Uint8Array(FRAME_BYTES_MAX + 1)), coded('CB_FRAME_TOO_LONG'))
    await left.write(Buffer.from('short'))
    assert.equal(Buffer.from((await right.read())!).toString(), 'short')
  })

  it('carries any frames in order, both ways, however many are written at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100_000 }), { maxLength: 20 }), async bodies => {
        const [left, right] = (await streamPair()).map(stream => new FrameStream(stream)) as [FrameStream, FrameStream]
        const send = async (frames: FrameStream): Promise<void> => {
          await Promise.all(bodies.map(body => frames.write(body)))
          await frames.finish()
        }
        const receive = async (frames: FrameStream): Promise<Uint8Array[]> => {
          const read: Uint8Array[] = []
          for await (const frame of frames) read.push(frame)
          return read
        }
        const [, , there, back] = await Promise.all([send(left), send(right), receive(right), receive(left)])
        for (const read of [there, back]) {
          assert.equal(read.length, bodies.length)
          assert.ok(bodies.every((body, at) => Buffer.compare(body, read[at]!) === 0))
        }
      }),
      { numRuns: 20 }
    )
  })

  it('carries long frames beside short ones, wherever they are cut on the way', async () => {
    const [one, other] = (await streamPair()).map(stream => new FrameStream(stream)) as [FrameStream, FrameStream]
    const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)
    const lengths = [3, 16_385, 2, 1, 16_384, 70_000, 65_503, 300_000, 5, ...Array.from({ length: 300 }, () => 500)]
    const frames = lengths.map((length, at) => filled(length, at % 256))
    const writing = (async () => {
      for (const frame of frames) await one.write(frame)
      await one.finish()
    })()
    let at = 0
    for await (const frame of other) {
      assert.ok(Buffer.from(frame).equals(frames[at]!), `frame ${at}`)
      at++
    }
    await writing
    assert.equal(at, frames.length)
  })

  it('does not take a reset for an end', async () => {
    const [raw, frames] = await pair()
    raw.send(framed(Buffer.from('one')))
    assert.equal(Buffer.from((await frames.read())!).toString(), 'one')
    raw.abort(new Error('cut'))
    await assert.rejects(frames.read(), coded('CB_PEER_UNREACHABLE'))
    await assert.rejects(frames.write(Buffer.from('x')), coded('CB_PEER_UNREACHABLE'))
    assert.ok(frames.closed.aborted)
  })
})
