import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Tree } from '../../../src/goals/tree.ts'
import { sameTree } from '../../../src/protocols/state/same-tree.ts'
import { encodeMessage } from '../../../src/protocols/wire/codec.ts'

const name = fc.constantFrom('a', 'b', 'constructor', 'value')
const { tree } = fc.letrec<{ tree: Tree }>(tie => ({
  tree: fc.record(
    {
      type: fc.constantFrom('int', 'text'),
      value: fc.oneof(fc.constantFrom('', 'x', '1'), fc.integer({ min: 0, max: 2 }), fc.boolean()),
      fields: fc.dictionary(name, tie('tree'), { maxKeys: 2, noNullPrototype: true }),
      items: fc.array(tie('tree'), { maxLength: 2 })
    },
    { requiredKeys: [], noNullPrototype: true }
  ) as fc.Arbitrary<Tree>
}))

describe('two values', () => {
  it('are the same when they are the same on the wire', () => {
    const encoded = (of: Tree): string => Buffer.from(encodeMessage(of)).toString('hex')
    fc.assert(fc.property(tree, tree, (a, b) => sameTree(a, b) === (encoded(a) === encoded(b))))
    fc.assert(fc.property(tree, a => sameTree(a, structuredClone(a))))
  })

  it('are the same in any order of fields, and whatever is undefined', () => {
    const [a, b] = [{ value: 1 }, { value: 2 }]
    assert.ok(sameTree({ type: 'x', fields: { a, b } }, { fields: { b, a }, type: 'x' }))
    assert.ok(sameTree({ value: 1, type: undefined } as unknown as Tree, { value: 1 }))
    assert.ok(!sameTree({ fields: JSON.parse('{"__proto__":{}}') }, { fields: { b: {} } }))
    assert.ok(!sameTree({ value: 1 }, undefined))
    assert.ok(sameTree(undefined, undefined))
  })
})
