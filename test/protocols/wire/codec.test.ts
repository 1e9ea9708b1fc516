import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CloudburstError } from '../../../src/errors.ts'
import { APART_BYTES_MIN, decodeMessage, encodeMessage, encodePieces, NESTING_MAX, VALUES_MAX } from '../../../src/protocols/wire/codec.ts'

const messages = fc.object({
  key: fc.string({ maxLength: 8 }).filter(key => key !== '__proto__'),
  values: [
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true })
  ],
  maxDepth: 4
})

function refused(bytes: Uint8Array): boolean {
  try {
    decodeMessage(bytes)
    return false
  } catch (error) {
    assert.ok(error instanceof CloudburstError && error.code === 'CB_FRAME_INVALID', String(error))
    return true
  }
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('a message', () => {
  it('is given long bytes as parts of its frame, and short ones as copies, which keep nothing else in memory', () => {
    const frame = Uint8Array.from(encodeMessage({ long: new Uint8Array(5_000).fill(7), short: new Uint8Array(50).fill(8) }))
    const { long, short } = decodeMessage(frame) as { long: Uint8Array; short: Uint8Array }
    assert.equal(long.buffer, frame.buffer)
    assert.deepEqual([long, short], [new Uint8Array(5_000).fill(7), new Uint8Array(50).fill(8)])
    assert.equal(short.buffer.byteLength, 50)
  })

  it('comes back as it was', () => {
    fc.assert(fc.property(messages, message => assert.deepEqual(normal(decodeMessage(encodeMessage(message))), normal(message))))
  })

  it('has the same bytes however its keys were ordered, and without undefined properties', () => {
    assert.deepEqual(encodeMessage({ type: 'hello', n: 1 }), encodeMessage({ n: 1, type: 'hello', ticket: undefined }))
    assert.equal(Buffer.from(encodeMessage({ type: 'hello', n: 1 })).toString('hex'), 'a2616e0164747970656568656c6c6f')
  })

  it('has the same bytes in pieces, and its long byte string is one of them, not a copy', () => {
    const long = fc.tuple(fc.string({ maxLength: 8 }), fc.integer({ min: APART_BYTES_MIN, max: 70_000 }))
    fc.assert(
      fc.property(messages, long, (message, [name, length]) => {
        fc.pre(name !== '__proto__')
        const bytes = new Uint8Array(length).fill(7)
        const whole = { ...message, [name]: bytes }
        const pieces = encodePieces(whole)
        assert.ok(Buffer.concat(pieces).equals(encodeMessage(whole)))
        assert.ok(Object.keys(whole).length >= 24 || pieces.includes(bytes))
      })
    )
  })

  it('is one piece when nothing in it is long, or only deeper in it', () => {
    const bytes = new Uint8Array(APART_BYTES_MIN)
    const many = Object.fromEntries(Array.from({ length: 24 }, (_, at) => [`n${at}`, bytes]))
    for (const message of [
      1,
      'text',
      null,
      bytes,
      [bytes],
      { inner: { bytes } },
      { bytes: bytes.subarray(1) },
      new Map([['bytes', bytes]]),
      many
    ])
      assert.deepEqual(encodePieces(message), [encodeMessage(message)])
  })

  it('is refused when it is cut at any byte', () => {
    const whole = encodeMessage({ type: 'request', list: [1, 2.5, 'three', null, true], inner: { bytes: new Uint8Array(5) } })
    for (let length = 0; length < whole.length; length++) assert.ok(refused(whole.subarray(0, length)), `cut after ${length} bytes`)
  })

  it('is refused or is another message when any bit is flipped, and never more than that', () => {
    const whole = encodeMessage({ type: 'request', list: [1, 2.5, 'three', null, true], inner: { bytes: new Uint8Array(5) } })
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const flipped = Uint8Array.from(whole)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      if (!refused(flipped)) assert.notEqual(encodeMessage(decodeMessage(flipped)), undefined)
    }
  })

  it('is refused or decoded, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => typeof refused(bytes) === 'boolean'),
      { numRuns: 1_000 }
    )
  })

  const bad: ReadonlyArray<[string, string]> = [
    ['a tag', 'c0 60'],
    ['an indefinite length', '9f 01 ff'],
    ['undefined', 'f7'],
    ['a number that is none', 'f9 7e00'],
    ['infinity', 'f9 7c00'],
    ['an integer longer than 2^53', '1b 0040000000000000'],
    ['a number written longer than needed', '18 01'],
    ['a key twice', 'a2 6161 01 6161 02'],
    ['a key that is no text', 'a1 01 02'],
    ['a second message', '01 02'],
    ['a list that claims four thousand million values', '9a ffffffff 01'],
    ['a key __proto__', 'a1 69 5f5f70726f746f5f5f a1 6161 01'],
    ['a key __proto__ deep inside', '81 a1 6161 a1 69 5f5f70726f746f5f5f 01']
  ]
  for (const [what, bytes] of bad) it(`is refused with ${what}`, () => assert.ok(refused(hex(bytes))))

  it('may hold __proto__ as a value', () => {
    assert.deepEqual(decodeMessage(encodeMessage({ text: 'a __proto__ b' })), { text: 'a __proto__ b' })
  })

  it(`is nested at most ${NESTING_MAX} deep, and a million brackets end no stack`, () => {
    const nested = (depth: number): Uint8Array => Buffer.concat([Buffer.alloc(depth, 0x81), Buffer.of(0x01)])
    assert.equal(refused(nested(NESTING_MAX)), false)
    assert.ok(refused(nested(NESTING_MAX + 1)))
    assert.ok(refused(nested(1_000_000)))
  })

  it('holds at most so many values', () => {
    const list = (length: number): Uint8Array => {
      const head = Buffer.alloc(5, 0x9a)
      head.writeUInt32BE(length, 1)
      return Buffer.concat([head, Buffer.alloc(length)])
    }
    assert.equal(refused(list(VALUES_MAX - 1)), false)
    assert.ok(refused(list(VALUES_MAX)))
  })
})

/** Maps of fast-check may have no prototype, and -0 is 0 in no map key: compare what is seen. */
function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
