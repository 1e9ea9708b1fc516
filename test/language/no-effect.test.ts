/**
 * Random programs are planned under a tracer: that may look, but nothing is written and nothing is started but what is pure.
 * Some by the built CLI, a process each; many by the same code in one process, which a tracer can bear.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { randomProgram } from './random-program.ts'
import { BEGIN, END, WARM } from './traced.ts'
import { trace, withoutEffect } from './tracing.ts'

const CLI = fileURLToPath(new URL('../../dist/cloudburst.js', import.meta.url))
const PLAN_MANY = fileURLToPath(new URL('plan-many.ts', import.meta.url))
/** Resolved here: the traced process stands in a directory without packages. */
const TSX = import.meta.resolve('tsx')
const PROGRAMS = 20
/** In one process; `fuzz:language` asks for 10,000. */
const MANY = Number(process.env['CLOUDBURST_FUZZ_RUNS'] ?? 300)
/** Of programs that come before the many: they have the process import what planning ever imports. */
const WARM_UP = 100
/** Each is a Node process that is traced: some seconds on a loaded machine. */
const MS_PER_PROGRAM = 15_000
/** In one process with others. */
const MS_PER_PLAN = 100
/** The same cases each time in the suite; new ones by `npm run fuzz:language`. */
const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? (process.env['CLOUDBURST_FUZZ_RUNS'] === undefined ? 7 : Date.now() % 2 ** 31))

describe(`planning random programs, seed ${seed}`, function () {
  this.timeout(PROGRAMS * MS_PER_PROGRAM + MANY * MS_PER_PLAN)
  const directory = temporaryDirectory()
  before(function () {
    if (spawnSync('strace', ['-V']).status !== 0) skip(this, 'strace is not installed')
    if (!existsSync(CLI)) skip(this, 'there is no dist/')
  })

  it('writes no file, and starts nothing but pure shells', async () => {
    let traced = 0
    for (const xml of fc.sample(randomProgram, { numRuns: PROGRAMS, seed })) {
      const place = join(directory(), String(traced))
      mkdirSync(place)
      writeFileSync(join(place, 'x.xml'), `<cloudburst name="x">${xml}</cloudburst>`)
      const { exit, calls } = await trace(place, [CLI, 'plan', 'x.xml', 'site', '--home', join(place, 'home')])
      assert.ok([0, 1, 5].includes(exit), `exit ${exit}`)
      // the first is the CLI itself
      withoutEffect(calls, 1)
      assert.deepEqual(readdirSync(place).sort(), ['trace', 'x.xml'])
      traced += 1
    }
  })

  it(`writes no file, and starts nothing but pure shells: ${MANY} programs in one process`, async () => {
    const place = directory()
    const programs = fc.sample(randomProgram, { numRuns: WARM_UP + MANY, seed })
    for (const [at, xml] of programs.entries())
      writeFileSync(join(place, `${at < WARM_UP ? WARM : ''}${at}.xml`), `<cloudburst name="x">${xml}</cloudburst>`)
    const before = filesOf(place)
    const { exit, calls, said } = await trace(place, ['--import', TSX, PLAN_MANY])
    assert.equal(exit, 0, said)
    assert.deepEqual(filesOf(place), before)
    const from = calls.findIndex(call => call.includes(BEGIN))
    const to = calls.findIndex(call => call.includes(END))
    assert.ok(from > 0 && to > from, 'the trace does not show where planning began and ended')
    const planning = calls.slice(from, to)
    withoutEffect(planning, 0)
    assert.ok(planning.length > MANY, `${planning.length} calls of ${MANY} plans: the tracer does not see them all`)
    const exits = JSON.parse(said) as Record<string, number>
    console.log(`        ${JSON.stringify(exits)} plans by exit status, ${planning.length} calls about files and processes`)
    assert.deepEqual(
      Object.keys(exits).filter(exit => !['0', '1', '5'].includes(exit)),
      []
    )
    assert.ok((exits['0'] ?? 0) > MANY / 10, 'too few of them can be planned: the generator tests too little')
  })
})

/** Every file below `place` but the trace, with its size and the time of its last change. */
function filesOf(place: string): readonly string[] {
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter(name => name !== 'trace')
    .sort()
    .map(name => {
      const { size, mtimeMs, ctimeMs, mode } = statSync(join(place, name))
      return `${name} ${size} ${mtimeMs} ${ctimeMs} ${mode}`
    })
}
