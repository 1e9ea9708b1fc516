import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Bounds } from '../../../src/crypto/bounds.ts'
import { type Grant, type GrantWords, openGrant, sealGrant } from '../../../src/crypto/grant.ts'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import { openRevocations, type Revoked, sealRevocations } from '../../../src/crypto/revocation.ts'
import { type Authority, decide, type Permit, type Subject, type Trusted } from '../../../src/node/permissions/decide.ts'
import { RevocationBook } from '../../../src/node/permissions/revocation-book.ts'
import { CLOCK_LEEWAY_MS } from '../../../src/node/permissions/rights.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const place = { file: 'p.xml', line: 1, col: 1 }
const [ops, rogue, alice, bob] = [generateIdentity(), generateIdentity(), generateIdentity(), generateIdentity()] as const
const here = { peer: 'h', name: 'web1', labels: { role: 'web', os: 'linux' } }
const ALL: Bounds = { capabilities: ['agency:hello', 'goal:dispatch', 'goal:repair'] }

function granted(signer: Identity, subject: Identity, change: Partial<GrantWords> = {}, parent?: Grant): Grant {
  const words = { id: 'g1', subject: subject.peer, email: 'alice@example.org', allows: [ALL], at: NOW, notBefore: NOW, expiry: NOW + DAY }
  return openGrant(sealGrant(signer, { ...words, ...change }, parent?.envelope))
}

function authority(change: Partial<Authority> = {}): Authority {
  return { name: 'ops', key: ops.peer, ceiling: ALL, place, ...change }
}

interface World {
  readonly authorities?: readonly Authority[]
  readonly permits?: readonly Permit[]
  readonly grants: readonly Grant[]
  readonly revoked?: readonly Revoked[]
  /** When the list was signed and got here. */
  readonly heardAt?: number
}

function trusting({ authorities = [authority()], permits = [], grants, revoked, heardAt = NOW }: World): Trusted {
  const revocations = new RevocationBook()
  if (revoked !== undefined) revocations.learn(openRevocations(sealRevocations(ops, { number: 1, at: heardAt, revoked })), heardAt)
  return { authorities, permits, grantsOf: peer => grants.filter(({ subject }) => subject === peer), revocations, here }
}

function allowed(world: World, who = alice, what: Subject = { program: 'p', goal: 'deploy', vars: [] }, now = NOW + 1): boolean {
  return decide(trusting(world), { peer: who.peer, since: now }, 'goal:dispatch', what, now).allowed
}

function permit(change: Partial<Permit> = {}): Permit {
  const lifetime = { kind: 'interval', from: NOW - DAY, until: NOW + 90 * DAY } as const
  return { authority: 'ops', email: 'alice@example.org', ...ALL, lifetime, place, ...change }
}

