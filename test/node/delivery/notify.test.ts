import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { notifying } from '../../../src/node/delivery/notify.ts'

describe('telling systemd', () => {
  let directory: string
  let program: string
  let said: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-notify-'))
    program = join(directory, 'systemd-notify')
    said = join(directory, 'said')
    writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >>${said}\n`)
    chmodSync(program, 0o755)
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('says ready, alive, and the end, and keeps the socket from the steps', async () => {
    const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }
    const systemd = notifying(env, program)
    assert.deepEqual(Object.keys(env), ['PATH'])
    await systemd.ready()
    for (const end = Date.now() + 10_000; !readFileSync(said, 'utf8').includes('WATCHDOG=1'); await pause(10)) assert.ok(Date.now() < end)
    await systemd.stopping()
    const lines = readFileSync(said, 'utf8').trim().split('\n')
    assert.equal(lines[0], '/run/n --ready')
    assert.ok(lines.includes('/run/n STOPPING=1'))
  })

  it('says nothing where systemd did not ask', async () => {
    const systemd = notifying({}, join(directory, 'none'))
    await systemd.ready()
    await systemd.stopping()
  })
})
