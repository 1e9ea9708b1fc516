import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NodeInfo, RunInfo } from '../../src/node/control/contract.ts'
import { skip } from '../skip.ts'
import { start, until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { type Mesh, mesh } from './mesh.ts'

const CLI = fileURLToPath(new URL('../../dist/cloudburst.js', import.meta.url))
/** Size of the disk that is filled: a store, some goals, and not much more. */
const DISK = '8m'

describe('a daemon whose disk is full', function () {
  this.timeout(60_000)
  let place: string
  let disk: string
  let m: Mesh

  before(async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) skip(this, 'only root on Linux can mount a small disk')
    place = mkdtempSync(join(tmpdir(), 'cloudburst-disk-'))
    disk = join(place, 'disk')
    mkdirSync(disk)
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'tmpfs', disk], { encoding: 'utf8' })
    if (status !== 0) skip(this, `a tmpfs cannot be mounted here: ${stderr.trim()}`)
    m = await mesh(1, { directory: join(disk, 'mesh') })
  })
  after(async () => {
    await m?.stop()
    if (disk !== undefined) spawnSync('umount', ['-l', disk])
    if (place !== undefined) rmSync(place, { recursive: true, force: true })
  })

  const filler = (): string => join(disk, 'filler')
  /** Leaves no byte. */
  const fill = (): void => {
    for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 4)) {
      for (let full = false; !full; ) {
        try {
          writeFileSync(filler(), Buffer.alloc(size), { flag: 'a' })
        } catch {
          full = true
        }
      }
    }
    assert.equal(statfsSync(disk).bavail, 0)
  }

  it('acknowledges nothing, says so, keeps what it acknowledged before, and recovers by itself', async () => {
    const node = m.node(1)
    const kept = work(place, 'kept', { open: true })
    assert.equal((await node.cli('pursue', ...kept.words)).exit, 0)
    const waiting = work(place, 'waiting')
    const command = node.begin('pursue', ...waiting.words)
    await waiting.waits()
    const before = await node.json<readonly RunInfo[]>('goals')
    fill()

    const late = work(place, 'late', { open: true })
    const refused = await until('the disk is seen to be full', async () => {
      const said = await node.cli('pursue', ...late.words)
      return said.exit !== 0 && said
    })
    assert.equal(refused.exit, 1)
    assert.match(refused.stderr, /^error: .*cannot be written/m)
    assert.match(refused.stderr, /^next: df -h /m)
    assert.equal((await node.json<NodeInfo>('hello')).state, 'degraded')

    rmSync(filler())
    await until('it recovers', async () => (await node.json<NodeInfo>('hello')).state === 'ready')
    waiting.open()
    const said = await command.ended
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(waiting.ran(), ['first', 'middle', 'last'])

    await node.kill('SIGKILL')
    await node.start()
    const after = await node.json<readonly RunInfo[]>('goals')
    for (const { id } of before) assert.equal(after.find(run => run.id === id)?.status, 'completed')
    assert.equal((await node.cli('pursue', ...work(place, 'again', { open: true }).words)).exit, 0)
  })
})

describe('a program without a daemon, on a disk that gets full', function () {
  this.timeout(60_000)
  let place: string

  before(function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) skip(this, 'only root on Linux can mount a small disk')
    place = mkdtempSync(join(tmpdir(), 'cloudburst-disk-'))
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'tmpfs', place], { encoding: 'utf8' })
    if (status !== 0) skip(this, `a tmpfs cannot be mounted here: ${stderr.trim()}`)
  })
  after(() => {
    if (place === undefined) return
    spawnSync('umount', ['-l', place])
    rmSync(place, { recursive: true, force: true })
  })

  it('ends with what to look at, and knows its goals when there is space again', async () => {
    const full = join(place, 'full.xml')
    const filler = join(place, 'filler')
    writeFileSync(
      full,
      `<cloudburst><goalProto name="full"><method name="m"><shell shell="/bin/sh">
         <send name="fill">cat /dev/zero > ${filler} 2>&amp;-; true</send><send name="after">true</send>
       </shell></method></goalProto></cloudburst>`
    )
    const env = { ...process.env, CLOUDBURST_HOME: join(place, 'home'), NO_COLOR: '1' }
    const said = await start(process.execPath, [CLI, 'pursue', 'full', full], env).ended
    assert.equal(said.exit, 1, said.stdout + said.stderr)
    assert.match(said.stderr, /error: .*store cannot be written any more\nnext: df -h /)
    rmSync(filler)
    const goals = await start(process.execPath, [CLI, 'goals', full], env).ended
    assert.equal(goals.exit, 0, goals.stderr)
    assert.match(goals.stdout, / full /)
  })
})
