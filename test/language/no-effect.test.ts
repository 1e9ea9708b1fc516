/** The built CLI plans random programs under a tracer: it may look, but nothing is written and nothing is started but what is pure. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { randomProgram } from './random-program.ts'

const CLI = fileURLToPath(new URL('../../dist/cloudburst.js', import.meta.url))
const PROGRAMS = 20
/** Each is a Node process that is traced: some seconds on a loaded machine. */
const MS_PER_PROGRAM = 15_000
/** The same cases each time in the suite; new ones by `npm run fuzz:language`. */
const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? (process.env['CLOUDBURST_FUZZ_RUNS'] === undefined ? 7 : Date.now() % 2 ** 31))

/** Calls that change a file system, but for opening files to write, which is seen by its flags. */
const CHANGES = ['mkdir', 'rmdir', 'unlink', 'rename', 'link', 'symlink', 'chmod', 'chown', 'truncate', 'mknod', 'utime', 'setxattr']
const changing = new RegExp(`^(${CHANGES.map(call => `${call}(at2?|ensat|s|ns|_ns)?`).join('|')})\\(`)
const opening = /^open(at)?\(.*O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)/
/** What a process needs for itself. */
const harmless = /"\/dev\/(null|tty|pts\/\d+)"|O_TMPFILE|ENOENT|"\/proc\/self\//

describe(`planning random programs, seed ${seed}`, function () {
  this.timeout(PROGRAMS * MS_PER_PROGRAM)
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
      const { exit, calls } = await trace(place, ['plan', 'x.xml', 'site', '--home', join(place, 'home')])
      assert.ok([0, 1, 5].includes(exit), `exit ${exit}`)
      assert.deepEqual(
        calls.filter(call => (changing.test(call) || opening.test(call)) && !harmless.test(call)),
        []
      )
      // the first is the CLI itself
      const started = calls.filter(call => call.startsWith('execve(') && call.endsWith('= 0')).slice(1)
      assert.deepEqual(
        started.filter(call => !call.includes('["/bin/bash", "-c", "true"]')),
        []
      )
      assert.deepEqual(readdirSync(place).sort(), ['trace', 'x.xml'])
      traced += 1
    }
  })
})

/** The calls about files and processes that the command and its children made. */
async function trace(place: string, words: readonly string[]): Promise<{ readonly exit: number; readonly calls: readonly string[] }> {
  const log = join(place, 'trace')
  const options = ['-f', '-qq', '--seccomp-bpf', '-s', '200', '-e', 'trace=file,process', '-e', 'signal=none', '-o', log]
  const exit = await new Promise<number>(resolve => {
    execFile('strace', [...options, process.execPath, CLI, ...words], { cwd: place }, error =>
      resolve(error === null ? 0 : Number(error.code))
    )
  })
  const lines = readFileSync(log, 'utf8').split('\n')
  return { exit, calls: lines.map(line => line.replace(/^\d+ +/, '')) }
}
