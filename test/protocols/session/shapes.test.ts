import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CloudburstError, fromErrorData } from '../../../src/errors.ts'
import { greet } from '../../../src/protocols/session/client.ts'
import type { SessionHello } from '../../../src/protocols/session/messages.ts'
import { serveHello } from '../../../src/protocols/session/server.ts'
import { checkHello, checkReply } from '../../../src/protocols/session/shapes.ts'
import { channelPair } from '../../fakes/channel.ts'

const hello: SessionHello = {
  type: 'hello',
  name: 'web1',
  version: '0.1.0',
  labels: { role: 'web' },
  addresses: ['/ip4/192.0.2.7/tcp/1'],
  grants: []
}
const { grants: _none, ...card } = hello
const welcome = { ...card, type: 'welcome' as const, capabilities: ['agency:hello' as const], until: 1 }

function refused(check: (message: unknown) => unknown, message: unknown): boolean {
  try {
    check(message)
    return false
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_FRAME_INVALID', String(error))
    return true
  }
}

describe('a hello', () => {
  it('is taken as it is, and nothing besides', () => {
    assert.deepEqual(checkHello({ ...hello, ticket: 's', more: 1 }), { ...hello, ticket: 's' })
  })

  const bad: ReadonlyArray<[string, object]> = [
    ['another type', { type: 'welcome' }],
    ['no name', { name: undefined }],
    ['a name with a path in it', { name: '../x' }],
    ['an empty name', { name: '' }],
    ['a name of another type', { name: 7 }],
    ['a long version', { version: 'x'.repeat(257) }],
    ['labels that are a list', { labels: [] }],
    ['a label that is no text', { labels: { a: 1 } }],
    ['too many labels', { labels: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`l${at}`, 'x'])) }],
    ['too many addresses', { addresses: Array.from({ length: 65 }, () => '/x') }],
    ['addresses that are a text', { addresses: '/x' }],
    ['a grant that is no bytes', { grants: ['x'] }],
    ['a ticket that is no text', { ticket: {} }]
  ]
  for (const [what, change] of bad) it(`is refused with ${what}`, () => assert.ok(refused(checkHello, { ...hello, ...change })))

  it('is taken or refused, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        message => typeof refused(checkHello, message) === 'boolean' && typeof refused(checkReply, message) === 'boolean'
      )
    )
  })
})

describe('a reply', () => {
  it('keeps capabilities that this version knows', () => {
    assert.deepEqual(checkReply({ ...welcome, capabilities: ['agency:hello', 'moon:fly', 3] }), welcome)
  })

  it('keeps no more of an error than code and message', () => {
    const reply = checkReply({ type: 'refused', error: { code: 'CB_DENIED', message: 'no', details: { x: 1 }, stack: 's' } })
    assert.deepEqual(reply, { type: 'refused', error: { code: 'CB_DENIED', message: 'no' } })
    const odd = checkReply({ type: 'refused', error: { code: 'toString', message: 'no' } })
    assert.ok(odd.type === 'refused' && fromErrorData(odd.error).code === 'CB_INTERNAL')
  })
})

describe('a session', () => {
  it('begins with a welcome', async () => {
    const [dialler, listener] = channelPair('a', 'b')
    const [answer, served] = await Promise.all([greet(dialler, hello), serveHello(listener, async () => welcome)])
    assert.deepEqual(answer, welcome)
    assert.deepEqual(served?.hello, hello)
  })

  it('is refused with the error of the other side', async () => {
    const [dialler, listener] = channelPair('a', 'b')
    const denied = async (): Promise<never> => {
      throw new CloudburstError('CB_DENIED', 'not you')
    }
    const answered = serveHello(listener, denied)
    await assert.rejects(greet(dialler, hello), /not you/)
    assert.equal((await answered)?.reply.type, 'refused')
  })

  it('does not begin when the other side leaves without a word', async () => {
    const [dialler, listener] = channelPair('a', 'b')
    await listener.finish()
    await assert.rejects(greet(dialler, hello), /without an answer/)
    const [quiet, waiting] = channelPair('a', 'b')
    await quiet.finish()
    assert.equal(await serveHello(waiting, async () => welcome), undefined)
  })
})
