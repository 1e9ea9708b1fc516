import assert from 'node:assert/strict'
import type { AuditEntry } from '../../../src/node/permissions/audit.ts'
import { sparingly, STRANGER_LINE_INTERVAL_MS, STRANGER_LINES_AT_ONCE_MAX } from '../../../src/node/permissions/sparing-audit.ts'

describe('denials of strangers', () => {
  it('are written one by one, then now and then with how many there were, so that nobody fills the log', () => {
    let now = 0
    const lines: AuditEntry[] = []
    const deny = sparingly({ record: entry => lines.push(entry) }, () => now)
    for (let count = 0; count < 10_000; count++) deny({ decision: 'deny', peer: `p${count}`, reason: 'no permit' })
    assert.equal(lines.length, STRANGER_LINES_AT_ONCE_MAX)
    now = STRANGER_LINE_INTERVAL_MS
    deny({ decision: 'deny', peer: 'late', reason: 'no permit' })
    deny({ decision: 'deny', peer: 'later', reason: 'no permit' })
    assert.equal(lines.length, STRANGER_LINES_AT_ONCE_MAX + 1)
    assert.equal(lines.at(-1)?.reason, `no permit (and ${10_000 - STRANGER_LINES_AT_ONCE_MAX} denials of strangers before it)`)
    now += STRANGER_LINE_INTERVAL_MS * STRANGER_LINES_AT_ONCE_MAX * 2
    for (let count = 0; count < 10; count++) deny({ decision: 'deny', peer: `q${count}`, reason: 'no permit' })
    assert.equal(lines.length, STRANGER_LINES_AT_ONCE_MAX + 11, 'after a silence each again')
  })
})
