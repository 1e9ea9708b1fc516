import assert from 'node:assert/strict'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { Admission } from '../../../src/node/mesh/admission.ts'
import { AddressBudget, ipOf } from '../../../src/node/mesh/address-budget.ts'
import { ADDRESSES_REMEMBERED_MAX, PENDING_MAX, PENDING_PER_ADDRESS_MAX, STRANGERS_AT_ONCE_MAX } from '../../../src/node/mesh/limits.ts'

const LISTED = '192.0.2.1'
const friend = generateIdentity().peer

/** A connection that was dropped says so. */
function connection(ip: string) {
  const made = { remoteAddr: `/ip4/${ip}/tcp/40000`, dropped: false, addEventListener: () => undefined, abort: () => (made.dropped = true) }
  return made
}

describe('admission', () => {
  let admission: Admission
  let denied: number
  beforeEach(() => {
    denied = 0
    admission = new Admission({
      permitted: peer => peer === friend,
      invited: () => false,
      onDenied: () => denied++,
      listed: () => new Set([LISTED])
    })
  })
  const accepts = (from: ReturnType<typeof connection>): boolean => admission.gater().denyInboundConnection!(from as never) === false
  const proves = (from: ReturnType<typeof connection>, peer: string): boolean =>
    admission.gater().denyInboundEncryptedConnection!({ toString: () => peer } as never, from as never) === false

  it('drops the oldest silent connection of an address that has too many, and no other', () => {
    const other = connection('198.51.100.2')
    accepts(other)
    const silent = Array.from({ length: 200 }, () => connection('198.51.100.1'))
    for (const each of silent) assert.ok(accepts(each))
    assert.equal(silent.filter(({ dropped }) => !dropped).length, PENDING_PER_ADDRESS_MAX)
    assert.ok(silent.slice(-PENDING_PER_ADDRESS_MAX).every(({ dropped }) => !dropped))
    assert.equal(other.dropped, false)
  })

  it('drops those of addresses that nobody listed before those of neighbours', () => {
    const neighbours = Array.from({ length: PENDING_MAX - 1 }, () => connection(LISTED))
    for (const each of neighbours) accepts(each)
    const strangers = Array.from({ length: 10 }, (_, at) => connection(`198.51.100.${at}`))
    for (const each of strangers) accepts(each)
    assert.ok(neighbours.every(({ dropped }) => !dropped))
    assert.equal(strangers.filter(({ dropped }) => !dropped).length, 1)
  })

  it('refuses an address that has sent too many strangers before they cost a handshake', () => {
    let handshakes = 0
    for (let count = 0; count < 500; count++) {
      const from = connection('198.51.100.1')
      if (!accepts(from)) continue
      handshakes++
      assert.equal(proves(from, generateIdentity().peer), false)
    }
    assert.ok(handshakes >= STRANGERS_AT_ONCE_MAX && handshakes < STRANGERS_AT_ONCE_MAX + 20, `${handshakes} handshakes`)
    assert.equal(denied, handshakes)
    assert.ok(accepts(connection('198.51.100.2')), 'another address')
  })

  it('always lets in the address of a listed neighbour, and one from which somebody with a permit came', () => {
    const good = connection('203.0.113.9')
    accepts(good)
    assert.ok(proves(good, friend))
    for (const ip of [LISTED, '203.0.113.9']) {
      for (let count = 0; count < 500; count++) {
        const from = connection(ip)
        assert.ok(accepts(from), `${count} of ${ip}`)
        proves(from, generateIdentity().peer)
      }
    }
  })
})

describe('the budget of an address', () => {
  it('comes back with time', () => {
    let now = 0
    const budget = new AddressBudget({ listed: () => new Set(), now: () => now })
    for (let count = 0; count < STRANGERS_AT_ONCE_MAX; count++) budget.stranger('a')
    assert.ok(budget.isSpent('a'))
    now = 1_000
    assert.equal(budget.isSpent('a'), false)
  })

  it('is remembered of so many addresses', () => {
    const budget = new AddressBudget({ listed: () => new Set(), now: () => 0 })
    for (let count = 0; count < STRANGERS_AT_ONCE_MAX; count++) budget.stranger('first')
    for (let count = 0; count < ADDRESSES_REMEMBERED_MAX; count++) budget.stranger(`a${count}`)
    assert.equal(budget.isSpent('first'), false)
  })

  it('counts an IPv6 network as one, and an IPv4 address in IPv6 as itself', () => {
    assert.equal(ipOf('/ip6/2001:db8:1:2:3:4:5:6/tcp/1'), ipOf('/ip6/2001:db8:1:2::9/tcp/2'))
    assert.notEqual(ipOf('/ip6/2001:db8:1:2::9/tcp/1'), ipOf('/ip6/2001:db8:1:3::9/tcp/1'))
    assert.equal(ipOf('/ip6/::ffff:192.0.2.1/tcp/1'), '192.0.2.1')
    assert.equal(ipOf('/ip6/::1/tcp/1'), '0:0:0:0::/64')
    assert.equal(ipOf('/ip4/192.0.2.1/tcp/1'), '192.0.2.1')
  })
})
