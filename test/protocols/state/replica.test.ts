import assert from 'node:assert/strict'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import { open, seal } from '../../../src/crypto/dsse.ts'
import { RECORD_BYTES_MAX } from '../../../src/protocols/state/messages.ts'
import { ENVELOPE_BYTES_MAX, encodeRecord, RECORD_TYPE } from '../../../src/protocols/state/record.ts'
import { FORGET_BYTES_MAX, FORGET_TYPE } from '../../../src/protocols/state/forget.ts'
import { INTRODUCED_PER_PEER_MAX, RECORDS_BURST_MAX } from '../../../src/protocols/state/limits.ts'
import { openReplica, type Replica, type ReplicaParts } from '../../../src/protocols/state/replica.ts'
import { encodeMessage } from '../../../src/protocols/wire/codec.ts'

const [ann, ben] = [generateIdentity(), generateIdentity()]
let ids = 0

function replica(identity: Identity, name: string, boot = 1, nonce = 'aaaaaaaa', more: Partial<ReplicaParts> = {}): Replica {
  return openReplica({
    self: identity.peer,
    name,
    boot,
    nonce,
    seal: payload => seal(identity, RECORD_TYPE, payload),
    open: envelope => open(envelope, RECORD_TYPE, ENVELOPE_BYTES_MAX),
    now: () => 1_000,
    id: () => `t${++ids}`,
    freshNonce: () => 'ffffffff',
    ...more
  })
}

const set = (path: string, value: string | number) => ({ path, value: { value } })

/** Gives `to` everything that it lacks of `from`. @returns the verdicts */
function pull(to: Replica, from: Replica): string[] {
  const { envelopes, proofs, forgets } = from.missing(to.heads())
  for (const envelope of forgets) to.applyForget(envelope)
  return [...envelopes.map(envelope => to.apply(envelope)), ...proofs.map(proof => `proof:${to.applyProof(proof)}`)]
}

function record(change: object = {}) {
  return {
    origin: ann.peer,
    name: 'ann',
    boot: 1,
    nonce: 'aaaaaaaa',
    seq: 1,
    snapshot: true,
    transaction: { id: 't', at: 1, changes: [{ path: 'a', value: { value: 1 }, revision: 1 }] },
    ...change
  }
}
const signed = (change: object = {}, by = ann) => seal(by, RECORD_TYPE, encodeMessage(record(change)))

