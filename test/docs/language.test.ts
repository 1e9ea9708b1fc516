import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { bind } from '../../src/goals/config/bind.ts'
import { instancesOf, nowhere } from '../../src/goals/config/instances.ts'
import { elementSpecs } from '../../src/goals/program/elements.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { splitWords } from '../../src/goals/program/split-words.ts'
import { fakeIo } from '../fakes/io.ts'

const page = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/^```xml\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
const place = { file: 'docs/language.md', line: 1, col: 1 }

describe('docs/language.md', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  after(() => {
    for (const made of ['cloudburst-example', 'cloudburst-site']) rmSync(join('/tmp', made), { recursive: true, force: true })
  })

  it('has an example for every element', () => {
    const shown = new Set(examples.flatMap(text => [...text.matchAll(/<([A-Za-z]+)[\s/>]/g)].map(([, name]) => name!)))
    const missing = Object.keys(elementSpecs).filter(name => elementSpecs[name]!.olderFor === undefined && !shown.has(name))
    assert.deepEqual(missing, [])
  })

  for (const text of examples) {
    const name = /name="([^"]+)"/.exec(text)![1]!
    it(`has an example ${name} that is read strictly, and whose goals are bound`, () => {
      const program = readProgram([{ name: 'x.xml', text }], {
        strict: true,
        include: (file, from) => (from === 'x.xml' ? included(file) : undefined)
      })
      assert.deepEqual(program.warnings, [])
      for (const goal of program.goals.values()) {
        const bound = bind(program, goal, { assignments: [], surroundings: nowhere, facts: new Map(), instances: instancesOf(program) })
        assert.deepEqual(bound.errors, [])
      }
    })

    for (const { words, exit, prints } of commandsOf(text)) {
      it(`has an example ${name} that does: cloudburst ${words.join(' ')} (exit ${exit})`, async function () {
        this.timeout(20_000)
        writeFileSync(join(directory, 'x.xml'), text)
        for (const file of text.matchAll(/<include file="([^"]+)"/g)) writeFileSync(join(directory, file[1]!), included(file[1]!).text)
        const env = { PATH: process.env['PATH'], HOME: directory, CLOUDBURST_HOME: join(directory, 'home'), NO_COLOR: '1' }
        const io = fakeIo({ cwd: directory, env })
        const ended = await cli(words, io)
        assert.equal(ended, exit, io.said.stdout + io.said.stderr)
        if (prints !== undefined) assert.ok(io.said.stdout.includes(prints), io.said.stdout)
      })
    }
  }
})

/** What an example includes is not shown with it. */
function included(name: string): { name: string; text: string } {
  return { name, text: '<cloudburst><struct name="Included"><variable name="x"/></struct></cloudburst>' }
}

/**
 * The comments `<!-- cloudburst VERB … -->`, which may end in `# exit N` and `# prints TEXT`. An example without any is planned, each
 * goal at the top of it.
 */
function commandsOf(text: string): { words: string[]; exit: number; prints?: string }[] {
  const comments = [...text.matchAll(/<!--\s*cloudburst ([\s\S]*?)-->/g)].map(([, comment]) => comment!.trim())
  if (comments.length === 0)
    return [...text.matchAll(/^ {2}<goalProto name="([^"]+)"/gm)].map(([, goal]) => ({ words: ['plan', goal!, 'x.xml'], exit: 0 }))
  return comments.map(comment => {
    const [command, ...notes] = comment.split(/\s+# /)
    const split = splitWords([{ kind: 'text', text: command!, place }])
    assert.ok(!('message' in split), comment)
    const words = split.map(word => word.map(part => (part.kind === 'text' ? part.text : '')).join(''))
    const exit = Number(notes.find(note => note.startsWith('exit '))?.slice('exit '.length) ?? 0)
    const prints = notes.find(note => note.startsWith('prints '))?.slice('prints '.length)
    return { words, exit, ...(prints === undefined ? {} : { prints }) }
  })
}
