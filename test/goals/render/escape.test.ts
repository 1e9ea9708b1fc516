import assert from 'node:assert/strict'
import fc from 'fast-check'
import { escapeTerminal, oneLine } from '../../../src/goals/render/escape.ts'

describe('text for a terminal', () => {
  const cases: ReadonlyArray<{ it: string; text: string; to: string }> = [
    { it: 'keeps newlines and tabs', text: 'a\tb\nc', to: 'a\tb\nc' },
    { it: "drops a command's colours", text: '\u001b[1;31mred\u001b[0m', to: 'red' },
    { it: 'shows other escapes', text: '\u001b]0;title\u0007', to: '\\x1b]0;title\\x07' },
    { it: 'shows what clears the screen', text: '\u001b[2J', to: '\\x1b[2J' },
    { it: 'takes a carriage return before a newline as none', text: 'a\r\nb', to: 'a\nb' },
    { it: 'shows one that would overwrite the line', text: 'safe\rrm -rf', to: 'safe\\x0drm -rf' },
    { it: 'shows C1 controls', text: '\u009b31m', to: '\\x9b31m' },
    { it: 'shows what turns text around', text: 'a\u202eb\u2066c', to: 'a\\u202eb\\u2066c' },
    { it: 'keeps other languages', text: 'Grüße 日本 🌩', to: 'Grüße 日本 🌩' }
  ]
  for (const { it: name, text, to } of cases) it(name, () => assert.equal(escapeTerminal(text), to))

  const anything = fc.string({
    unit: fc
      .oneof(fc.integer({ min: 0, max: 0x9f }), fc.integer({ min: 0x2000, max: 0x2070 }), fc.integer({ min: 0, max: 0xd7ff }))
      .map(code => String.fromCodePoint(code))
  })
  it('holds no control character, whatever it was', () => {
    fc.assert(
      fc.property(
        anything,
        text => !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(escapeTerminal(text))
      )
    )
  })
  it('is one line where one line is asked for, at most as long', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 40 }), (text, width) => {
        const line = oneLine(text, width)
        return !/[\n\t]/.test(line) && Array.from(line).length <= width
      })
    )
  })
  it('stays as it is when it is escaped twice', () => {
    fc.assert(fc.property(anything, text => escapeTerminal(escapeTerminal(text)) === escapeTerminal(text)))
  })
})