describe('a replica', () => {
  it('shows what a node publishes below its name, to itself at once and to others after a pull', () => {
    const [one, two] = [replica(ann, 'ann'), replica(ben, 'ben')]
    one.publish([set('host.os', 'linux'), set('host.cpus', 2)])
    assert.deepEqual(one.read('nodes.ann.host.cpus'), { value: 2 })
    assert.equal(two.read('nodes.ann'), undefined)
    assert.deepEqual(pull(two, one), ['applied'])
    assert.deepEqual(two.read('nodes'), {
      fields: { ann: { fields: { host: { fields: { cpus: { value: 2 }, os: { value: 'linux' } } } } } }
    })
    assert.equal(two.digest(), one.digest())
  })

  it('counts the changes of each path and leaves out what is as it was', () => {
    const one = replica(ann, 'ann')
    one.publish([set('a', 1), set('b', 1)])
    one.publish([set('a', 2), set('b', 1)])
    assert.equal(one.own().get('a')!.revision, 2)
    assert.equal(one.own().get('b')!.revision, 1)
    const before = one.heads()
    one.publish([set('a', 2)])
    assert.deepEqual(one.heads(), before)
  })

  it('goes on counting a path that was removed', () => {
    const one = replica(ann, 'ann')
    one.publish([set('a', 1)])
    one.publish([{ path: 'a' }])
    assert.equal(one.read('nodes.ann'), undefined)
    one.publish([set('a', 1)])
    assert.equal(one.own().get('a')!.revision, 3)
  })

  it('gives only what the other lacks', () => {
    const [one, two] = [replica(ann, 'ann'), replica(ben, 'ben')]
    one.publish([set('a', 1)])
    pull(two, one)
    one.publish([set('a', 2)])
    assert.deepEqual(pull(two, one), ['applied'])
    assert.deepEqual(pull(two, one), [])
  })

  it('passes on records of others unchanged', () => {
    const [one, two, three] = [replica(ann, 'ann'), replica(ben, 'ben'), replica(generateIdentity(), 'cy')]
    one.publish([set('a', 1)])
    pull(two, one)
    assert.deepEqual(pull(three, two), ['applied'])
    const [passedOn, sealed] = [three, one].map(each => Buffer.concat(each.missing([]).envelopes).toString())
    assert.equal(passedOn, sealed)
  })

  it('takes a higher boot in place of all that was known', () => {
    const [old, anew, two] = [replica(ann, 'ann', 5), replica(ann, 'ann', 6, 'bbbbbbbb'), replica(ben, 'ben')]
    old.publish([set('a', 1), set('b', 1)])
    anew.publish([set('a', 2)])
    pull(two, old)
    pull(two, anew)
    assert.deepEqual(two.read('nodes.ann'), { fields: { a: { value: 2 } } })
    assert.deepEqual(pull(two, old), [])
    assert.equal(two.apply(old.missing([]).envelopes[0]!), 'stale')
  })

  it('lives on behind a later boot of itself that others know', () => {
    const [later, restored, two] = [replica(ann, 'ann', 9), replica(ann, 'ann', 5), replica(ben, 'ben')]
    later.publish([set('a', 'old')])
    pull(two, later)
    restored.publish([set('a', 'new')])
    assert.deepEqual(pull(restored, two), ['own'])
    pull(two, restored)
    assert.deepEqual(two.read('nodes.ann.a'), { value: 'new' })
    assert.equal(two.heads()[0]!.boot, 10)
  })

  it('shows a transaction of many records only as a whole, and keeps every value', () => {
    const [one, two] = [replica(ann, 'ann'), replica(ben, 'ben')]
    const big = Array.from({ length: 40 }, (_, at) => set(`v${at}`, String(at).repeat(5_000).slice(0, 5_000)))
    one.publish(big)
    const { envelopes } = one.missing([])
    assert.ok(envelopes.length >= 4)
    assert.ok(envelopes.every(envelope => envelope.byteLength <= ENVELOPE_BYTES_MAX))
    for (const envelope of envelopes.slice(0, -1)) {
      two.apply(envelope)
      assert.equal(two.read('nodes.ann'), undefined)
    }
    two.apply(envelopes.at(-1)!)
    assert.equal(two.digest(), one.digest())
    assert.equal(two.own().size + [...one.own()].length, 40)
  })

  it('begins a new log after 64 records, which one who comes later reads alone', () => {
    const [one, two] = [replica(ann, 'ann'), replica(ben, 'ben')]
    for (let at = 0; at < 200; at++) one.publish([set('n', at)])
    assert.ok(one.missing([]).envelopes.length <= 65)
    pull(two, one)
    assert.deepEqual(two.read('nodes.ann.n'), { value: 199 })
  })

  it('refuses to publish a value that fits into no record, and changes nothing', () => {
    const one = replica(ann, 'ann')
    one.publish([set('a', 1)])
    const before = one.digest()
    assert.throws(() => one.publish([set('a', 2), set('b', 'x'.repeat(RECORD_BYTES_MAX))]), { code: 'CB_FRAME_TOO_LONG' })
    assert.throws(() => one.publish(Array.from({ length: 20 }, (_, at) => set(`b${at}`, 'x'.repeat(40_000)))), {
      code: 'CB_FRAME_TOO_LONG'
    })
    assert.throws(() => one.publish([set('a', 2), set('p'.repeat(1_001), 1)]), { code: 'CB_VALUE_INVALID' })
    assert.equal(one.digest(), before)
  })

  const bad: readonly { it: string; envelope: () => Uint8Array; code: string }[] = [
    { it: 'signed by somebody else for its origin', envelope: () => signed({}, ben), code: 'CB_SIGNATURE_INVALID' },
    { it: 'that was changed on the way', envelope: () => forged(), code: 'CB_SIGNATURE_INVALID' },
    { it: 'that is no envelope', envelope: () => Buffer.from('hello'), code: 'CB_SIGNATURE_INVALID' },
    { it: 'of another kind', envelope: () => seal(ann, 'application/x', encodeMessage(record())), code: 'CB_SIGNATURE_INVALID' },
    { it: 'with an unknown field', envelope: () => signed({ sudo: true }), code: 'CB_FRAME_INVALID' },
    { it: 'with number 0', envelope: () => signed({ seq: 0 }), code: 'CB_FRAME_INVALID' },
    { it: 'with a boot beyond all', envelope: () => signed({ boot: Number.MAX_SAFE_INTEGER }), code: 'CB_FRAME_INVALID' },
    { it: 'with a name that is a path', envelope: () => signed({ name: '../x' }), code: 'CB_FRAME_INVALID' },
    {
      it: 'that is longer than allowed',
      envelope: () =>
        signed({ transaction: { id: 't', at: 1, changes: [{ path: 'a', value: { value: 'x'.repeat(RECORD_BYTES_MAX) }, revision: 1 }] } }),
      code: 'CB_FRAME_TOO_LONG'
    }
  ]
  for (const { it: name, envelope, code } of bad) {
    it(`refuses a record ${name}`, () => {
      const two = replica(ben, 'ben')
      assert.throws(() => two.apply(envelope()), { code })
      assert.deepEqual(two.heads(), [])
    })
  }

  function forged(): Uint8Array {
    const envelope = JSON.parse(Buffer.from(signed()).toString()) as { payload: string }
    return Buffer.from(JSON.stringify({ ...envelope, payload: Buffer.from(encodeMessage(record({ seq: 2 }))).toString('base64') }))
  }

  it('does not encode a record that is too long', () => {
    const changes = [{ path: 'a', value: { value: 'x'.repeat(RECORD_BYTES_MAX) }, revision: 1 }]
    assert.throws(() => encodeRecord(record({ transaction: { id: 't', at: 1, changes } })), { code: 'CB_FRAME_TOO_LONG' })
  })

  const order: readonly { it: string; envelopes: readonly object[]; last: string; seq: number | undefined }[] = [
    { it: 'waits for the first snapshot', envelopes: [{ seq: 2, snapshot: false }], last: 'gap', seq: undefined },
    { it: 'does not jump over a gap', envelopes: [{}, { seq: 3, snapshot: false }], last: 'gap', seq: 1 },
    { it: 'jumps to a snapshot', envelopes: [{}, { seq: 7 }], last: 'applied', seq: 7 },
    { it: 'knows what it has', envelopes: [{}, {}], last: 'known', seq: 1 },
    { it: 'leaves an older boot', envelopes: [{ boot: 2 }, {}], last: 'stale', seq: 1 },
    { it: 'waits for the snapshot of a new boot', envelopes: [{}, { boot: 2, seq: 2, snapshot: false }], last: 'gap', seq: 1 }
  ]
  for (const row of order) {
    it(row.it, () => {
      const two = replica(ben, 'ben')
      const verdicts = row.envelopes.map(change => two.apply(signed(change)))
      assert.equal(verdicts.at(-1), row.last)
      assert.equal(two.heads()[0]?.seq, row.seq)
    })
  }
})

