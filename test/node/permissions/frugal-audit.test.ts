import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Capability } from '../../../src/crypto/capability.ts'
import { type AuditEntry, openAudit } from '../../../src/node/permissions/audit.ts'
import { checkAudit } from '../../../src/node/permissions/audit-log.ts'
import {
  type FrugalAudit,
  frugally,
  LOOKS_WITHIN_MAX_MS,
  PEER_LINE_INTERVAL_MS,
  PEER_LINES_AT_ONCE_MAX,
  REPEATS_WITHIN_MS
} from '../../../src/node/permissions/frugal-audit.ts'

const DAY_MS = 86_400_000

describe('the log of peers that ask much', () => {
  let now: number
  let lines: AuditEntry[]
  let audit: FrugalAudit
  beforeEach(() => {
    now = 0
    lines = []
    audit = frugally({ record: entry => void lines.push(entry), close: () => undefined }, () => now)
  })
  afterEach(() => audit.close())

  function asks(goal: string, peer = 'P', capability: Capability = 'goal:dispatch'): void {
    audit.record({ decision: 'allow', peer, capability, what: { goal }, reason: 'a@b by ops' })
  }

  it('has the first of each kind at once, and what is alike within a minute as one line', () => {
    asks('deploy')
    asks('wipe')
    asks('deploy', 'Q')
    assert.equal(lines.length, 3)
    now = 1_000
    for (let count = 0; count < 500; count++) asks('deploy')
    audit.settle()
    assert.equal(lines.length, 3, 'they are counted')
    now = REPEATS_WITHIN_MS
    audit.settle()
    assert.deepEqual(
      lines.slice(3).map(({ peer, what, times, since }) => ({ peer, what, times, since })),
      [{ peer: 'P', what: { goal: 'deploy' }, times: 500, since: '1970-01-01T00:00:01.000Z' }]
    )
    now = 3 * REPEATS_WITHIN_MS
    audit.settle()
    asks('deploy')
    assert.deepEqual([lines.length, lines.at(-1)?.times], [5, undefined], 'after a silence it is a first one again')
  })

  it('loses nothing when it is closed', () => {
    for (let count = 0; count < 3; count++) asks('deploy')
    audit.close()
    assert.deepEqual(
      lines.map(({ times }) => times),
      [undefined, 2]
    )
  })

  it('has fewer and fewer lines of those who only look, and not of those who do anything', () => {
    for (; now < DAY_MS; now += 30_000) {
      audit.settle()
      asks('', 'P', 'state:read')
      asks('deploy', 'Q')
    }
    const [looks, does] = ['P', 'Q'].map(who => lines.filter(({ peer }) => peer === who).length) as [number, number]
    assert.ok(looks <= DAY_MS / LOOKS_WITHIN_MAX_MS + 8, `${looks} lines`)
    assert.ok(does > 1_000, `${does} lines`)
    const counted = lines.filter(({ peer }) => peer === 'P').reduce((sum, { times = 1 }) => sum + times, 0)
    assert.ok(counted > DAY_MS / 30_000 - 125, `${counted} were told, up to the last hour`)
  })

  it('gives no peer more lines than it has, whatever it asks, and says how many there were', () => {
    const denied: AuditEntry = { decision: 'deny', peer: 'P', capability: 'node:shell', reason: 'no' }
    for (let count = 0; count < 50_000; count++) audit.record({ ...denied, what: { goal: `g${count}` } })
    assert.equal(lines.length, PEER_LINES_AT_ONCE_MAX)
    asks('deploy', 'Q')
    assert.equal(lines.at(-1)?.peer, 'Q', 'others have their own')
    now = PEER_LINE_INTERVAL_MS
    audit.settle()
    const { times, reason, decision } = lines.at(-1)!
    assert.deepEqual({ times, decision }, { times: 50_000 - PEER_LINES_AT_ONCE_MAX, decision: 'deny' })
    assert.match(reason, /49000 of them denials/)
    const before = lines.length
    for (; now < DAY_MS; now += 5_000) {
      audit.settle()
      for (let count = 0; count < 3; count++) audit.record({ ...denied, what: { goal: `h${now}-${count}` } })
    }
    assert.ok(lines.length - before <= DAY_MS / PEER_LINE_INTERVAL_MS + 1, `${lines.length - before} lines in a day`)
  })

  it('has those that go on take turns when no lines are left', () => {
    for (let count = 0; count < PEER_LINES_AT_ONCE_MAX; count++) asks(`g${count}`)
    for (; now < DAY_MS / 8; now += 30_000) {
      audit.settle()
      for (let kind = 0; kind < 100; kind++) asks(`g${kind}`)
    }
    const told = new Set(lines.filter(({ times }) => times !== undefined).map(({ what }) => what?.goal))
    assert.ok(told.size >= 100, `${told.size} kinds`)
  })

  it('is of bounded length, and whole', () => {
    const directory = mkdtempSync(join(tmpdir(), 'frugal-'))
    const path = join(directory, 'audit.log')
    try {
      const written = frugally(
        openAudit(path, () => 0),
        () => 0
      )
      const long = 'x'.repeat(10_000)
      const vars = Array.from({ length: 500 }, () => long)
      for (let count = 0; count < 5_000; count++)
        written.record({ decision: 'deny', peer: 'P', capability: 'goal:dispatch', what: { goal: `${count}${long}`, vars }, reason: long })
      written.close()
      assert.equal(checkAudit(path).lines, PEER_LINES_AT_ONCE_MAX + 1)
      assert.ok(statSync(path).size < PEER_LINES_AT_ONCE_MAX * 1_500, `${statSync(path).size} bytes`)
      assert.match(readFileSync(path, 'utf8').split('\n')[0]!, /… 500 of them/)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
