import assert from 'node:assert/strict'
import { parseDuration, parseLifetime } from '../../../src/node/permissions/lifetime.ts'

const at = Date.parse
const DAY = 86_400_000

describe('a lifetime', () => {
  const good: ReadonlyArray<[string, ReturnType<typeof parseLifetime>]> = [
    [
      '2026-01-01T00:00:00Z/2027-01-01T00:00:00Z',
      { kind: 'interval', from: at('2026-01-01T00:00:00Z'), until: at('2027-01-01T00:00:00Z') }
    ],
    ['2026-01-01/2026-01-02', { kind: 'interval', from: at('2026-01-01'), until: at('2026-01-02') }],
    ['2026-01-01T00:00+01:00/P1W1D', { kind: 'interval', from: at('2025-12-31T23:00:00Z'), until: at('2025-12-31T23:00:00Z') + 8 * DAY }],
    ['PT15M', { kind: 'duration', ms: 900_000 }],
    ['P1DT1H1M1S', { kind: 'duration', ms: DAY + 3_661_000 }]
  ]
  for (const [text, lifetime] of good) it(`is ${text}`, () => assert.deepEqual(parseLifetime(text), lifetime))

  const bad = [
    '',
    'P',
    'PT',
    'P1Y',
    'P1M',
    'P1.5D',
    '-P1D',
    'P0D',
    '1h',
    'forever',
    '2026-01-01',
    '2027-01-01/2026-01-01',
    '2026-01-01/2026-01-01',
    '2026-13-01/2027-01-01',
    '2026-01-01T00:00:00/P1D',
    '2026-01-01/P1D/P1D',
    '/P1D',
    'PT999999999999999999H'
  ]
  for (const text of bad) it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseLifetime(text), undefined))
})

describe('a duration', () => {
  it('is in milliseconds', () => assert.equal(parseDuration('PT1S'), 1000))
})