describe('a fork', () => {
  const left = () => signed({})
  const right = () => signed({ transaction: { id: 'other', at: 1, changes: [] } })
  const forked = () => {
    const two = replica(ben, 'ben')
    two.apply(left())
    assert.equal(two.apply(right()), 'fork')
    return two
  }

  it('is proved by two records of one number, and holds the origin back', () => {
    const two = forked()
    assert.equal(two.read('nodes.ann'), undefined)
    assert.deepEqual(two.forks(), [{ origin: ann.peer, name: 'ann' }])
    assert.equal(two.apply(signed({ boot: 9 })), 'held')
  })

  it('is found out when each neighbour was told another history, and two of them compare', () => {
    const [one, two] = [replica(generateIdentity(), 'one'), replica(generateIdentity(), 'two')]
    one.apply(left())
    two.apply(right())
    assert.equal(one.lacks(two.heads()[0]!), true)
    pull(one, two)
    assert.deepEqual(one.forks(), [{ origin: ann.peer, name: 'ann' }])
    assert.deepEqual(pull(two, one), ['proof:true'])
  })

  it('is passed on with its proof, to those who know nothing of the origin too', () => {
    const two = forked()
    const [saw, blank] = [replica(generateIdentity(), 'saw'), replica(generateIdentity(), 'blank')]
    saw.apply(right())
    assert.deepEqual(pull(saw, two), ['proof:true'])
    assert.deepEqual(pull(blank, saw), ['proof:true'])
    assert.equal(blank.digest(), two.digest())
    assert.deepEqual(pull(blank, two), [])
  })

  it('is not proved by one record twice, by two numbers, or by a forged one', () => {
    const two = replica(ben, 'ben')
    assert.equal(two.applyProof([left(), left()]), false)
    assert.equal(two.applyProof([left(), signed({ seq: 2 })]), false)
    assert.throws(() => two.applyProof([left(), signed({ boot: 3 }, ben)]), { code: 'CB_SIGNATURE_INVALID' })
    assert.deepEqual(two.forks(), [])
  })

  it('ends when a person accepts it, with the next boot', () => {
    const two = forked()
    two.acceptFork(ann.peer)
    assert.equal(two.apply(signed({})), 'stale')
    assert.equal(two.applyProof([left(), right()]), false)
    assert.equal(two.apply(signed({ boot: 2 })), 'applied')
    assert.deepEqual(two.read('nodes.ann.a'), { value: 1 })
  })
})

