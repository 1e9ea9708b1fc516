import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAudit } from '../../../src/node/permissions/audit.ts'
import { checkAudit, followAudit, readAudit } from '../../../src/node/permissions/audit-log.ts'
import { skip } from '../../skip.ts'

describe('the audit log', () => {
  let directory: string
  let path: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'audit-'))
    path = join(directory, 'state', 'audit.log')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function write(...reasons: string[]): void {
    const audit = openAudit(path, () => 0)
    for (const reason of reasons) audit.record({ decision: 'deny', peer: 'P', capability: 'node:shell', what: { goal: 'g' }, reason })
    audit.close()
  }

  it('has a line for each decision, and goes on after a restart', () => {
    write('one', 'two')
    write('three')
    assert.equal(checkAudit(path).lines, 3)
    const line = JSON.parse(readFileSync(path, 'utf8').split('\n')[2]!) as Record<string, unknown>
    assert.deepEqual(
      { ...line, previous: '' },
      {
        at: '1970-01-01T00:00:00.000Z',
        decision: 'deny',
        peer: 'P',
        capability: 'node:shell',
        what: { goal: 'g' },
        reason: 'three',
        previous: ''
      }
    )
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('is whole when nothing was written yet', () => {
    write()
    assert.deepEqual([checkAudit(path).lines, readAudit(path)], [0, []])
  })

  it('shows a line that was removed, changed or moved', () => {
    write('one', 'two', 'three')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const changed: string[][] = [
      [lines[0]!, lines[2]!],
      [lines[0]!.replace('one', 'eno'), lines[1]!, lines[2]!],
      [lines[1]!, lines[0]!, lines[2]!],
      [lines[1]!, lines[2]!]
    ]
    for (const text of changed) {
      writeFileSync(path, `${text.join('\n')}\n`)
      assert.throws(() => checkAudit(path), /does not follow/)
    }
  })

  it('shows an end that was cut off, or changed', () => {
    write('one', 'two', 'three')
    const whole = readFileSync(path, 'utf8')
    const lines = whole.trimEnd().split('\n')
    writeFileSync(path, `${lines.slice(0, 2).join('\n')}\n`)
    assert.throws(() => checkAudit(path), /it had 3 lines and has 2: its end was cut off/)
    writeFileSync(path, '')
    assert.throws(() => checkAudit(path), /it had 3 lines and has 0/)
    rmSync(path)
    assert.throws(() => checkAudit(path), /its end was cut off/)
    writeFileSync(path, whole.replace('three', 'eerht'))
    assert.throws(() => checkAudit(path), /audit.log:3: this line is not the one that was written/)
    writeFileSync(path, whole)
    assert.equal(checkAudit(path).lines, 3)
    rmSync(`${path}.head`)
    assert.throws(() => checkAudit(path), /audit.log.head is missing/)
  })

  it('is whole across the file that was put aside', () => {
    write('one', 'two')
    // As the log does it at 64 MiB.
    renameSync(path, `${path}.1`)
    const last = readFileSync(`${path}.1`, 'utf8').trimEnd().split('\n')[1]!
    const previous = createHash('sha256').update(`${last}\n`).digest('hex')
    const line = JSON.stringify({ at: '1970-01-01T00:00:01.000Z', decision: 'allow', peer: 'P', reason: 'three', previous })
    writeFileSync(path, `${line}\n`)
    write('four')
    assert.deepEqual([checkAudit(path).lines, checkAudit(path).files], [4, [`${path}.1`, path]])
    assert.deepEqual(
      readAudit(path, 3).map(({ reason }) => reason),
      ['two', 'three', 'four']
    )
    writeFileSync(`${path}.1`, `${last}\n`)
    assert.equal(checkAudit(path).lines, 3, 'what was before the older file is believed')
    writeFileSync(`${path}.1`, '')
    assert.throws(() => checkAudit(path), /audit.log:1: this line does not follow/)
  })

  it('tells what is written from now on', async () => {
    write('one')
    const ending = new AbortController()
    const told = followAudit(path, ending.signal)
    const next = told.next()
    write('two', 'three')
    assert.deepEqual([(await next).value?.reason, (await told.next()).value?.reason], ['two', 'three'])
    renameSync(path, `${path}.1`)
    const later = told.next()
    write('four')
    assert.equal((await later).value?.reason, 'four')
    ending.abort()
    assert.equal((await told.next()).done, true)
  })

  it('does not throw when the disk is full, and warns', function () {
    if (!existsSync('/dev/full')) skip(this, 'there is no /dev/full on this system')
    mkdirSync(join(directory, 'state'))
    symlinkSync('/dev/full', path)
    const warned = once(process, 'warning')
    const audit = openAudit(path, () => 0)
    audit.record({ decision: 'deny', peer: 'P', reason: 'one' })
    audit.record({ decision: 'deny', peer: 'P', reason: 'two' })
    audit.close()
    return warned.then(([warning]) => assert.match((warning as Error).message, /audit.log cannot be written: ENOSPC/))
  })

  it('goes on behind a line that a crash cut short', () => {
    write('one')
    appendFileSync(path, '{"at":"cut')
    write('two')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.deepEqual([lines.length, lines[1]], [3, '{"at":"cut'])
    assert.match(lines[2]!, /"reason":"two"/)
    assert.throws(() => checkAudit(path), /audit.log:2: this line does not follow/)
  })
})
