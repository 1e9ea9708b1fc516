import assert from 'node:assert/strict'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import { open, seal } from '../../../src/crypto/dsse.ts'
import { RECORD_BYTES_MAX } from '../../../src/protocols/state/messages.ts'
import { ENVELOPE_BYTES_MAX, encodeRecord, RECORD_TYPE } from '../../../src/protocols/state/record.ts'
import { openReplica, type Replica } from '../../../src/protocols/state/replica.ts'
import { encodeMessage } from '../../../src/protocols/wire/codec.ts'

const [ann, ben] = [generateIdentity(), generateIdentity()]
let ids = 0

function replica(identity: Identity, name: string, boot = 1, nonce = 'aaaaaaaa'): Replica {
  return openReplica({
    self: identity.peer,
    name,
    boot,
    nonce,
    seal: payload => seal(identity, RECORD_TYPE, payload),
    open: envelope => open(envelope, RECORD_TYPE, ENVELOPE_BYTES_MAX),
    now: () => 1_000,
    id: () => `t${++ids}`,
    freshNonce: () => 'ffffffff'
  })
}

const set = (path: string, value: string | number) => ({ path, value: { value } })

/** Gives `to` everything that it lacks of `from`. @returns the verdicts */
function pull(to: Replica, from: Replica): string[] {
  const { envelopes, proofs } = from.missing(to.heads())
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
    assert.deepEqual(three.missing([]).envelopes, one.missing([]).envelopes)
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
