import assert from 'node:assert/strict'
import type { FoundText } from '../../../src/goals/ports.ts'
import type { FileEdits } from '../../../src/goals/pursuit/edited-text.ts'
import type { Edit } from '../../../src/goals/pursuit/file-edits.ts'
import { editText } from '../../../src/node/editing/edit-text.ts'

/** Takes about 2^40 steps on the text below. */
const CATASTROPHIC = '^(a+)+$'
const LONG: FoundText = { kind: 'text', text: `${'a'.repeat(40)}!\n` }

const edit = (kind: Edit['kind'], pattern: string, line: number, text = 'b'): Edit => ({
  kind,
  pattern,
  text,
  first: false,
  place: { file: 'x.xml', line, col: 5 }
})
const editsOf = (...edits: readonly Edit[]): FileEdits => ({ path: '/etc/x', create: false, edits, shown: edits, secret: false })

describe('the edits of a file', function () {
  this.timeout(20_000)

  it('are made in a thread, and come back with the difference', async () => {
    const edited = await editText(editsOf(edit('replace', '^a+!$', 3)), LONG)
    assert.ok('text' in edited, JSON.stringify(edited))
    assert.deepEqual([edited.changed, edited.text, edited.added, edited.removed], [true, 'b\n', 1, 1])
    assert.match(edited.diff, /^\+b$/m)
  })

  it('that take for ever are ended, name the pattern and its place, and hold up nothing meanwhile', async () => {
    let longest = 0
    let last = performance.now()
    const looking = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    const others = Array.from({ length: 3 }, () => editText(editsOf(edit('append', '', 3)), LONG))
    const edited = await editText(editsOf(edit('append', '', 3), edit('remove', CATASTROPHIC, 7)), LONG, 1000)
    clearInterval(looking)
    assert.match(
      'problem' in edited ? edited.problem : '',
      /^\/etc\/x: 7:5: <remove> takes longer than 1 s: its pattern, \/\^\(a\+\)\+\$\//
    )
    for (const other of await Promise.all(others)) assert.ok('text' in other, JSON.stringify(other))
    assert.ok(longest < 500, `the process stood still for ${Math.round(longest)} ms`)
    assert.ok('text' in (await editText(editsOf(edit('append', '', 3)), LONG)), 'the next one has a thread again')
  })

  it('whose pattern is none with its values in it are refused', async () => {
    const edited = await editText(editsOf(edit('remove', '(', 3)), LONG)
    assert.match('problem' in edited ? edited.problem : '', /^\/etc\/x: Invalid regular expression/)
  })
})
