import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commands } from '../../src/cli/commands.ts'
import { doors, verbAsks } from '../../src/node/permissions/doors.ts'
import { effectLayers } from './effect-layers.ts'
import { entries } from './entries.ts'
import { layers } from './layers.ts'
import { signedLayers } from './signed-layers.ts'
import { type Cell, describeCell, isWrong, matrix, subjects } from './matrix.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Asked by a file that the verb imports for something else, and never by the verb. */
const besides: Readonly<Record<string, readonly string[]>> = {
  list: ['load'],
  run: ['repair'],
  repair: ['pursue'],
  permissions: ['trust'],
  identity: ['trust']
}

describe('the doors of a node', function () {
  this.timeout(120_000)
  const cells: Cell[] = []
  before(async () => {
    for await (const cell of matrix()) cells.push(cell)
  })
  after(() => {
    const got = cells.filter(({ gotIn }) => gotIn).length
    console.log(
      `        ${subjects.length} subjects × ${entries().length} entries at ${doors.length} doors = ${cells.length} cells: ${got} let in, ${cells.length - got} kept out; ${layers.length + signedLayers.length + effectLayers.length} checks alone`
    )
  })

  for (const subject of subjects) {
    it(`let in whom they are to: ${subject}`, () => {
      const own = cells.filter(cell => cell.subject === subject)
      assert.equal(own.length, entries().length)
      assert.deepEqual(own.filter(isWrong).map(describeCell), [])
    })
  }

  it('let nobody in but with a permit', () => {
    const outside = cells.filter(({ subject, gotIn }) => gotIn && !/^(full|limited|without)/.test(subject))
    assert.deepEqual(outside.map(describeCell), [])
  })

  it('have a row for every verb of the CLI', () => {
    assert.deepEqual(Object.keys(verbAsks).sort(), Object.keys(commands).sort())
  })

  for (const verb of Object.keys(commands)) {
    it(`have in their row all that ${verb} asks of a node`, () => {
      const row: readonly string[] = [...verbAsks[verb]!, ...(besides[verb] ?? [])]
      assert.deepEqual([...asksOf(`src/cli/commands/${verb}.ts`)].filter(name => !row.includes(name)).sort(), [])
    })
  }
})

describe('each check alone', () => {
  for (const { name, holds } of [...layers, ...signedLayers, ...effectLayers])
    it(`holds: ${name}`, async () => assert.equal(await holds(), true))
})

/** What a file of the CLI, and each file of the CLI that it imports, asks of a node. */
function asksOf(file: string, seen = new Set<string>()): Set<string> {
  const asked = new Set<string>()
  if (seen.has(file)) return asked
  seen.add(file)
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, name] of text.matchAll(/\.(?:call|local|stream)\(\s*'(\w+)'/g)) asked.add(name!)
  for (const [, target] of text.matchAll(/\bimport (?!type)[^;'"]*?from '(\.[^']+)'/g)) {
    const path = relative(root, join(root, dirname(file), target!))
    // The table of commands is imported for its words only.
    if (path.startsWith('src/cli/') && !path.endsWith('/commands.ts')) for (const name of asksOf(path, seen)) asked.add(name)
  }
  return asked
}
