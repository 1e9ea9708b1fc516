import assert from 'node:assert/strict'
import { decodeValue, encodePut } from '../../../src/node/store/value.ts'

describe('a value in the store', () => {
  for (const value of [null, 0, '', 'ü\0', [], { a: [1, { b: 'c' }] }, new Uint8Array(), Uint8Array.of(0, 123, 255)])
    it(`comes back as it was: ${JSON.stringify(value)}`, () => {
      assert.deepEqual(decodeValue('k', encodePut({ type: 'put', key: 'k', value })), value)
    })

  it('that is JSON already is stored as it stands, so that its hash holds', () => {
    assert.equal(encodePut({ type: 'put', key: 'k', json: '{"b": 1,"a":2}' }).toString(), '{"b": 1,"a":2}')
  })

  it('that was changed is damage, and its key is named', () => {
    assert.throws(() => decodeValue('r!x', Buffer.from('{"a')), { code: 'CB_STORE_DAMAGED', details: { key: 'r!x' } })
  })
})
