import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAudit, verifyAudit } from '../../../src/node/permissions/audit.ts'
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
    assert.equal(verifyAudit(path), 3)
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
      assert.throws(() => verifyAudit(path), /does not follow/)
    }
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
    assert.throws(() => verifyAudit(path), /audit.log:2: this line does not follow/)
  })
})
