import assert from 'node:assert/strict'
import { NESTING_MAX, VALUES_MAX } from '../../../src/protocols/wire/codec.ts'
import { decodeJson, encodeJson } from '../../../src/protocols/wire/json-text.ts'

describe('JSON text in a message', () => {
  it('comes back as it was', () => {
    const value = [{ seq: 1, body: { type: 'a', values: [1, -2.5, 'drei', null, true, {}] } }]
    assert.deepEqual(decodeJson(encodeJson(value)), value)
    assert.deepEqual(decodeJson(encodeJson({ text: 'a __proto__ b' })), { text: 'a __proto__ b' })
  })

  for (const [what, text, says] of [
    ['is no JSON', '[1,', /JSON/],
    ['has a key __proto__', '[{"__proto__":{"a":1}}]', /__proto__/],
    ['hides it', '[{"\\u005f_proto__":{"a":1}}]', /__proto__/],
    ['is nested too deeply', `${'['.repeat(NESTING_MAX + 1)}${']'.repeat(NESTING_MAX + 1)}`, /deeper/],
    ['is nested beyond any stack', `${'['.repeat(1e6)}${']'.repeat(1e6)}`, /deeper|JSON/],
    ['holds too many values', `[${'0,'.repeat(VALUES_MAX)}0]`, /more than/]
  ] as const) {
    it(`is refused when it ${what}`, () => assert.throws(() => decodeJson(Buffer.from(text)), says))
  }
})
