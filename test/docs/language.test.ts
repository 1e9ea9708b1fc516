import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { bind } from '../../src/goals/config/bind.ts'
import { instancesOf, nowhere } from '../../src/goals/config/instances.ts'
import { readProgram } from '../../src/goals/program/read.ts'

const page = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```xml\n([\s\S]*?)```/g)].map(([, text]) => text!)

describe('docs/language.md', () => {
  it('has an example for every section with an element', () => assert.ok(examples.length >= 12, `${examples.length} examples`))

  for (const text of examples) {
    const name = /name="([^"]+)"/.exec(text)![1]!
    it(`has an example ${name} that is read strictly, and whose goals are bound`, () => {
      const program = readProgram([{ name: `${name}.xml`, text }], { strict: true })
      assert.deepEqual(program.warnings, [])
      for (const goal of program.goals.values()) {
        const bound = bind(program, goal, { assignments: [], surroundings: nowhere, facts: new Map(), instances: instancesOf(program) })
        assert.deepEqual(bound.errors, [])
      }
    })
  }
})