describe('what a node takes in of nodes that it does not know', () => {
  const strangers = Array.from({ length: INTRODUCED_PER_PEER_MAX + 2 }, () => generateIdentity())
  const record = (by: Identity, change: object = {}) =>
    seal(
      by,
      RECORD_TYPE,
      encodeMessage({
        origin: by.peer,
        name: `x${by.peer.slice(-4)}`,
        boot: 1,
        nonce: 'aaaaaaaa',
        seq: 1,
        snapshot: true,
        transaction: { id: 't', at: 1, changes: [{ path: 'a', value: { value: 1 }, revision: 1 }] },
        ...change
      })
    )

  it('is so many on the word of one neighbour, however many it makes up, and any that is known here', () => {
    const one = replica(ann, 'ann', 1, 'aaaaaaaa', { known: peer => peer === ben.peer })
    const verdicts = strangers.map(each => one.apply(record(each), strangers[0]!.peer))
    assert.deepEqual(verdicts.slice(-2), ['unknown', 'unknown'])
    assert.equal(verdicts.filter(each => each === 'applied').length, INTRODUCED_PER_PEER_MAX)
    assert.equal(one.apply(record(ben), strangers[0]!.peer), 'applied')
    assert.equal(one.apply(record(strangers.at(-1)!), ben.peer), 'applied', 'another neighbour has its own share')
  })

  it('never stands in the place of one that it knows', () => {
    const impostor = strangers.find(each => each.peer < ben.peer)!
    const one = replica(ann, 'ann', 1, 'aaaaaaaa', { known: peer => peer === ben.peer })
    const says = (value: string) => ({
      name: 'web1',
      transaction: { id: 't', at: 1, changes: [{ path: 'a', value: { value }, revision: 1 }] }
    })
    one.apply(record(impostor, says('bad')), impostor.peer)
    one.apply(record(ben, says('good')), ben.peer)
    assert.deepEqual(one.read('nodes.web1.a'), { value: 'good' })
    assert.equal(one.explain('nodes.web1.a')[0]?.origin, ben.peer)
  })

  it('is as fast as a node publishes, and what was too fast comes later', () => {
    let now = 1_000
    const one = replica(ann, 'ann', 1, 'aaaaaaaa', { now: () => now })
    const flood = (seq: number) => record(ben, { seq, snapshot: true })
    const verdicts = Array.from({ length: RECORDS_BURST_MAX + 1 }, (_, at) => one.apply(flood(at + 1), ben.peer))
    assert.equal(verdicts.at(-1), 'fast')
    now += 1_000
    assert.equal(one.apply(flood(RECORDS_BURST_MAX + 1), ben.peer), 'applied')
  })
})

