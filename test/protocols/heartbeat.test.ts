import assert from 'node:assert/strict'
import { beating } from '../../src/protocols/heartbeat.ts'
import type { Channel } from '../../src/protocols/wire/channel.ts'
import { channelPair } from '../fakes/channel-pair.ts'

const deadline = () => AbortSignal.timeout(2_000)

describe('a beating channel', () => {
  it('sends heartbeats while it is silent, which the other end does not see', async () => {
    let beats = 0
    const pair = channelPair(
      { client: 'a', server: 'b' },
      {
        cut: (_n, _from, message) => {
          if ((message as { type: string }).type === 'heartbeat') beats++
          return false
        }
      }
    )
    const [one, two] = [beating(pair.client, { everyMs: 5 }), beating(pair.server, { everyMs: 5 })]
    const read = two.read()
    for (const end = deadline(); beats < 3; ) {
      end.throwIfAborted()
      await new Promise(setImmediate)
    }
    await one.write({ type: 'word' })
    assert.deepEqual(await read, { type: 'word' })
    one.abort(new Error('done'))
  })

  it('is ended with CB_PEER_UNREACHABLE when the other end is silent for too long', async () => {
    const pair = channelPair({ client: 'a', server: 'b' })
    const one = beating(pair.client, { everyMs: 1_000, silentMs: 20 })
    // The timers do not keep a process alive, so something else has to.
    const alive = setTimeout(() => undefined, 2_000)
    await assert.rejects(one.read(), { code: 'CB_PEER_UNREACHABLE', message: /has been silent for 0.02 s/ })
    clearTimeout(alive)
    assert.ok(pair.server.closed.aborted)
  })

  it('queues no heartbeats behind a word that an end does not read', async () => {
    const written: unknown[] = []
    const room = Promise.withResolvers<void>()
    const { client } = channelPair({ client: 'a', server: 'b' })
    const full: Channel = {
      ...client,
      write: message => {
        written.push(message)
        return room.promise
      }
    }
    const one = beating(full, { everyMs: 1 })
    const word = one.write({ type: 'word' })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    for (const end = deadline(); ticks < 20; ) {
      end.throwIfAborted()
      await new Promise(setImmediate)
    }
    clearInterval(timer)
    room.resolve()
    await word
    await one.finish()
    assert.deepEqual(written, [{ type: 'word' }])
  })
})
