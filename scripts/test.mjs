/**
 * Sets up what is missing, runs mocha over test/ or over the files and folders given, and ends every output with
 * one line of counts. A failed set-up counts as one failed, and the tests run all the same: most need no dist/.
 *   npm test                           everything
 *   npm test -- test/goals             one folder
 *   npm test -- --grep 'a step'        by title; any mocha flag passes through
 * `--check` also checks types and lint; each that fails counts as one failed. `--no-setup` takes things as they are.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { root } from './sources.mjs'

/** Flags of mocha whose value is text that may look like a path. */
const TEXT_FLAGS = new Set(['--grep', '-g', '--fgrep', '-f'])
/** How long the process may stay after its last test before it is ended and the run has failed. The reporter names the cause before. */
const LINGER_MS = Number(process.env.CLOUDBURST_TEST_LINGER_MS ?? 10_000)

const given = process.argv.slice(2)
const ours = ['--check', '--no-setup']
const mochaArguments = withSpec(given.filter(argument => !ours.includes(argument)))
const setUp = { name: 'set-up', command: [process.execPath, join(root, 'scripts/setup.mjs'), '--debian'] }
const checks = ['types', 'lint'].map(name => ({ name, command: ['npm', 'run', '--silent', name] }))
const stages = [...(given.includes('--no-setup') ? [] : [setUp]), ...(given.includes('--check') ? checks : [])]
const stagesFailed = stages.filter(
  ({ command: [program, ...args] }) => spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status !== 0
)

const counts = { passed: 0, failed: stagesFailed.length, skipped: 0 }
let counted = false
let lingering

// Tests are imported, not required: else what they import by `import()` is a second copy of each module, with classes of its own.
const mocha = spawn(
  process.execPath,
  ['--no-experimental-require-module', '--import', 'tsx', join(root, 'node_modules/mocha/bin/mocha.js'), ...mochaArguments],
  {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc']
  }
)
mocha.on('message', message => {
  if (message?.cloudburstTests === undefined) return
  for (const kind of Object.keys(counts)) counts[kind] += message.cloudburstTests[kind]
  counted = true
  lingering = setTimeout(() => mocha.kill('SIGKILL'), LINGER_MS)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => mocha.kill(signal))
mocha.on('exit', (code, signal) => {
  clearTimeout(lingering)
  if (signal !== null)
    console.error(`\nthe test process was ended by ${signal}${counted ? ' after its last test: something stayed open' : ''}`)
  const status = code ?? 128 + constants.signals[signal]
  if (status !== 0 && counts.failed === stagesFailed.length) counts.failed++
  if (stagesFailed.length > 0) console.log(`\nfailed before the tests: ${stagesFailed.map(({ name }) => name).join(', ')}`)
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = status === 0 && counts.failed > 0 ? 1 : status
})

/** The arguments with folders written as patterns, and every test file when no path is among them. */
function withSpec(args) {
  // what stands behind a flag may be its value: `--grep docs/`
  const isPath = (argument, at) => !argument.startsWith('-') && !TEXT_FLAGS.has(args[at - 1]) && existsSync(argument)
  const paths = args.map((argument, at) =>
    isPath(argument, at) && statSync(argument).isDirectory() ? `${argument}/**/*.test.ts` : argument
  )
  const named = args.some((argument, at) => isPath(argument, at) || isPattern(argument, args[at - 1]))
  return named ? paths : [...paths, 'test/**/*.test.ts']
}

function isPattern(argument, before) {
  return argument.startsWith('test/') && !before?.startsWith('-')
}
