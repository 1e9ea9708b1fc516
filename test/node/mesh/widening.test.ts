import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { WINDOW_BYTES_MAX } from '../../../src/node/mesh/limits.ts'
import { widening } from '../../../src/node/mesh/widening.ts'

/** As much of a stream of yamux as is looked at. */
class Carrying extends EventTarget {
  recvWindow = 256 * 1024
  carry(byteLength: number): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: { byteLength } }))
  }
}

describe('the window of a stream', () => {
  it('is widened once the stream has carried much, and not before', () => {
    const stream = new Carrying()
    widening(stream as unknown as Stream)
    stream.carry(127 * 1024)
    assert.equal(stream.recvWindow, 256 * 1024)
    stream.carry(1024)
    assert.equal(stream.recvWindow, WINDOW_BYTES_MAX)
  })

  it('is left alone when the stream is none of yamux', () => {
    const stream = new EventTarget()
    assert.equal(widening(stream as unknown as Stream), stream)
    assert.deepEqual(Object.keys(stream), [])
  })
})
