import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import type { Channel } from '../../../src/protocols/wire/channel.ts'
import { asking, inTurns } from '../../../src/protocols/wire/turns.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair } from '../../fakes/channel.ts'

const until = (seconds: number) => AbortSignal.timeout(seconds * 1000)
const closed = async ({ closed }: Pick<Channel, 'closed'>): Promise<void> => {
  if (!closed.aborted) await once(closed, 'abort', { signal: until(5) })
}

/** Answers each message of a turn with its echo, until `bye`; refuses what begins with `no`. */
const echo = inTurns(async channel => {
  for (;;) {
    const message = await channel.read()
    if (message === undefined || message === 'bye') return true
    await channel.write(`${String(message)}!`)
    if (String(message).startsWith('no')) return false
  }
})

function connect(handler = echo) {
  const [client, server] = channelPair()
  const served = handler(server, callerWith([]))
  served.catch(() => undefined)
  return { client, server, served }
}

/** One turn with these messages. @returns what was answered */
async function turn(stream: ReturnType<typeof asking>, ...messages: string[]): Promise<unknown[]> {
  const free = Promise.withResolvers<void>()
  const channel = stream.turn(free.resolve)
  const answers: unknown[] = []
  for (const message of messages) {
    await channel.write(message)
    answers.push(await channel.read())
  }
  await channel.write('bye')
  await channel.finish()
  await free.promise
  return answers
}

describe('turns on one channel', () => {
  it('follow one another, each a channel of its own', async () => {
    const { client } = connect()
    const stream = asking(client)
    for (let at = 0; at < 5; at++) {
      assert.deepEqual(await turn(stream, `a${at}`, 'b'), [`a${at}!`, 'b!'])
      stream.rest()
    }
    assert.equal(client.closed.aborted, false)
  })

  it('end with their channel when the answering end refuses', async () => {
    const { client, served } = connect()
    const channel = asking(client).turn(() => assert.fail('given back'))
    await channel.write('no')
    assert.equal(await channel.read(), 'no!')
    assert.equal(await channel.read(), undefined)
    await channel.finish()
    await served
  })

  it('end with their channel when the asking end leaves in the middle', async () => {
    const { client, server } = connect()
    const channel = asking(client).turn(() => assert.fail('given back'))
    await channel.write('a')
    channel.abort(new Error('enough'))
    await closed(server)
    assert.equal(channel.closed.aborted, true)
  })

  it('begin with a heartbeat that says something; one that says nothing is passed over', async () => {
    const heard: unknown[] = []
    const handler = inTurns(async channel => {
      for (let at = 0; at < 2; at++) heard.push(await channel.read())
      return true
    })
    const { client } = connect(handler)
    const stream = asking(client)
    for (let at = 0; at < 2; at++) {
      const free = Promise.withResolvers<void>()
      if (at > 0) await client.write({ type: 'heartbeat' })
      const channel = stream.turn(free.resolve)
      await channel.write({ type: 'heartbeat', takes: [`${at}`] })
      await channel.write(`word ${at}`)
      await channel.finish()
      await free.promise
    }
    assert.deepEqual(heard, [{ type: 'heartbeat', takes: ['0'] }, 'word 0', { type: 'heartbeat', takes: ['1'] }, 'word 1'])
  })

  it('keep what is said in the next one from a reader of the one before', async () => {
    const stale: Promise<unknown>[] = []
    const handler = inTurns(async channel => {
      const message = await channel.read()
      stale.push(channel.read())
      await channel.write(message)
      return true
    })
    const stream = asking(connect(handler).client)
    for (const word of ['one', 'two', 'three']) {
      const free = Promise.withResolvers<void>()
      const channel = stream.turn(free.resolve)
      await channel.write(word)
      assert.equal(await channel.read(), word)
      await channel.finish()
      await free.promise
    }
    assert.deepEqual(await Promise.all(stale.slice(0, 2)), [undefined, undefined])
  })

  it('pass over what still comes when nobody reads any more', async () => {
    const handler = inTurns(async channel => {
      await channel.read()
      for (let at = 0; at < 50; at++) await channel.write(at)
      return true
    })
    const { client } = connect(handler)
    const stream = asking(client)
    for (let round = 0; round < 3; round++) {
      const free = Promise.withResolvers<void>()
      const channel = stream.turn(free.resolve)
      await channel.write('go')
      assert.equal(await channel.read(), 0)
      await channel.finish()
      assert.equal(await channel.read(), undefined)
      await free.promise
    }
  })

  it('notice at once that a channel which was kept answers no more', async () => {
    const { client } = connect(
      inTurns(async channel => {
        const message = await channel.read()
        if (message === 'silence') await once(channel.closed, 'abort')
        return true
      })
    )
    const stream = asking(client, 20)
    const free = Promise.withResolvers<void>()
    const first = stream.turn(free.resolve)
    await first.write('bye')
    await first.finish()
    await free.promise
    const second = stream.turn(() => assert.fail('given back'))
    await second.write('silence')
    await assert.rejects(second.read(), { code: 'CB_PEER_UNREACHABLE' })
  })

  it('give no channel time to speak between them, but for heartbeats', async () => {
    const [client, server] = channelPair()
    const stream = asking(client)
    stream.rest()
    await server.write({ type: 'heartbeat' })
    await server.write('psst')
    await closed(client)
    await assert.rejects(stream.turn(() => undefined).read(), { code: 'CB_FRAME_INVALID' })
  })

  it('leave no listener on their channel', async () => {
    const { client } = connect()
    const stream = asking(client)
    await turn(stream, 'a')
    const before = getEventListeners(client.closed, 'abort').length
    for (let at = 0; at < 20; at++) await turn(stream, 'a')
    assert.equal(getEventListeners(client.closed, 'abort').length, before)
  })
})