describe('a right from a grant', () => {
  const one = granted(ops, alice)
  const table: ReadonlyArray<[string, boolean, World, Subject?]> = [
    ['holds under the ceiling of its authority', true, { grants: [one] }],
    ['is none of an authority without ceiling', false, { authorities: [bare()], grants: [one] }],
    ['holds there where a permit waits for it', true, { authorities: [bare()], permits: [permit()], grants: [one] }],
    [
      'does not fit a permit for somebody else',
      false,
      { authorities: [bare()], permits: [permit({ email: 'eve@example.org' })], grants: [one] }
    ],
    [
      'does not fit a permit of another authority',
      false,
      { authorities: [bare(), { name: 'x', place }], permits: [permit({ authority: 'x' })], grants: [one] }
    ],
    ['is none when nobody here knows who signed it', false, { grants: [granted(rogue, alice)] }],
    ['is no more than the ceiling', false, { authorities: [authority({ ceiling: { capabilities: ['agency:hello'] } })], grants: [one] }],
    ['is bound to the goals of the ceiling', false, { authorities: [authority({ ceiling: { ...ALL, goals: ['other'] } })], grants: [one] }],
    ['is bound to its own goals', false, { grants: [granted(ops, alice, { allows: [{ ...ALL, goals: ['other'] }] })] }],
    ['is bound to its programs by hash', true, { grants: [granted(ops, alice, { allows: [{ ...ALL, programs: ['p'] }] })] }],
    [
      'is not fooled by the name that a peer gave a program',
      false,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, programs: ['site'] }] })] },
      { program: 'hash', goal: 'deploy', vars: [] }
    ],
    [
      'knows programs by the name that the owner gave them',
      true,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, programs: ['site'] }] })] },
      { program: 'hash', programName: 'site', goal: 'deploy', vars: [] }
    ],
    [
      'is bound to its variables',
      false,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, vars: ['size'] }] })] },
      { program: 'p', goal: 'deploy', vars: ['goal.host'] }
    ],
    [
      'reaches below its variables',
      true,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, vars: ['size'] }] })] },
      { program: 'p', goal: 'deploy', vars: ['goal.size.disk'] }
    ],
    [
      'does not reach variables that begin alike',
      false,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, vars: ['size'] }] })] },
      { program: 'p', goal: 'deploy', vars: ['goal.sizes'] }
    ],
    ['holds on nodes with its labels', true, { grants: [granted(ops, alice, { allows: [{ ...ALL, on: ['role=web,os=linux'] }] })] }],
    ['does not hold on others', false, { grants: [granted(ops, alice, { allows: [{ ...ALL, on: ['role=db', 'web2'] }] })] }],
    ['holds on nodes of its name', true, { grants: [granted(ops, alice, { allows: [{ ...ALL, on: ['web1'] }] })] }],
    [
      'counts open goals',
      true,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, concurrent: 2 }] })] },
      { program: 'p', goal: 'deploy', vars: [], open: 1 }
    ],
    [
      'ends at as many open goals as it has',
      false,
      { grants: [granted(ops, alice, { allows: [{ ...ALL, concurrent: 2 }] })] },
      { program: 'p', goal: 'deploy', vars: [], open: 2 }
    ]
  ]
  for (const [what, expected, world, subject] of table) it(what, () => assert.equal(allowed(world, alice, subject), expected))

  it('belongs to the key that it names, whoever shows it', () => assert.ok(!allowed({ grants: [one] }, bob)))

  it('lives no longer than the owner of the node lets grants live', () => {
    const world = { authorities: [authority({ lifetimeMs: HOUR })], grants: [one] }
    assert.ok(allowed(world, alice, undefined, NOW + HOUR - 1))
    assert.ok(!allowed(world, alice, undefined, NOW + HOUR))
  })

  it('begins a little early, for clocks that are apart, and ends on time', () => {
    assert.ok(allowed({ grants: [one] }, alice, undefined, NOW - CLOCK_LEEWAY_MS))
    assert.ok(!allowed({ grants: [one] }, alice, undefined, NOW - CLOCK_LEEWAY_MS - 1))
    assert.ok(!allowed({ grants: [one] }, alice, undefined, NOW + DAY))
  })

  it('is gone once its authority has taken it back, by id or by key, and only what was given before', () => {
    const until = NOW + 90 * DAY
    assert.ok(!allowed({ grants: [one], revoked: [{ grant: 'g1', until }] }))
    assert.ok(!allowed({ grants: [one], revoked: [{ subject: alice.peer, before: NOW + 1, until }] }))
    assert.ok(allowed({ grants: [one], revoked: [{ subject: alice.peer, before: NOW, until }] }))
    assert.ok(
      allowed({
        grants: [one],
        revoked: [
          { grant: 'g2', until },
          { subject: bob.peer, before: NOW + 1, until }
        ]
      })
    )
  })

  it('is gone however its envelope is written', () => {
    const text = Buffer.from(one.envelope).toString('utf8')
    const rewritten = openGrant(Buffer.from(JSON.stringify(JSON.parse(text), undefined, 1)))
    assert.notEqual(Buffer.compare(rewritten.envelope, one.envelope), 0)
    assert.ok(allowed({ grants: [rewritten], revoked: [] }))
    assert.ok(!allowed({ grants: [rewritten], revoked: [{ grant: 'g1', until: NOW + DAY }] }))
  })

  it('waits for word of its authority when it has to be fresh', () => {
    const fresh = granted(ops, alice, { fresh: HOUR })
    assert.ok(!allowed({ grants: [fresh] }), 'never heard of')
    const last = NOW + HOUR - CLOCK_LEEWAY_MS
    assert.ok(allowed({ grants: [fresh], revoked: [] }, alice, undefined, last))
    assert.ok(!allowed({ grants: [fresh], revoked: [] }, alice, undefined, last + 1))
  })

  it('is what was handed on and what that came from, together', () => {
    const wide = granted(ops, alice, { allows: [{ ...ALL, goals: ['deploy', 'restart'] }] })
    const handed = (change: Partial<GrantWords>): Grant => granted(alice, bob, { id: 'g2', email: 'bob@example.org', ...change }, wide)
    const only = (goal: string): Subject => ({ program: 'p', goal, vars: [] })
    const narrow = handed({ allows: [{ ...ALL, goals: ['deploy'] }] })
    assert.ok(allowed({ grants: [wide, narrow] }, bob, only('deploy')))
    assert.ok(!allowed({ grants: [wide, narrow] }, bob, only('restart')))
    const greedy = handed({ allows: [{ capabilities: ['goal:dispatch', 'node:shell'] }], expiry: NOW + 30 * DAY })
    assert.ok(!allowed({ grants: [greedy] }, bob, only('wipe')), 'no wider than its parent')
    assert.ok(!allowed({ grants: [greedy] }, bob, only('deploy'), NOW + DAY), 'no longer than its parent')
    const gone = { grants: [wide, narrow], revoked: [{ grant: 'g1', until: NOW + DAY }] }
    assert.ok(!allowed(gone, bob, only('deploy')), 'gone with its parent')
    assert.ok(!allowed({ grants: [narrow], revoked: [{ subject: bob.peer, before: NOW + 1, until: NOW + DAY }] }, bob, only('deploy')))
  })

  it('does not depend on the order of grants, and each adds to the others', () => {
    const goals = ['a', 'b', 'c', 'd']
    const grants = goals.map((goal, at) => granted(ops, alice, { id: `g${at}`, allows: [{ ...ALL, goals: [goal] }] }))
    fc.assert(
      fc.property(fc.shuffledSubarray(grants), fc.constantFrom(...goals), (held, goal) => {
        const has = held.some(({ allows }) => allows[0]?.goals?.includes(goal))
        return allowed({ grants: held }, alice, { program: 'p', goal, vars: [] }) === has
      }),
      { numRuns: 50, seed: 7 }
    )
  })
})