describe('a node that is gone for good', () => {
  const forgets = (identity: Identity, allowed: boolean): Partial<ReplicaParts> => ({
    forgets: {
      seal: payload => seal(identity, FORGET_TYPE, payload),
      open: envelope => open(envelope, FORGET_TYPE, FORGET_BYTES_MAX),
      allowed: () => allowed
    }
  })
  const [gone, carl] = [generateIdentity(), generateIdentity()]

  it('disappears here and wherever the one who says so may, and does not come back from those who know it still', () => {
    const away = replica(gone, 'gone', 5)
    const one = replica(ann, 'ann', 1, 'aaaaaaaa', forgets(ann, true))
    const two = replica(ben, 'ben', 1, 'aaaaaaaa', forgets(ben, true))
    const three = replica(carl, 'carl', 1, 'aaaaaaaa', forgets(carl, false))
    away.publish([set('a', 1)])
    for (const each of [one, two, three]) pull(each, away)
    one.forget(gone.peer, 'scrapped')
    assert.equal(one.read('nodes.gone'), undefined)
    pull(two, one)
    pull(three, one)
    assert.equal(two.read('nodes.gone'), undefined)
    assert.deepEqual(three.read('nodes.gone.a'), { value: 1 })
    pull(two, three)
    assert.equal(two.read('nodes.gone'), undefined)
    pull(two, one)
    assert.equal(two.digest(), one.digest())
  })

  it('is a new node when it comes back all the same', () => {
    const one = replica(ann, 'ann', 1, 'aaaaaaaa', forgets(ann, true))
    const away = replica(gone, 'gone', 5)
    away.publish([set('a', 1)])
    pull(one, away)
    one.forget(gone.peer)
    pull(one, away)
    assert.equal(one.read('nodes.gone'), undefined)
    const back = replica(gone, 'gone', 6, 'bbbbbbbb')
    back.publish([set('a', 2)])
    pull(one, back)
    assert.deepEqual(one.read('nodes.gone.a'), { value: 2 })
    assert.throws(() => one.forget(ann.peer), { code: 'CB_USAGE' })
  })
})

describe('two machines with one key', () => {
  it('are told as such when they have given way to each other often enough', () => {
    const [one, two] = [replica(ann, 'ann', 1), replica(ann, 'ann', 2)]
    const clones: number[] = []
    for (const each of [one, two]) each.subscribe(({ clone }) => clone !== undefined && clones.push(clone))
    for (let turn = 0; turn < 10; turn++) {
      for (const [to, from] of [
        [one, two],
        [two, one]
      ] as const) {
        from.publish([set('turn', turn * 2)])
        for (const envelope of from.missing([]).envelopes) to.apply(envelope)
      }
    }
    assert.ok(clones.length > 0)
  })
})

describe('why a value is so', () => {
  it('names its owner, the goal that wrote it, and since when', () => {
    const one = replica(ann, 'ann', 7)
    one.publish([{ ...set('agents.web.variables.count', 1), goal: '01JD0000000000000000000000' }, set('host.os', 'linux')])
    const [only, other] = one.explain('nodes.ann.agents')
    assert.equal(other, undefined)
    assert.deepEqual(only, {
      path: 'nodes.ann.agents.web.variables.count',
      value: { value: 1 },
      revision: 1,
      at: 1_000,
      goal: '01JD0000000000000000000000',
      origin: ann.peer,
      boot: 7,
      seq: 1
    })
  })
})
