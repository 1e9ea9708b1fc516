import assert from 'node:assert/strict'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import type { RestAnswer, RestRequest } from '../../../src/node/control/rest.ts'
import { stateUpdates } from '../../../src/node/state/state-updates.ts'
import type { Replica } from '../../../src/protocols/state/replica.ts'
import { loneReplica } from './lone-replica.ts'

const set = (path: string, value: number) => ({ path, value: { value } })
const never = new AbortController().signal

async function ask(of: Replica, method: string, query = '', body: object = {}, signal = never): Promise<RestAnswer> {
  const request: RestRequest = { method, url: new URL(`http://x/api/v1/state-updates${query}`), headers: {}, body, signal }
  return await stateUpdates(of).answer(request)
}

async function json<T>(answer: Promise<RestAnswer>): Promise<T> {
  const got = await answer
  assert.ok('text' in got)
  return JSON.parse(got.text) as T
}

interface Given {
  readonly heads: readonly object[]
  readonly updates: readonly object[]
}
interface Taken {
  readonly verdicts: readonly { verdict?: string; error?: { code: string } }[]
}

describe('/api/v1/state-updates', () => {
  it('gives what another node takes, as its owner signed it, and replaying it changes nothing', async () => {
    const [one, two] = [loneReplica(generateIdentity(), 'one'), loneReplica(generateIdentity(), 'two')]
    one.publish([set('a', 1)])
    one.publish([set('b', 2)])
    const given = await json<Given>(ask(one, 'GET'))
    assert.equal(given.updates.length, 2)
    const first = await json<Taken>(ask(two, 'POST', '', { updates: given.updates }))
    assert.deepEqual(first.verdicts, [{ verdict: 'applied' }, { verdict: 'applied' }])
    assert.deepEqual(two.read('nodes.one.b'), { value: 2 })
    const digest = two.digest()
    const again = await json<Taken>(ask(two, 'POST', '', given.updates[0]))
    assert.deepEqual(again.verdicts, [{ verdict: 'known' }])
    assert.equal(two.digest(), digest)
  })

  it('gives only what is behind the heads of an earlier answer', async () => {
    const one = loneReplica(generateIdentity(), 'one')
    one.publish([set('a', 1)])
    const { heads } = await json<Given>(ask(one, 'GET'))
    one.publish([set('a', 2)])
    const have = Buffer.from(JSON.stringify(heads)).toString('base64url')
    assert.equal((await json<Given>(ask(one, 'GET', `?have=${have}`))).updates.length, 1)
    await assert.rejects(ask(one, 'GET', '?have=nonsense'), { code: 'CB_USAGE' })
  })

  it('refuses what nobody signed, and takes what comes with it', async () => {
    const [one, two] = [loneReplica(generateIdentity(), 'one'), loneReplica(generateIdentity(), 'two')]
    one.publish([set('a', 1)])
    const { updates } = await json<Given>(ask(one, 'GET'))
    const forged = { ...updates[0], payload: Buffer.from('{}').toString('base64') }
    const { verdicts } = await json<Taken>(ask(two, 'POST', '', { updates: [forged, updates[0]] }))
    assert.deepEqual([verdicts[0]?.error?.code, verdicts[1]?.verdict], ['CB_SIGNATURE_INVALID', 'applied'])
  })

  it('goes on with what comes, once each, when it is followed', async () => {
    const [one, two] = [loneReplica(generateIdentity(), 'one'), loneReplica(generateIdentity(), 'two')]
    one.publish([set('a', 1)])
    const stop = new AbortController()
    const answer = await ask(one, 'GET', '?follow', {}, stop.signal)
    assert.ok('events' in answer)
    const events = answer.events[Symbol.asyncIterator]()
    for (const value of [2, 3]) {
      const { event, data } = (await events.next()).value!
      assert.equal(event, 'update')
      assert.equal(two.apply(Buffer.from(data)), 'applied')
      one.publish([set('a', value)])
    }
    two.apply(Buffer.from((await events.next()).value!.data))
    assert.deepEqual(two.read('nodes.one.a'), { value: 3 })
    stop.abort()
    assert.equal((await events.next()).done, true)
  })
})