function bare(): Authority {
  return { name: 'ops', key: ops.peer, place }
}

describe('what was taken back', () => {
  const list = (number: number, at: number, revoked: readonly Revoked[]) => openRevocations(sealRevocations(ops, { number, at, revoked }))
  const grant = granted(ops, alice)

  it('stays so, whatever list comes after it or late', () => {
    const book = new RevocationBook()
    assert.ok(book.learn(list(2, NOW, [{ grant: 'g1', until: NOW + DAY }]), NOW))
    book.learn(list(1, NOW - HOUR, []), NOW + 1)
    book.learn(list(3, NOW + 2, []), NOW + 2)
    assert.ok(book.revokes(ops.peer, grant))
    assert.equal(book.latest()[0]?.number, 3)
  })

  it('is the word of its own authority alone', () => {
    const book = new RevocationBook()
    book.learn(openRevocations(sealRevocations(rogue, { number: 9, at: NOW, revoked: [{ grant: 'g1', until: NOW + DAY }] })), NOW)
    assert.ok(!book.revokes(ops.peer, grant))
  })

  it('was heard no later than it was said, and no later than it came', () => {
    const book = new RevocationBook()
    book.learn(list(1, NOW + HOUR, []), NOW)
    assert.equal(book.heardAt(ops.peer), NOW)
    book.learn(list(1, NOW + 5, []), NOW + DAY)
    assert.equal(book.heardAt(ops.peer), NOW + 5)
    assert.ok(!book.learn(list(1, NOW + 5, []), NOW + DAY), 'no news')
  })
})
