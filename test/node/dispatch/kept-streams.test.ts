import assert from 'node:assert/strict'
import { once } from 'node:events'
import { KEPT_PER_PEER_MAX, keptStreams } from '../../../src/node/dispatch/kept-streams.ts'
import type { Channel, Dialer } from '../../../src/protocols/wire/channel.ts'
import { inTurns } from '../../../src/protocols/wire/turns.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair } from '../../fakes/channel-pair.ts'

/** A peer that answers one message a turn; `hold` makes it write on and on first. */
const serve = inTurns(async channel => {
  const message = await channel.read()
  for (let at = 0; message === 'hold' && !channel.closed.aborted; at++) await channel.write(at)
  await channel.write(message)
  return message !== 'refuse'
})

function network() {
  const ends: { client: Channel; server: Channel; cut: () => void }[] = []
  const dialer: Dialer = {
    open: async peer => {
      const pair = channelPair({ client: 'me', server: peer })
      ends.push(pair)
      serve(pair.server, callerWith([])).catch(() => undefined)
      return pair.client
    }
  }
  return { ends, kept: keptStreams(dialer) }
}

async function ask(kept: Dialer, word = 'hello', peer = 'a'): Promise<unknown> {
  const channel = await kept.open(peer, '/p/1')
  await channel.write(word)
  const answer = await channel.read()
  await channel.finish()
  // The end of the turn is read by then, or soon.
  if (!channel.closed.aborted) await once(channel.closed, 'abort', { signal: AbortSignal.timeout(5_000) })
  return answer
}

describe('kept streams', () => {
  it('serve one question after the other, each peer its own', async () => {
    const { ends, kept } = network()
    for (let at = 0; at < 10; at++) assert.equal(await ask(kept, `w${at}`), `w${at}`)
    assert.equal(ends.length, 1)
    await ask(kept, 'hello', 'b')
    assert.equal(ends.length, 2)
  })

  it('are as many as there are questions at once, and not more than a few afterwards', async () => {
    const { ends, kept } = network()
    await Promise.all(Array.from({ length: KEPT_PER_PEER_MAX + 4 }, (_, at) => ask(kept, `w${at}`)))
    assert.equal(ends.length, KEPT_PER_PEER_MAX + 4)
    assert.equal(ends.filter(({ client }) => !client.closed.aborted).length, KEPT_PER_PEER_MAX)
  })

  it('are not given out once they were cut or refused', async () => {
    const { ends, kept } = network()
    await ask(kept)
    ends[0]!.cut()
    await ask(kept)
    assert.equal(ends.length, 2)
    await ask(kept, 'refuse')
    await ask(kept)
    assert.equal(ends.length, 3)
  })

  it('go on beside one that is not read', async () => {
    const { ends, kept } = network()
    const slow = await kept.open('a', '/p/1')
    await slow.write('hold')
    for (let at = 0; at < 5; at++) assert.equal(await ask(kept, `w${at}`), `w${at}`)
    slow.abort(new Error('enough'))
    assert.equal(ends.length, 2)
    assert.equal(await ask(kept), 'hello')
  })

  it('end when they are stopped, and those in use when they come back', async () => {
    const { ends, kept } = network()
    const used = await kept.open('a', '/p/1')
    await ask(kept)
    kept.stop()
    assert.deepEqual(
      ends.map(({ client }) => client.closed.aborted),
      [false, true]
    )
    await used.write('hello')
    assert.equal(await used.read(), 'hello')
    await used.finish()
    if (!used.closed.aborted) await once(used.closed, 'abort', { signal: AbortSignal.timeout(5_000) })
    assert.equal(ends[0]!.client.closed.aborted, true)
  })
})
