import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory, until } from '../node/store/temporary-directory.ts'

const script = fileURLToPath(new URL('../../scripts/package/cloudburstd.sh', import.meta.url))

/** Releases whose Node only says that it was started, and then does what the test wants. */
describe('the script that tries a release', function () {
  this.timeout(30_000)
  const directory = temporaryDirectory()
  const base = (): string => join(directory(), 'home')
  const trial = (): string => join(base(), 'upgrade/trial')
  const said = (): string[] =>
    existsSync(join(directory(), 'said')) ? readFileSync(join(directory(), 'said'), 'utf8').trimEnd().split('\n') : []
  const running: ChildProcess[] = []

  beforeEach(() => mkdirSync(join(base(), 'upgrade'), { recursive: true }))

  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit')
        process.kill(-child.pid!, 'SIGKILL')
        await exit
      }
    }
  })

  it('starts the Node of its own release when there is nothing to try', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 5')
    assert.equal(await exitOf(start('prefix', '1.0.0-aaaaaaaaaaaa')), 5)
    assert.deepEqual(said(), ['1.0.0-aaaaaaaaaaaa --home HOME'])
  })

  it('goes back when the new daemon ends, with its own process', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'echo $$ >pid; [ "$CLOUDBURST_RETURNED" = yes ] && exit 7')
    const tree = release('prefix', '2.0.0-bbbbbbbbbbbb', 'exit 3')
    const child = tried('prefix', '1.0.0-aaaaaaaaaaaa', tree, 30)
    assert.equal(await exitOf(child), 7)
    assert.deepEqual(said(), ['2.0.0-bbbbbbbbbbbb --home HOME', '1.0.0-aaaaaaaaaaaa --home HOME'])
    assert.equal(Number(readFileSync(join(directory(), 'pid'), 'utf8')), child.pid)
    assert.equal(readFileSync(join(base(), 'upgrade/returned'), 'utf8'), `${tree}\nits daemon ended with exit status 3\n`)
    assert.ok(!existsSync(trial()))
  })

  it('goes back when nobody has found it well in time', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 7')
    const tree = release('prefix', '2.0.0-bbbbbbbbbbbb', 'while :; do sleep 0.1; done')
    assert.equal(await exitOf(tried('prefix', '1.0.0-aaaaaaaaaaaa', tree, 1)), 7)
    assert.match(readFileSync(join(base(), 'upgrade/returned'), 'utf8'), /nobody found it well within 1 seconds/)
  })

  it('stays with a release that was kept, passes signals on and ends as it ends', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 7')
    const tree = release('prefix', '2.0.0-bbbbbbbbbbbb', "trap 'exit 4' TERM; touch up; while :; do sleep 0.1; done")
    const child = tried('prefix', '1.0.0-aaaaaaaaaaaa', tree, 1)
    await until('it is up', () => existsSync(join(directory(), 'up')))
    renameSync(trial(), join(base(), 'upgrade/kept'))
    // Longer than it would have had.
    await new Promise(resolve => setTimeout(resolve, 1_500))
    assert.equal(child.exitCode, null)
    child.kill('SIGTERM')
    assert.equal(await exitOf(child), 4)
    assert.ok(!existsSync(join(base(), 'upgrade/returned')))
  })

  it('tries the next release when the daemon that it stays with asks for that', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 7')
    const third = release('prefix', '3.0.0-cccccccccccc', 'exit 6')
    const second = release(
      'prefix',
      '2.0.0-bbbbbbbbbbbb',
      `case $CLOUDBURST_RETURNED in yes) exit 8;; esac; mv "$CLOUDBURST_TRIED" kept; sleep 1; printf '%s\\n9\\n' ${third} >"$CLOUDBURST_TRIED"; exit 79`
    )
    assert.equal(await exitOf(tried('prefix', '1.0.0-aaaaaaaaaaaa', second, 20)), 8)
    assert.deepEqual(
      said().map(line => line.slice(0, 5)),
      ['2.0.0', '3.0.0', '2.0.0']
    )
  })

  it('ends without going back when it is told to end', async () => {
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 7')
    const tree = release('prefix', '2.0.0-bbbbbbbbbbbb', "trap 'exit 0' TERM; touch up; while :; do sleep 0.1; done")
    const child = tried('prefix', '1.0.0-aaaaaaaaaaaa', tree, 20)
    await until('it is up', () => existsSync(join(directory(), 'up')))
    child.kill('SIGTERM')
    assert.equal(await exitOf(child), 0)
    assert.equal(said().length, 1)
  })

  it('starts a release that was put over its own, and no other', async () => {
    if (process.getuid?.() === 0) chmodSync(directory(), 0o755)
    release('prefix', '1.0.0-aaaaaaaaaaaa', 'exit 7')
    release('home/lib', '2.0.0-bbbbbbbbbbbb', 'exit 4')
    symlinkSync('releases/2.0.0-bbbbbbbbbbbb', join(base(), 'lib/current'))
    const asSomebody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    writeFileSync(join(directory(), 'said'), '')
    chmodSync(join(directory(), 'said'), 0o666)
    const over = (id: string): void => writeFileSync(join(base(), 'lib/over'), `${id}\n`)
    over('1.0.0-aaaaaaaaaaaa')
    assert.equal(await exitOf(start('prefix', '1.0.0-aaaaaaaaaaaa', {}, asSomebody)), 4)
    over('1.0.1-dddddddddddd')
    assert.equal(await exitOf(start('prefix', '1.0.0-aaaaaaaaaaaa', {}, asSomebody)), 7)
    // Files of another user: never as root.
    over('1.0.0-aaaaaaaaaaaa')
    if (process.getuid?.() === 0) assert.equal(await exitOf(start('prefix', '1.0.0-aaaaaaaaaaaa')), 7)
    rmSync(join(base(), 'lib/over'))
    assert.equal(await exitOf(start('prefix', '1.0.0-aaaaaaaaaaaa', {}, asSomebody)), 7)
  })

  /** @returns its folder */
  function release(prefix: string, id: string, does: string): string {
    const tree = join(directory(), prefix, 'releases', id)
    mkdirSync(join(tree, 'bin'), { recursive: true })
    mkdirSync(join(tree, 'runtime'))
    cpSync(script, join(tree, 'bin/cloudburstd'))
    const lines = ['#!/bin/sh', `cd ${directory()}`, 'shift', `echo "${id} $*" | sed "s#${base()}#HOME#" >>said`, does, '']
    writeFileSync(join(tree, 'runtime/node'), lines.join('\n'))
    for (const name of ['bin/cloudburstd', 'runtime/node']) chmodSync(join(tree, name), 0o755)
    return tree
  }

  function tried(prefix: string, id: string, next: string, seconds: number): ChildProcess {
    writeFileSync(trial(), `${next}\n${seconds}\n`)
    return start(prefix, id, { CLOUDBURST_TRIAL: trial() })
  }

  function start(prefix: string, id: string, env: NodeJS.ProcessEnv = {}, as: object = {}): ChildProcess {
    const program = join(directory(), prefix, 'releases', id, 'bin/cloudburstd')
    const child = spawn(program, ['--home', base()], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'inherit',
      detached: true,
      ...as
    })
    running.push(child)
    return child
  }
})

async function exitOf(child: ChildProcess): Promise<number | null> {
  return child.exitCode ?? ((await once(child, 'exit')) as [number | null])[0]
}
