import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv, type ValidateFunction } from 'ajv'
import { type DocumentName, jsonSchemas } from '../../scripts/schema/json-schemas.ts'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (name: string): string => readFileSync(`${root}/schema/${name}.schema.json`, 'utf8')

const program = `<cloudburst name="all">
  <goalProto name="all"><describe>All kinds</describe><variable name="root"/><variable name="out"/>
    <method name="m"><shell><send name="s">echo a; echo b >&amp;2</send></shell>
      <tempFile name="t">x</tempFile>
      <goalCompleted name="sub"><variable name="n" type="int">2</variable></goalCompleted>
      <shell><send>exit 3</send></shell></method></goalProto>
  <goalProto name="sub"><variable name="n" type="int"/><post><op name="eq"><get>goal.n</get>2</op></post><method><shell><send>true</send></shell></method></goalProto>
</cloudburst>`

describe('the JSON schemas', () => {
  it('are what the types make (npm run schema)', function () {
    this.timeout(60_000)
    for (const [name, made] of Object.entries(jsonSchemas())) assert.equal(text(name), made, `schema/${name}.schema.json is stale`)
  })

  it('hold for what commands print and save, and for nothing that is misspelt', async function () {
    this.timeout(20_000)
    const home = mkdtempSync(join(tmpdir(), 'cb-'))
    const file = join(home, 'all.xml')
    writeFileSync(file, program)
    const run = async (exit: number, ...words: readonly string[]): Promise<string> => {
      const io = fakeIo({ cwd: home })
      assert.equal(await cli([...words, '--home', home], io), exit, io.said.stderr)
      return io.said.stdout
    }
    try {
      const plan = JSON.parse(await run(0, 'plan', file, 'all', 'goal.root=x', '-o', 'json', '--out', join(home, 'p.json')))
      holds('plan', plan)
      assert.equal(validator('plan')({ ...plan, nodez: [] }), false)
      holds('saved-plan', JSON.parse(readFileSync(join(home, 'p.json'), 'utf8')))
      holds('graph', JSON.parse(await run(0, 'graph', file, 'all', 'goal.root=x', '-o', 'json', '--critical-path')))
      const id = /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(await run(3, 'pursue', file, 'all', 'goal.root=x'))![0]
      holds('graph', JSON.parse(await run(0, 'graph', id, file, '-o', 'json')))
      const lines = (await run(0, 'logs', id, file, '-o', 'json')).trim().split('\n')
      assert.ok(lines.length > 10)
      for (const line of lines) holds('events', JSON.parse(line))
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})

function holds(name: DocumentName, data: unknown): void {
  const validate = validator(name)
  assert.ok(validate(data), `${name}: ${JSON.stringify(validate.errors)} of ${JSON.stringify(data).slice(0, 2_000)}`)
}

const validators = new Map<DocumentName, ValidateFunction>()

function validator(name: DocumentName): ValidateFunction {
  const known = validators.get(name) ?? new Ajv({ allowUnionTypes: true }).compile(JSON.parse(text(name)))
  validators.set(name, known)
  return known
}
