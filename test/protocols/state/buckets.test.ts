import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { BUCKETED_FROM, bucketOf, SUMS_BYTES } from '../../../src/protocols/state/buckets.ts'
import { pullState } from '../../../src/protocols/state/client.ts'
import type { Head } from '../../../src/protocols/state/messages.ts'
import type { Replica } from '../../../src/protocols/state/replica.ts'
import { stateHandler } from '../../../src/protocols/state/server.ts'
import type { Handler } from '../../../src/protocols/wire/channel.ts'
import { callerWith } from '../../fakes/caller.ts'
import { dialerTo } from '../../fakes/channel-pair.ts'
import { loneReplica } from '../../node/state/lone-replica.ts'

/** Nodes of the mesh that two replicas know, besides each other. */
const OTHERS = 2 * BUCKETED_FROM

const set = (path: string, value: number) => ({ path, value: { value } })

function give(from: Replica, to: Replica): void {
  for (const envelope of from.missing(to.heads()).envelopes) to.apply(envelope)
}

/** Two that know the same of many others. */
function acquainted(): { one: Replica; two: Replica; others: readonly Replica[] } {
  const [one, two, ...others] = Array.from({ length: OTHERS + 2 }, (_, at) => loneReplica(generateIdentity(), `n${at}`))
  for (const each of [one!, two!, ...others]) each.publish([set('a', 1)])
  for (const each of [two!, ...others]) give(each, one!)
  give(one!, two!)
  return { one: one!, two: two!, others }
}

/** Pulls, and tells what was asked for. */
async function pulled(to: Replica, from: Replica, handlerOf: (from: Replica) => Handler = stateHandler): Promise<readonly Head[][]> {
  const asked: Head[][] = []
  const missing: Replica['missing'] = (have, of) => {
    asked.push([...have])
    return from.missing(have, of)
  }
  const dialer = dialerTo(handlerOf({ ...from, missing }), callerWith(['state:read']), from.self)
  await pullState(dialer, from.self, to, AbortSignal.timeout(5_000), { compare: true })
  return asked
}

/** The print of heads as it was before there were buckets. */
function olderPrint(heads: readonly Head[]): string {
  const lines = heads.map(({ origin, boot, nonce, seq, print = '', fork = false }) => `${origin} ${boot} ${nonce} ${seq} ${print} ${fork}`)
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 32)
}

/** Gives as it was before there were buckets: it reads no field that it does not know, and tells none. */
const olderHandler =
  (replica: Replica): Handler =>
  async channel => {
    type Asked = { type: string; print?: string; have?: readonly Head[]; of?: readonly string[] }
    let pull = (await channel.read()) as Asked
    if (pull.type === 'compare') {
      const same = pull.print === olderPrint(replica.heads())
      await channel.write({ type: same ? 'same' : 'differs' })
      if (same) return await channel.finish()
      pull = (await channel.read()) as Asked
    }
    await channel.write({ type: 'records', envelopes: replica.missing(pull.have!, pull.of).envelopes })
    await channel.write({ type: 'done' })
    await channel.finish()
  }

describe('a pull between nodes that know many', () => {
  it('speaks of a few heads where one has changed, and of none where nothing has', async () => {
    const { one, two, others } = acquainted()
    assert.equal(one.headsPrint(), two.headsPrint())
    assert.deepEqual(await pulled(two, one), [])
    others[3]!.publish([set('a', 2)])
    give(others[3]!, one)
    const [have] = await pulled(two, one)
    assert.ok(have!.length < OTHERS / 8 && have!.some(({ origin }) => origin === others[3]!.self), `${have!.length} heads were told`)
    assert.equal(two.digest(), one.digest())
    assert.deepEqual(await pulled(two, one), [])
  })

  it('finds a node that only one of the two knows', async () => {
    const { one, two } = acquainted()
    const late = loneReplica(generateIdentity(), 'late')
    late.publish([set('a', 1)])
    give(late, two)
    await pulled(one, two)
    assert.equal(two.digest(), one.digest())
    assert.equal(one.headsPrint(), two.headsPrint())
  })

  it('is of all heads where no sum differs', async () => {
    const { one, two } = acquainted()
    one.publish([set('a', 2)])
    const [have] = await pulled(two, one, from => stateHandler({ ...from, headsSums: () => two.headsSums() }))
    assert.equal(have!.length, OTHERS + 2)
    assert.equal(two.digest(), one.digest())
  })

  it('is refused when the sums are not as long as they are', async () => {
    const { one, two } = acquainted()
    one.publish([set('a', 2)])
    const lying = (from: Replica): Handler => stateHandler({ ...from, headsSums: () => new Uint8Array(SUMS_BYTES + 1) })
    await assert.rejects(pulled(two, one, lying), { code: 'CB_FRAME_INVALID' })
  })

  it('works with an older node, in both directions', async () => {
    const { one, two } = acquainted()
    one.publish([set('a', 2)])
    const [have] = await pulled(two, one, olderHandler)
    assert.equal(have!.length, OTHERS + 2)
    assert.equal(two.digest(), one.digest())

    one.publish([set('a', 3)])
    const channel = await dialerTo(stateHandler(one), callerWith(['state:read']), one.self).open(one.self, '/cloudburst/state/1')
    await channel.write({ type: 'compare', print: olderPrint(two.heads()) })
    assert.equal(((await channel.read()) as { type: string }).type, 'differs')
    await channel.write({ type: 'pull', have: two.heads() })
    const { envelopes } = (await channel.read()) as { envelopes: readonly Uint8Array[] }
    assert.deepEqual(
      envelopes.map(envelope => two.apply(envelope)),
      ['applied']
    )
    assert.equal(((await channel.read()) as { type: string }).type, 'done')
  })
})

describe('a pull between nodes that know few', () => {
  it('compares as older nodes do', async () => {
    const [one, two] = [loneReplica(generateIdentity(), 'one'), loneReplica(generateIdentity(), 'two')]
    for (const each of [one, two]) each.publish([set('a', 1)])
    assert.equal((await pulled(two, one, olderHandler))[0]!.length, 1)
    give(two, one)
    assert.equal(one.headsPrint(), olderPrint(one.heads()))
    assert.equal(one.headsSums(), undefined)
    assert.deepEqual(await pulled(two, one, olderHandler), [])
  })
})

describe('a giver', () => {
  it('gives each origin once, however often it is named', () => {
    const { one } = acquainted()
    const all = Array.from({ length: 50 }, () => one.self)
    assert.equal(one.missing([], all).envelopes.length, 1)
    assert.equal(one.originsIn([5, 5, 5]).length, one.originsIn([5]).length)
  })
})

describe('the bucket of an origin', () => {
  it('is FNV-1a of its id, modulo 64', () => {
    const hashes = { '': 0x811c9dc5, a: 0xe40c292c, foobar: 0xbf9cf968 }
    for (const [text, hash] of Object.entries(hashes)) assert.equal(bucketOf(text), hash % 64)
  })
})
