import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Capability, capabilities } from '../../../src/crypto/capability.ts'
import { capabilitiesOf, decide, firstEnd, NOBODY, type Permit, permitsOf, type Subject } from '../../../src/node/permissions/decide.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const HOUR = 3_600_000
const place = { file: 'p.xml', line: 1, col: 1 }

function permit(change: Partial<Permit>): Permit {
  return {
    authority: 'local',
    email: 'a@x',
    capabilities: ['goal:dispatch'],
    peer: 'P',
    lifetime: { kind: 'interval', from: NOW - HOUR, until: NOW + HOUR },
    place,
    ...change
  }
}

function allowed(
  permits: readonly Permit[],
  capability: Capability = 'goal:dispatch',
  what: Subject = { program: 'p', goal: 'g' },
  now = NOW,
  since = NOW
): boolean {
  return decide({ authorities: [], permits }, { peer: 'P', since }, capability, what, now).allowed
}

describe('a decision', () => {
  it('is no when there is nothing', () => {
    const decision = decide(NOBODY, { peer: 'P', since: NOW }, 'agency:hello', {}, NOW)
    assert.deepEqual(decision, { allowed: false, reason: 'no permit is bound to P' })
  })

  const cases: ReadonlyArray<[string, boolean, Partial<Permit>, Subject?]> = [
    ['yes for what the permit has', true, {}],
    ['no for another peer', false, { peer: 'Q' }],
    ['no for a permit that is bound to no peer', false, { peer: undefined as never }],
    ['no for another capability', false, { capabilities: ['agency:hello'] }],
    ['no before it begins', false, { lifetime: { kind: 'interval', from: NOW + 1, until: NOW + 2 } }],
    ['yes at the very beginning', true, { lifetime: { kind: 'interval', from: NOW, until: NOW + 1 } }],
    ['no at the very end', false, { lifetime: { kind: 'interval', from: NOW - 1, until: NOW } }],
    ['yes for a program that it names', true, { programs: ['o', 'p'] }],
    ['no for a program that it does not name', false, { programs: ['o'] }],
    ['no for an unnamed program when it names some', false, { programs: ['p'] }, { goal: 'g' }],
    ['no for a goal that it does not name', false, { goals: ['h'] }],
    ['yes for a goal that it names', true, { goals: ['g'] }],
    ['no for some variables while it is not said which are set', false, { vars: ['a'] }, { program: 'p', goal: 'g' }],
    ['no for a variable that it does not name', false, { vars: ['a'] }, { program: 'p', goal: 'g', vars: ['a', 'b'] }],
    ['yes for variables that it names', true, { vars: ['a', 'b'] }, { program: 'p', goal: 'g', vars: ['a'] }]
  ]
  for (const [what, expected, change, subject] of cases) {
    it(`is ${what}`, () => assert.equal(allowed([permit(change)], 'goal:dispatch', subject), expected))
  }

  it('needs no program for what has nothing to do with programs', () => {
    assert.ok(allowed([permit({ capabilities: ['agency:hello'], programs: ['p'] })], 'agency:hello', {}))
  })

  it('is no once a session is longer than its permit lets it be', () => {
    const session = [permit({ lifetime: { kind: 'duration', ms: HOUR } })]
    assert.ok(allowed(session, 'goal:dispatch', undefined, NOW + HOUR - 1))
    assert.equal(allowed(session, 'goal:dispatch', undefined, NOW + HOUR), false)
  })

  it('says why not, most telling reason first', () => {
    const reason = (change: Partial<Permit>): string =>
      decide({ authorities: [], permits: [permit(change)] }, { peer: 'P', since: NOW }, 'goal:dispatch', { program: 'p', goal: 'g' }, NOW)
        .reason
    assert.equal(reason({ lifetime: { kind: 'interval', from: 0, until: 1 } }), 'every permit of a@x is expired or not yet valid')
    assert.equal(reason({ capabilities: [] }), 'no permit of a@x has goal:dispatch')
    assert.equal(reason({ programs: ['o'] }), 'no permit of a@x with goal:dispatch covers program p, goal g')
  })

  const anyPermit: fc.Arbitrary<Permit> = fc
    .record({
      peer: fc.constantFrom('P', 'Q'),
      capabilities: fc.subarray([...capabilities]),
      programs: fc.option(fc.subarray(['p', 'o']), { nil: undefined }),
      from: fc.integer({ min: -2, max: 2 }),
      hours: fc.integer({ min: 1, max: 3 })
    })
    .map(({ peer, programs, from, hours, ...more }) =>
      permit({
        ...more,
        peer,
        ...(programs === undefined ? {} : { programs }),
        lifetime: { kind: 'interval', from: NOW + from * HOUR, until: NOW + (from + hours) * HOUR }
      })
    )

  it('is the union of all permits, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(anyPermit, { maxLength: 5 }), fc.constantFrom(...capabilities), (permits, capability) => {
        const together = allowed(permits, capability)
        assert.equal(allowed([...permits].reverse(), capability), together)
        assert.equal(
          permits.some(one => allowed([one], capability)),
          together
        )
      })
    )
  })
})

describe('the permits of a peer', () => {
  it('are those that hold now, and end with the first of them', () => {
    const list = {
      authorities: [],
      permits: [permit({}), permit({ capabilities: ['agency:hello'], lifetime: { kind: 'duration', ms: 5 } }), permit({ peer: 'Q' })]
    }
    const found = permitsOf(list, { peer: 'P', since: NOW }, NOW)
    assert.deepEqual(capabilitiesOf(found), ['goal:dispatch', 'agency:hello'])
    assert.equal(firstEnd(found, NOW), NOW + 5)
    assert.equal(firstEnd([], NOW), Number.POSITIVE_INFINITY)
  })
})
