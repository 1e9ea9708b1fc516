import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { targets } from './targets.ts'

/** What one target may take of the suite, in milliseconds; `npm run fuzz` takes a minute for each, and keeps what it finds. */
const MS = Number(process.env['CLOUDBURST_FUZZ_MS'] ?? 3_000)
/** The same inputs each time in the suite, as far as the machine gets. */
const SEED = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? 7)
/** A run on a busy machine, and the inputs that were kept before, may take longer. */
const SLOW = 6

interface Line {
  readonly target: string
  readonly runs: number
  readonly edges: number
  readonly kept: number
  readonly fresh: number
  readonly crashes: readonly { readonly what: string; readonly bytes: string }[]
}

/** In a process of their own: there the coverage counters belong to nobody else, and a hang ends with it. */
describe(`bytes of strangers, seed ${SEED}`, function () {
  this.timeout((MS * SLOW + 10_000) * targets.length)
  const lines = new Map<string, Line>()
  before(async () => {
    const child = spawn(
      process.execPath,
      ['--no-experimental-require-module', '--import', 'tsx', fileURLToPath(new URL('run.ts', import.meta.url))],
      { env: { ...process.env, CLOUDBURST_FUZZ_MS: String(MS), CLOUDBURST_FUZZ_SEED: String(SEED) }, stdio: ['ignore', 'pipe', 'pipe'] }
    )
    let said = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      said += text
    })
    createInterface({ input: child.stdout }).on('line', text => {
      const line = JSON.parse(text) as Line
      lines.set(line.target, line)
    })
    const [exit] = (await once(child, 'close')) as [number]
    assert.equal(exit, 0, said)
  })
  after(() => {
    const all = [...lines.values()]
    const sum = (of: (line: Line) => number): number => all.reduce((total, line) => total + of(line), 0)
    console.log(
      `        ${targets.length} targets: ${sum(line => line.runs)} inputs, ${sum(line => line.edges)} blocks reached, ${sum(line => line.kept)} inputs kept from before`
    )
  })

  for (const { name } of targets) {
    it(`do no harm to ${name}`, () => {
      const line = lines.get(name)
      assert.ok(line !== undefined && line.runs > 0, 'it was tried')
      assert.deepEqual(line.crashes, [])
    })
  }

  it('are kept for each target that reaches far', () => {
    const kept = readdirSync(new URL('corpus', import.meta.url))
    assert.deepEqual(
      kept.filter(name => !targets.some(target => target.name === name)),
      []
    )
    assert.ok(kept.length >= 8, `${kept.length} corpora`)
  })
})

describe('each place that takes bytes of strangers', () => {
  it('is a target: every handler and every shape of messages', () => {
    const source = ['targets.ts', 'handlers.ts'].map(name => readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n')
    const protocols = fileURLToPath(new URL('../../src/protocols', import.meta.url))
    const folders = readdirSync(protocols, { withFileTypes: true }).filter(entry => entry.isDirectory())
    assert.deepEqual(
      folders.map(({ name }) => name).filter(name => !source.includes(`/src/protocols/${name}/`)),
      []
    )
  })
})
