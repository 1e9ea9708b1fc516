import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openGrant } from '../../../src/crypto/grant.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { openRevocations } from '../../../src/crypto/revocation.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { initHome, loadPerson, resolveHome } from '../../../src/node/home.ts'
import { trustAtHome } from '../../../src/node/permissions/at-home.ts'
import { authorityNames, heartbeat, initAuthority, type NewGrant, openAuthority, reissue } from '../../../src/node/permissions/authority.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const HOUR = 3_600_000
const bounds = { capabilities: ['agency:hello', 'goal:dispatch'] as const }

function usage(pattern: RegExp): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === 'CB_USAGE' && pattern.test(error.message)
}

describe('an authority in a home', () => {
  let directory: string
  let home: ReturnType<typeof resolveHome>
  let now: number
  const alice = generateIdentity().peer
  const bob = generateIdentity().peer
  const what = (change: Partial<NewGrant> = {}): NewGrant => {
    return { subject: alice, email: 'alice@example.org', bounds, lifetimeMs: 3 * HOUR, ...change }
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'authority-'))
    home = resolveHome(join(directory, 'home'))
    initHome(home, { name: 'ops' })
    now = NOW
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const trust = (): ReturnType<typeof trustAtHome> => trustAtHome(home, () => now)

  it('has a key that only its owner can read, and is made once', () => {
    const { key, element } = trust().init('ops')
    assert.equal(statSync(join(home.authorities, 'ops.key')).mode & 0o777, 0o600)
    assert.equal(element, `<authority name="ops" key="${key}"/>`)
    assert.throws(() => trust().init('ops'), usage(/there already/))
    assert.equal(trust().export('ops').key, key)
    assert.ok(!JSON.stringify(trust().export('ops')).includes(readFileSync(join(home.authorities, 'ops.key'), 'utf8').split('\n')[1]!))
  })

  it('is not believed when others may read its key', () => {
    trust().init('ops')
    chmodSync(join(home.authorities, 'ops.key'), 0o644)
    assert.throws(
      () => trust().certify('ops', what()),
      (error: unknown) => error instanceof CloudburstError && error.code === 'CB_FILE_UNSAFE'
    )
  })

  for (const name of ['', '../x', 'a/b', '.hidden', 'a b', 'x'.repeat(65)])
    it(`is not called ${JSON.stringify(name.slice(0, 8))}`, () => {
      assert.throws(() => trust().init(name), usage(/no name/))
      assert.throws(() => trust().certify(name, what()), usage(/no authority/))
      assert.deepEqual(authorityNames(home.authorities), [])
    })

  it('grants what was asked for, and nothing that means nothing', () => {
    trust().init('ops')
    const { id, expiry, statement } = trust().certify('ops', what({ fresh: 600_000 }))
    const grant = openGrant(Buffer.from(statement))
    assert.deepEqual([grant.id, grant.subject, grant.at, grant.expiry, grant.fresh], [id, alice, NOW, expiry, 600_000])
    assert.equal(expiry, NOW + 3 * HOUR)
    assert.throws(() => trust().certify('ops', what({ subject: 'alice' })), usage(/not the peer id/))
    assert.throws(() => trust().certify('ops', what({ email: 'alice' })), usage(/not an e-mail/))
    assert.throws(() => trust().certify('ops', what({ lifetimeMs: 91 * 24 * HOUR })), usage(/at most 90 days/))
    assert.throws(
      () => trust().certify('ops', what({ bounds: { capabilities: ['goal:dispach' as never] } })),
      usage(/did you mean goal:dispatch/)
    )
  })

  it('takes back all of a person, of a key, or one grant; for good', () => {
    trust().init('ops')
    const one = trust().certify('ops', what())
    trust().certify('ops', what({ subject: bob, email: 'bob@example.org' }))
    assert.throws(() => trust().revoke('ops', 'eve@example.org'), usage(/granted nothing/))
    now += 1
    assert.deepEqual(trust().revoke('ops', one.id).taken, [one.id])
    const { taken, statement } = trust().revoke('ops', 'bob@example.org')
    assert.deepEqual(taken, [bob])
    const list = openRevocations(Buffer.from(statement))
    assert.equal(list.number, 2)
    assert.deepEqual(
      list.revoked.map(({ grant, subject }) => grant ?? subject),
      [one.id, bob]
    )
    const beat = openRevocations(heartbeat(openAuthority(home.authorities, 'ops'), now + HOUR))
    assert.deepEqual([beat.number, beat.at, beat.revoked.length], [2, now + HOUR, 2])
  })

  it('takes back from a key to which it has granted nothing itself: somebody may have handed it on', () => {
    trust().init('ops')
    assert.deepEqual(trust().revoke('ops', bob).taken, [bob])
  })

  it('issues anew at two thirds of a life, with an id of its own, until it is taken back', () => {
    trust().init('ops')
    const first = trust().certify('ops', what({ renew: true }))
    let ids = 0
    const due = (): readonly string[] => {
      const authority = openAuthority(home.authorities, 'ops')
      const issued = reissue(home.authorities, authority, () => `again-${++ids}`, now)
      return issued.filter(({ fresh }) => fresh).map(({ envelope }) => openGrant(envelope).id)
    }
    now = NOW + 2 * HOUR - 1
    assert.deepEqual(due(), [])
    now = NOW + 2 * HOUR
    assert.deepEqual(due(), ['again-1'])
    assert.deepEqual(due(), [])
    now += 2 * HOUR
    assert.deepEqual(due(), ['again-2'])
    assert.deepEqual(trust().revoke('ops', first.id).taken, [first.id, 'again-1', 'again-2'])
    now += 2 * HOUR
    assert.deepEqual(due(), [])
  })

  it('lets the holder of a grant hand part of it on, once, and no longer than it lasts', () => {
    initAuthority(join(directory, 'elsewhere'), 'far')
    const person = loadPerson(home, true)!
    trust().init('ops')
    const held = trust().certify('ops', what({ subject: person.peer })).statement
    const wish = what({ subject: bob, email: 'bob@example.org', bounds: { capabilities: ['goal:dispatch'] }, lifetimeMs: 30 * HOUR })
    const handed = openGrant(Buffer.from(trust().delegate([held], wish).statement))
    assert.equal(handed.issuer, person.peer)
    assert.equal(handed.parent?.subject, person.peer)
    assert.equal(handed.expiry, NOW + 3 * HOUR)
    assert.throws(() => trust().delegate([], wish), usage(/holds no grant/))
    assert.throws(() => trust().delegate([Buffer.from(handed.envelope).toString()], wish), usage(/cannot be handed on again/))
    assert.throws(
      () => trust().delegate([held], { ...wish, bounds: { capabilities: ['node:shell'] } }),
      usage(/no grant of this node has node:shell/)
    )
  })

  it('lets the holder take back what was handed on: one grant, or all of a key', () => {
    const person = loadPerson(home, true)!
    trust().init('ops')
    const held = trust().certify('ops', what({ subject: person.peer })).statement
    const wish = what({ subject: bob, email: 'bob@example.org', bounds: { capabilities: ['goal:dispatch'] }, lifetimeMs: HOUR })
    const [one, two] = [trust().delegate([held], wish), trust().delegate([held], wish)]
    assert.equal(statSync(home.handedOn).mode & 0o777, 0o600)
    assert.throws(() => trust().takeBack('eve@example.org'), usage(/nothing that still holds was handed on from here to eve/))
    const taken = trust().takeBack(one.id)
    assert.deepEqual(taken.taken, [one.id])
    const list = openRevocations(Buffer.from(taken.statements[0]!))
    assert.equal(list.issuer, person.peer)
    assert.deepEqual(
      list.holds?.map(({ subject }) => subject),
      [person.peer]
    )
    const states = (): readonly string[] =>
      trust()
        .handed()
        .map(({ state }) => state)
    assert.deepEqual(states(), ['taken back', 'given'])
    const all = openRevocations(Buffer.from(trust().takeBack('bob@example.org').statements[0]!))
    assert.deepEqual([all.number, all.revoked.map(({ grant, subject }) => grant ?? subject)], [2, [one.id, bob]])
    assert.deepEqual(states(), ['taken back', 'taken back'])
    now += 1
    const three = trust().delegate([held], wish)
    assert.deepEqual(states(), ['taken back', 'taken back', 'given'], 'what is handed on later holds')
    now = three.expiry
    trust().delegate([trust().certify('ops', what({ subject: person.peer })).statement], wish)
    assert.deepEqual(states(), ['given'], `what is over is forgotten: ${two.id}`)
  })
})
