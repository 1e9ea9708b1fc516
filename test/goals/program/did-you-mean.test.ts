import assert from 'node:assert/strict'
import fc from 'fast-check'
import { closest, didYouMean, editDistance } from '../../../src/goals/program/did-you-mean.ts'

describe('a suggestion', () => {
  it('is the nearest word within reach', () => {
    assert.equal(closest('goalproto', ['method', 'goalProto']), 'goalProto')
    assert.equal(closest('shlel', ['send', 'shell']), 'shell')
    assert.equal(closest('x', ['method']), undefined)
    assert.equal(
      didYouMean('metod', ['method'], near => `<${near}>`),
      ' (did you mean <method>?)'
    )
    assert.equal(didYouMean('zzz', ['method']), '')
  })
  it('is measured symmetrically, never beyond the longer word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b)
        assert.equal(distance, editDistance(b, a))
        assert.equal(distance === 0, a === b)
        assert.ok(distance <= Math.max(a.length, b.length))
      })
    )
  })
})
