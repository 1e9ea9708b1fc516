/**
 * Makes a clone ready to run: packages, then dist/. Does only what is missing, so it costs little when nothing is.
 * `--debian` also installs the Debian packages that the whole test suite needs (root and apt-get; CLOUDBURST_NO_APT=1 forbids it).
 * Needs nothing but Node: it runs before node_modules exists.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOfSources, lastBuild, root } from './sources.mjs'

const NODE_OLDEST = [20, 19]
const LOCK_WAIT_MS = 15 * 60 * 1000
const LOCK_POLL_MS = 200
/** A lock without a pid in it, this old, has no owner. */
const ABANDONED_AFTER_MS = 10_000
const policy = '/usr/sbin/policy-rc.d'

class SetupError extends Error {}

try {
  requireNode()
  withLock(() => {
    installPackages()
    if (process.argv.includes('--debian')) installDebianPackages()
    buildDist()
  })
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`error: ${error.message}`)
  process.exitCode = 1
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [oldestMajor, oldestMinor] = NODE_OLDEST
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  throw new SetupError(
    `cloudburst needs Node ${NODE_OLDEST.join('.')} or newer, this is ${process.versions.node}\nnext: install a newer Node, then try again`
  )
}

function installPackages() {
  if (packagesMatchLock()) return
  stage('installing npm packages', () => {
    const npm = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    if (npm.status !== 0) throw new SetupError(`npm ci failed\n${npm.said}`)
  })
}

/**
 * Whether node_modules holds what package-lock.json says. npm keeps a list of what it installed inside
 * node_modules and writes it last; comparing the two also sees a half-finished or hand-made install.
 */
function packagesMatchLock() {
  const installed = packagesOf(join(root, 'node_modules/.package-lock.json'))
  const wanted = packagesOf(join(root, 'package-lock.json'))
  if (wanted === undefined) throw new SetupError('package-lock.json is missing or damaged\nnext: git checkout package-lock.json')
  if (installed === undefined) return false
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = installed[path]
    if (path === '') return true
    return found === undefined ? optional === true : found.version === version && found.integrity === integrity
  })
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return undefined
  }
}

function buildDist() {
  const build = lastBuild()
  if (build?.sources === hashOfSources() && build.files.every(file => existsSync(join(root, 'dist', file)))) return
  stage('building dist/', () => {
    const built = run(process.execPath, [join(root, 'scripts/build.mjs')])
    if (built.status !== 0) throw new SetupError(`the build failed\n${built.said}`)
  })
}

function installDebianPackages() {
  if (!existsSync('/usr/bin/dpkg-query')) return
  const reasons = JSON.parse(readFileSync(join(root, 'scripts/debian-packages.json'), 'utf8'))
  const missing = missingOf(Object.keys(reasons))
  if (missing.length === 0) return
  const obstacle = whyNotApt()
  if (obstacle !== undefined) return tellMissing(missing, reasons, obstacle)
  stage(`installing Debian packages ${missing.join(' ')}`, () => {
    withoutStartingServices(() => {
      const wait = ['-o', 'DPkg::Lock::Timeout=300']
      run('apt-get', [...wait, 'update'])
      run('apt-get', [...wait, 'install', '-y', '--no-install-recommends', ...missing])
    })
  })
  const still = missingOf(missing)
  if (still.length > 0) tellMissing(still, reasons, 'apt-get could not install them')
}

function missingOf(names) {
  return names.filter(name => !/^install ok installed/.test(run('dpkg-query', ['-W', '-f', `\${Status}`, name]).said))
}

function whyNotApt() {
  if (process.env.CLOUDBURST_NO_APT === '1') return 'CLOUDBURST_NO_APT is set'
  if (process.getuid?.() !== 0) return 'only root can install them'
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get'
  return undefined
}

/** A missing package is no failure: the tests that need it skip and say so. */
function tellMissing(names, reasons, why) {
  console.warn(`setup: Debian packages missing, ${why}. Without them some tests skip:`)
  for (const name of names) console.warn(`setup:   ${name}: ${reasons[name].for} (${reasons[name].tests})`)
}

/** Installing openssh-server must not open port 22 on somebody's laptop: tests start their own sshd. */
function withoutStartingServices(action) {
  if (existsSync(policy)) return action()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    action()
  } finally {
    rmSync(policy, { force: true })
  }
}

function stage(what, action) {
  process.stdout.write(`setup: ${what} …`)
  const started = performance.now()
  try {
    action()
  } catch (error) {
    process.stdout.write(' failed\n')
    throw error
  }
  process.stdout.write(` ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return { status: result.status, said: result.error?.message ?? `${result.stdout}${result.stderr}`.trim() }
}

/** Two set-ups of one clone take turns. The lock names its owner, so one left by a killed set-up is not waited for. */
function withLock(action) {
  const lock = join(root, '.setup-lock')
  const deadline = Date.now() + LOCK_WAIT_MS
  for (let told = false; !taken(lock); sleep(LOCK_POLL_MS)) {
    if (Date.now() > deadline) throw new SetupError(`another set-up holds ${lock}\nnext: if none is running, rm -r ${lock}`)
    if (!told) console.log('setup: waiting for another set-up of this clone')
    told = true
  }
  try {
    action()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function taken(lock) {
  try {
    mkdirSync(lock)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isAbandoned(lock)) breakLock(lock)
    return false
  }
  writeFileSync(join(lock, 'pid'), String(process.pid))
  return true
}

/** Only one at a time breaks a lock, and looks again first: else two could each remove the other's fresh one. */
function breakLock(lock) {
  const breaking = `${lock}-breaking`
  try {
    mkdirSync(breaking)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (ageMs(breaking) > ABANDONED_AFTER_MS) rmSync(breaking, { recursive: true, force: true })
    return
  }
  if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true })
  rmSync(breaking, { recursive: true, force: true })
}

function isAbandoned(lock) {
  try {
    const pid = Number(readFileSync(join(lock, 'pid'), 'utf8'))
    process.kill(pid, 0)
    return false
  } catch (error) {
    if (error.code === 'ESRCH') return true
    if (error.code === 'EPERM') return false
    // No pid in it yet: its owner is between two lines, unless it has been so for long.
    return ageMs(lock) > ABANDONED_AFTER_MS
  }
}

function ageMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
