import assert from 'node:assert/strict'
import { once } from 'node:events'
import { openEarly } from '../../../src/node/dispatch/early-stream.ts'
import type { Channel, Dialer } from '../../../src/protocols/wire/channel.ts'
import { channelPair } from '../../fakes/channel-pair.ts'

const never = new AbortController().signal

function dialer(): { dialer: Dialer; channel: Channel } {
  const { client } = channelPair({ client: 'a', server: 'b' })
  return { dialer: { open: async () => client }, channel: client }
}

describe('a stream opened early', () => {
  it('is taken once', async () => {
    const { dialer: dial, channel } = dialer()
    const early = openEarly(dial, 'b', '/p/1', never)
    assert.equal(await early.take(), channel)
    assert.equal(early.take(), undefined)
  })

  it('is ended when nobody takes it, and left alone when somebody did', async () => {
    const dropped = dialer()
    openEarly(dropped.dialer, 'b', '/p/1', never).drop(new Error('not needed'))
    if (!dropped.channel.closed.aborted) await once(dropped.channel.closed, 'abort')

    const taken = dialer()
    const early = openEarly(taken.dialer, 'b', '/p/1', never)
    const channel = await early.take()
    early.drop(new Error('not needed'))
    assert.equal(channel?.closed.aborted, false)
  })

  it('fails only for whoever takes it', async () => {
    const failing: Dialer = { open: () => Promise.reject(new Error('no such peer')) }
    openEarly(failing, 'b', '/p/1', never).drop(new Error('not needed'))
    await assert.rejects(async () => await openEarly(failing, 'b', '/p/1', never).take(), /no such peer/)
  })
})
