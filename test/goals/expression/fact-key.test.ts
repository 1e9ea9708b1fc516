import assert from 'node:assert/strict'
import fc from 'fast-check'
import { factKey, sameQuery } from '../../../src/goals/expression/fact-key.ts'
import type { Expression, FileTest } from '../../../src/goals/program/model.ts'

const TESTS: readonly FileTest[] = ['exists', 'file', 'directory', 'executable']

describe('the key of a question about a file', () => {
  it('is its JSON, whatever its path is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TESTS), fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (test, path) => {
        const query = { kind: 'file', test, path } as const
        assert.equal(factKey(query), JSON.stringify(query))
      })
    )
  })

  it('is the same for one that a program asks in so many words, and that is one question', () => {
    const expression: Expression = { kind: 'fileTest', test: 'file', path: [], place: { file: 't.xml', line: 1, col: 1 } }
    const query = sameQuery(expression, 'file', '/etc/"motd"')
    assert.equal(sameQuery(expression, 'file', '/etc/"motd"'), query)
    assert.equal(factKey(query), JSON.stringify(query))
  })
})
