/**
 * Runs mocha over test/, or over the files and folders given, and ends every output with one line of counts.
 *   npm test                           everything
 *   npm test -- test/goals             one folder
 *   npm test -- --grep 'a step'        by title; any mocha flag passes through
 * `--check` first checks types and lint; each that fails counts as one failed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { root } from './sources.mjs'

/** How long the process may stay after its last test before it is ended and the run has failed. The reporter names the cause before. */
const LINGER_MS = Number(process.env.CLOUDBURST_TEST_LINGER_MS ?? 10_000)

const given = process.argv.slice(2)
const mochaArguments = withSpec(given.filter(argument => argument !== '--check'))
const stagesFailed = given.includes('--check') ? ['types', 'lint'].filter(stage => !passes(stage)).length : 0

const counts = { passed: 0, failed: stagesFailed, skipped: 0 }
let counted = false
let lingering

const mocha = spawn(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...mochaArguments], {
  cwd: root,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc']
})
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
  if (status !== 0 && counts.failed === stagesFailed) counts.failed++
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = status === 0 && counts.failed > 0 ? 1 : status
})

function passes(stage) {
  console.log(`\n${stage}`)
  return spawnSync('npm', ['run', '--silent', stage], { cwd: root, stdio: 'inherit' }).status === 0
}

/** The arguments with folders written as patterns, and every test file when no path is among them. */
function withSpec(args) {
  const paths = args.map(argument => (existsSync(argument) && statSync(argument).isDirectory() ? `${argument}/**/*.test.ts` : argument))
  const named = args.some((argument, at) => !argument.startsWith('-') && (existsSync(argument) || isPattern(argument, args[at - 1])))
  return named ? paths : [...paths, 'test/**/*.test.ts']
}

function isPattern(argument, before) {
  return argument.startsWith('test/') && !before?.startsWith('-')
}
