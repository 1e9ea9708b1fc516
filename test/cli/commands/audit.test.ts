import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { initHome, resolveHome } from '../../../src/node/home.ts'
import { openAudit } from '../../../src/node/permissions/audit.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('cloudburst audit', () => {
  let directory: string
  let home: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'audit-'))
    home = join(directory, 'home')
    initHome(resolveHome(home), { name: 'node1' })
    path = resolveHome(home).auditLog
    const audit = openAudit(path, () => 0)
    const goal = { program: 'ab12', goal: 'publish' }
    audit.record({
      decision: 'allow',
      peer: '12D3A',
      node: 'n2',
      email: 'a@example.org',
      capability: 'goal:dispatch',
      what: goal,
      reason: 'ok'
    })
    audit.record({ decision: 'deny', peer: '12D3B', node: 'n3', capability: 'node:shell', reason: 'no permit\u001b[2J' })
    audit.close()
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const run = async (words: readonly string[], interrupted?: AbortSignal) => {
    const io = fakeIo(interrupted === undefined ? {} : { interrupted })
    const exit = await cli(['audit', '--home', home, ...words], io)
    return { exit, ...io.said }
  }

  it('shows what was allowed and denied, and to whom, without a daemon', async () => {
    const { exit, stdout } = await run([])
    assert.equal(exit, 0)
    const lines = stdout.split('\n')
    assert.match(lines[0]!, /^AT +DECISION +NODE +WHO +CAPABILITY +GOAL +WHY$/)
    assert.match(lines[1]!, /^1970-01-01T00:00:00.000Z +allow +n2 +a@example.org +goal:dispatch +publish +ok$/)
    assert.match(lines[2]!, /deny +n3 +- +node:shell +- +no permit\\x1b\[2J$/)
  })

  it('shows only denials, and only the last', async () => {
    assert.doesNotMatch((await run(['--denied'])).stdout, /allow/)
    assert.deepEqual(JSON.parse((await run(['--limit', '1', '-o', 'json'])).stdout).length, 1)
    assert.equal((await run(['--limit', '0'])).exit, 64)
  })

  it('verifies a whole log, and finds one that was edited or cut', async () => {
    const whole = await run(['verify'])
    assert.equal(whole.exit, 0)
    assert.match(whole.stdout, /lines +2\n[\s\S]*whole: every line follows/)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('node:shell', 'state:read'))
    const edited = await run(['verify'])
    assert.deepEqual([edited.exit, /audit.log:2: this line is not the one that was written/.test(edited.stderr)], [1, true])
    writeFileSync(path, `${text.split('\n')[0]}\n`)
    assert.match((await run(['verify'])).stderr, /it had 2 lines and has 1: its end was cut off/)
  })

  it('exports JSON lines as they are, and overwrites nothing', async () => {
    assert.equal((await run(['export'])).stdout, readFileSync(path, 'utf8'))
    const file = join(directory, 'out.jsonl')
    assert.equal((await run(['export', file])).stderr, `wrote 2 lines to ${file}\n`)
    assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], [readFileSync(path, 'utf8'), 0o600])
    assert.equal((await run(['export', file])).exit, 64)
  })

  it('follows what comes', async () => {
    const ending = new AbortController()
    const io = fakeIo({ interrupted: ending.signal })
    const write = io.stdout.write.bind(io.stdout)
    const heard = new Promise<string>(resolve => {
      io.stdout.write = text => {
        write(text)
        resolve(text)
        return true
      }
    })
    const ended = cli(['audit', '--home', home, '--follow', '-o', 'json'], io)
    const audit = openAudit(path, () => 0)
    // Until it listens, what is written is not told.
    const writing = setInterval(() => audit.record({ decision: 'deny', peer: 'P', reason: 'late' }), 20)
    assert.equal(JSON.parse(await heard).reason, 'late')
    clearInterval(writing)
    ending.abort()
    assert.equal(await ended, 0)
    audit.close()
  })
})
