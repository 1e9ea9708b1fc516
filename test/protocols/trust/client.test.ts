import assert from 'node:assert/strict'
import { exchangeTrust } from '../../../src/protocols/trust/client.ts'
import { pagesOf, STATEMENTS_MAX } from '../../../src/protocols/trust/messages.ts'
import { type TrustEnd, trustHandler } from '../../../src/protocols/trust/server.ts'
import type { Dialer } from '../../../src/protocols/wire/channel.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair } from '../../fakes/channel.ts'

/** Knows `count` statements, and remembers what it is told. */
function end(count: number, bytes = 8): TrustEnd & { readonly heard: Uint8Array[] } {
  const heard: Uint8Array[] = []
  const known = Array.from({ length: count }, (_, at) => new Uint8Array(bytes).fill(at))
  return { heard, take: envelope => void heard.push(envelope), newsFor: () => known }
}

function to(there: TrustEnd): Dialer {
  return {
    open: async () => {
      const [mine, its] = channelPair('asks', 'answers')
      void trustHandler(there)(its, callerWith(['agency:hello'], 'asks'))
      return mine
    }
  }
}

describe('news of trust', () => {
  for (const count of [0, 1, STATEMENTS_MAX, 3 * STATEMENTS_MAX + 1]) {
    it(`are told all, ${count} of them, in as many messages as it takes`, async () => {
      const [here, there] = [end(count), end(2)]
      await exchangeTrust(to(there), 'answers', here)
      assert.deepEqual(there.heard, here.newsFor('answers'))
      assert.deepEqual(here.heard.slice(0, 2), there.newsFor('asks'))
    })
  }

  it('are told up to the first message now and then, and by whoever answers', async () => {
    const [here, there] = [end(STATEMENTS_MAX + 5), end(STATEMENTS_MAX + 5)]
    await exchangeTrust(to(there), 'answers', here, 'first')
    assert.deepEqual([there.heard.length, here.heard.length], [STATEMENTS_MAX, STATEMENTS_MAX])
  })

  it('fit into a frame, however long each is', () => {
    const pages = pagesOf(Array.from({ length: 20 }, () => new Uint8Array(240 * 1024)))
    assert.equal(pages.flat().length, 20)
    assert.ok(pages.every(page => page.reduce((sum, { byteLength }) => sum + byteLength, 0) <= 1024 * 1024))
    assert.deepEqual(pagesOf([new Uint8Array(2 * 1024 * 1024)]).length, 1)
  })
})
