import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// @ts-expect-error a script without types
import { staleBefore, startsFrom } from '../../scripts/stale.mjs'
import { skip } from '../skip.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('files of earlier builds', () => {
  let directory: string
  let dist: string

  beforeEach(function () {
    if (!existsSync('/proc/stat')) skip(this, 'needs /proc')
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
    dist = join(directory, 'dist')
    mkdirSync(dist)
    writeFileSync(join(dist, 'cloudburstd.js'), 'console.log("up"); setInterval(() => 0, 1e6)')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('are stale when nothing runs from them', () => {
    const now = Date.now()
    assert.equal(staleBefore(dist, [now - 3 * MINUTE, now - 2 * MINUTE], now), now - 2 * MINUTE)
    assert.equal(staleBefore(dist, [], now), now - MINUTE)
  })

  it('stay for a process that was started from them, by a link and from another directory too', async () => {
    const command = join(directory, 'cloudburstd')
    symlinkSync(join(dist, 'cloudburstd.js'), command)
    for (const { word, cwd } of [
      { word: command, cwd: '/' },
      { word: './cloudburstd.js', cwd: dist }
    ]) {
      const began = Date.now()
      const child = spawn(process.execPath, [word], { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = once(child, 'exit')
      try {
        await once(child.stdout, 'data')
        const [start] = startsFrom(dist) as number[]
        assert.ok(start !== undefined && Math.abs(start - began) < 10_000, `${start} is far from ${began}`)
        // Later builds, a day on: its own stays.
        const builds = [start - 30 * MINUTE, start - 10 * MINUTE, start + 10 * MINUTE, start + 30 * MINUTE]
        assert.equal(staleBefore(dist, builds, start + DAY), start - 10 * MINUTE)
        assert.equal(staleBefore(dist, builds.slice(2), start + DAY), start - MINUTE - DAY, 'which build it was is not known')
      } finally {
        child.kill('SIGKILL')
        await ended
      }
    }
  })
})
