/**
 * Random programs are planned under a tracer: that may look, but nothing is written and nothing is started but what is pure.
 * Some by the built CLI, a process each; many by the same code in one process, which a tracer can bear.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { randomProgram } from './random-program.ts'
import { BEGIN, END, WARM } from './traced.ts'

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

/** Calls that change a file system, but for opening files to write, which is seen by its flags. */
const CHANGES = ['mkdir', 'rmdir', 'unlink', 'rename', 'link', 'symlink', 'chmod', 'chown', 'truncate', 'mknod', 'utime', 'setxattr']
const changing = new RegExp(`^(${CHANGES.map(call => `${call}(at2?|ensat|s|ns|_ns)?`).join('|')})\\(`)
const opening = /^open(at)?\(.*O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/
/** What tsx starts for a module that is imported late: part of the tracing, not of planning. */
const compiler = /\/node_modules\/@esbuild\//
/** What a process needs for itself. */
const harmless = /"\/dev\/(null|tty|pts\/\d+)"|O_TMPFILE|ENOENT|"\/proc\/self\//

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

/** @param own the first that were started are what is traced itself */
function withoutEffect(calls: readonly string[], own: number): void {
  const changed = calls.filter(call => (changing.test(call) || opening.test(call)) && !harmless.test(call))
  assert.deepEqual(changed, [])
  const started = calls.filter(call => call.startsWith('execve(') && call.endsWith('= 0')).slice(own)
  assert.deepEqual(
    started.filter(call => !call.includes('["/bin/bash", "-c", "true"]') && !compiler.test(call)),
    []
  )
}

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

/** The calls about files and processes that `node` with these words and its children made, and what it printed. */
async function trace(place: string, words: readonly string[]): Promise<{ exit: number; calls: readonly string[]; said: string }> {
  const log = join(place, 'trace')
  const options = ['-f', '-qq', '--seccomp-bpf', '-s', '200', '-e', 'trace=file,process', '-e', 'signal=none', '-o', log]
  const env = { ...process.env, HOME: place, TSX_DISABLE_CACHE: '1', ESBUILD_WORKER_THREADS: '0' }
  const { exit, said } = await new Promise<{ exit: number; said: string }>(resolve => {
    execFile('strace', [...options, process.execPath, ...words], { cwd: place, env }, (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : Number(error.code), said: error === null ? stdout : stdout + stderr })
    )
  })
  const lines = readFileSync(log, 'utf8').split('\n')
  return { exit, said, calls: lines.map(line => line.replace(/^\d+ +/, '')) }
}
