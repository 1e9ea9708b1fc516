import assert from 'node:assert/strict'
import { streamPair } from '@libp2p/utils'
import '../../../src/polyfill.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { frameChannel } from '../../../src/protocols/wire/frame-channel.ts'
import { FRAME_BYTES_MAX } from '../../../src/protocols/wire/frames.ts'

function coded(code: string): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === code
}

describe('a channel', () => {
  it('carries messages both ways, and ends when both ends have finished', async () => {
    const [near, far] = await streamPair()
    const [a, b] = [frameChannel(near, 'b'), frameChannel(far, 'a')]
    await a.write({ n: 1 })
    assert.deepEqual(await b.read(), { n: 1 })
    await a.finish()
    assert.equal(await b.read(), undefined)
    await b.write('still')
    await b.finish()
    assert.equal(await a.read(), 'still')
    assert.equal(await a.read(), undefined)
    assert.ok(a.closed.aborted && b.closed.aborted)
  })

  it('is aborted by a frame that is no message, and says so at every read', async () => {
    const [near, far] = await streamPair()
    const channel = frameChannel(far, 'a')
    near.send(Uint8Array.of(0, 0, 0, 1, 0xff))
    await assert.rejects(channel.read(), coded('CB_FRAME_INVALID'))
    await assert.rejects(channel.read(), coded('CB_FRAME_INVALID'))
    assert.ok(channel.closed.aborted)
  })

  it('is aborted by a frame that is too long, even where less is allowed than elsewhere', async () => {
    const [near, far] = await streamPair()
    const channel = frameChannel(far, 'a', { frameBytesMax: 16 })
    near.send(Uint8Array.of(0, 0, 0, 17))
    await assert.rejects(channel.read(), coded('CB_FRAME_TOO_LONG'))
    assert.ok(channel.closed.aborted)
  })

  it('refuses a message that makes a long frame, and goes on', async () => {
    const [near, far] = await streamPair()
    const [a, b] = [frameChannel(near, 'b'), frameChannel(far, 'a')]
    await assert.rejects(a.write(new Uint8Array(FRAME_BYTES_MAX)), coded('CB_FRAME_TOO_LONG'))
    await a.write('short')
    assert.equal(await b.read(), 'short')
  })

  it('wakes a reader that waits when it is aborted', async () => {
    const [near] = await streamPair()
    const channel = frameChannel(near, 'b')
    const reading = channel.read()
    channel.abort(new CloudburstError('CB_INTERRUPTED', 'enough'))
    await assert.rejects(reading, coded('CB_INTERRUPTED'))
  })
})
