import assert from 'node:assert/strict'
import { once } from 'node:events'
import { CloudburstError } from '../../../src/errors.ts'
import { claimedType } from '../../../src/crypto/dsse.ts'
import { GRANT_TYPE, openGrant, sealGrant } from '../../../src/crypto/grant.ts'
import { sealRevocations } from '../../../src/crypto/revocation.ts'
import { openAuthority } from '../../../src/node/permissions/authority.ts'
import { slower } from '../../system/busy.ts'
import { until, up } from '../mesh/testbed.ts'
import { hold, revoke, TrustBed, type TrustNode } from './trust-bed.ts'

const NODES = 5
/** Revocation, from the command to the last of the connected nodes, in milliseconds: a heartbeat's worth on a busy machine. */
const REFUSED_WITHIN_MS = 1_000

function coded(code: string): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === code
}

/** `ops` has the authority, all know one another, and all hold a grant; `alice` is the last. */
async function connected(bed: TrustBed, count: number): Promise<TrustNode[]> {
  const nodes: TrustNode[] = []
  for (let at = 0; at < count; at++) nodes.push(await bed.node(at === 0 ? 'ops' : `n${at}`))
  for (const node of nodes) bed.grant(node)
  for (const node of nodes) await node.start()
  for (const a of nodes) for (const b of nodes) if (a !== b) a.knows(b)
  const isUp = (a: TrustNode, b: TrustNode): boolean =>
    a.mesh.peers().some(({ peer, status }) => peer === b.identity.peer && status === 'up')
  // All their handshakes are in this one process.
  await until(() => nodes.every(a => nodes.every(b => a === b || isUp(a, b))), 'all are up with all', 30_000)
  return nodes
}

describe('nodes that trust one authority', function () {
  this.timeout(60_000)
  let bed: TrustBed
  beforeEach(() => {
    bed = new TrustBed()
  })
  afterEach(() => bed.close())

  it('let one another in by grants alone, and refuse at once whoever it has taken them back from', async () => {
    const nodes = await connected(bed, NODES)
    const [ops, ...others] = nodes as [TrustNode, ...TrustNode[]]
    const alice = others.at(-1)!
    const hosts = nodes.filter(node => node !== alice)
    await Promise.all(hosts.map(host => hold(alice, host)))
    const refused = hosts.map(async host => {
      await once(host.held.get(alice.identity.peer)!.ended, 'abort')
      return performance.now()
    })
    const from = performance.now()
    ops.trust.take(revoke(bed.authorities, 'ops', 'n4@example.org', ops.trust.now()).envelope)
    ops.spreading.speak()
    const times = (await Promise.all(refused)).map(at => at - from)
    console.log(`      ${hosts.length} nodes have ended its streams after ${times.map(ms => ms.toFixed(0)).join(', ')} ms`)
    assert.ok(Math.max(...times) <= REFUSED_WITHIN_MS * slower(), `${times}`)
    await assert.rejects(hold(alice, hosts[1]!), coded('CB_DENIED'))
    assert.ok(
      hosts[1]!.mesh.peers().some(({ peer, status }) => peer === hosts[2]!.identity.peer && status === 'up'),
      'the others stay'
    )
  })

  it('refuse at once whoever a holder has taken back from what it had handed on, and nobody else', async () => {
    const [ops, host, alice, bob] = [await bed.node('ops'), await bed.node('host'), await bed.node('alice'), await bed.node('bob')]
    for (const node of [ops, host, alice]) bed.grant(node)
    for (const node of [ops, host, alice, bob]) await node.start()
    const [root] = alice.trust.own()
    const at = alice.trust.now()
    const allows = [{ capabilities: ['agency:hello' as const, 'goal:dispatch' as const] }]
    const words = { id: 'handed', email: 'bob@example.org', allows, at, notBefore: at, expiry: at + 60_000 }
    bob.trust.take(sealGrant(alice.identity, { ...words, subject: bob.identity.peer }, root!.envelope))
    for (const node of [host, ops]) {
      alice.knows(node)
      bob.knows(node)
    }
    ops.knows(host)
    const pairs = [
      [alice, host],
      [alice, ops],
      [bob, host],
      [bob, ops],
      [ops, host]
    ] as const
    await Promise.all(pairs.map(([a, b]) => up(a as never, b as never)))
    await Promise.all([hold(bob, host), hold(bob, ops), hold(alice, host)])
    const refused = [host, ops].map(async node => {
      await once(node.held.get(bob.identity.peer)!.ended, 'abort')
      return performance.now()
    })
    const from = performance.now()
    const list = sealRevocations(alice.identity, { number: 1, at, revoked: [{ grant: 'handed', until: at + 60_000 }] }, [root!.envelope])
    assert.ok(alice.trust.take(list))
    await alice.spreading.tellAll()
    const times = (await Promise.all(refused)).map(time => time - from)
    console.log(`      the two have ended its streams after ${times.map(ms => ms.toFixed(0)).join(', ')} ms`)
    assert.ok(Math.max(...times) <= REFUSED_WITHIN_MS * slower(), `${times}`)
    await assert.rejects(hold(bob, host), coded('CB_DENIED'))
    assert.ok(!host.held.get(alice.identity.peer)!.ended.aborted, 'alice stays')

    const late = await bed.node('late')
    bed.grant(late)
    await late.start()
    late.trust.take(bob.trust.own()[0]!.envelope)
    ops.knows(late)
    await until(
      () => late.trust.lists().some(envelope => Buffer.compare(Buffer.from(envelope), list) === 0),
      'whoever was away hears of it'
    )
    bob.knows(late)
    await assert.rejects(hold(bob, late), coded('CB_DENIED'))
  })

  it('do not let in whoever shows the grant of somebody else', async () => {
    const [ops, alice, mallory] = [await bed.node('ops'), await bed.node('alice'), await bed.node('mallory')]
    await ops.start()
    for (const node of [alice, mallory]) {
      await node.start()
      node.knows(ops)
    }
    const stolen = bed.grant(alice)
    await up(alice as never, ops as never)
    mallory.trust.own = () => [openGrant(stolen)]
    await assert.rejects(hold(mallory, ops), coded('CB_DENIED'))
    assert.equal(ops.held.size, 0)
  })

  it('tell whoever was away what was taken back meanwhile', async () => {
    const [ops, host, alice] = [await bed.node('ops'), await bed.node('host'), await bed.node('alice')]
    for (const node of [ops, host, alice]) {
      bed.grant(node)
      await node.start()
    }
    alice.knows(host)
    await up(alice as never, host as never)
    await hold(alice, host)
    ops.trust.take(revoke(bed.authorities, 'ops', alice.identity.peer, ops.trust.now()).envelope)
    assert.ok(!host.held.get(alice.identity.peer)!.ended.aborted, 'the two have not met yet')
    host.knows(ops)
    await until(() => host.held.get(alice.identity.peer)!.ended.aborted, 'the host hears of it')
  })

  it('have grants issued anew before they end, and their streams go on', async () => {
    let at = Date.now()
    const now = (): number => at
    const [ops, host, robot] = [
      await bed.node('ops', undefined, now),
      await bed.node('host', undefined, now),
      await bed.node('robot', undefined, now)
    ]
    for (const node of [ops, host, robot]) {
      bed.grant(node, { renew: true, lifetimeMs: 60_000 })
      await node.start()
    }
    robot.knows(host)
    robot.knows(ops)
    ops.knows(host)
    await Promise.all([up(robot as never, host as never), up(robot as never, ops as never), up(ops as never, host as never)])
    await hold(robot, host)
    for (const step of [45_000, 90_000, 135_000]) {
      at += 45_000
      ops.spreading.speak()
      // Each at each of the others: a connection ends when either side may not be there any more.
      const isFresh = (node: TrustNode, other: TrustNode): boolean =>
        node.trust.shown().some(({ subject, expiry }) => subject === other.identity.peer && expiry > at + 15_000)
      const all = [ops, host, robot]
      await until(() => all.every(a => all.every(b => a === b || isFresh(a, b))), `all have shown new grants after ${step} ms`)
    }
    assert.ok(!host.held.get(robot.identity.peer)!.ended.aborted, 'the stream goes on')
    revoke(bed.authorities, 'ops', robot.identity.peer, at)
    ops.spreading.speak()
    await until(() => host.held.get(robot.identity.peer)!.ended.aborted, 'and ends when it is taken back')
    const { book } = openAuthority(bed.authorities, 'ops')
    assert.ok(
      book.issued.every(({ subject }) => subject !== robot.identity.peer),
      'it is not issued anew any more'
    )
  })

  it('take in no grant that nobody here has let anybody sign', async () => {
    const [ops, alice] = [await bed.node('ops'), await bed.node('alice')]
    const at = ops.trust.now()
    const words = { id: 'x', subject: alice.identity.peer, email: 'a@b', allows: [{ capabilities: ['agency:hello' as const] }], at }
    const forged = sealGrant(alice.identity, { ...words, notBefore: at, expiry: at + 1_000 })
    assert.equal(claimedType(forged), GRANT_TYPE)
    assert.equal(ops.trust.take(forged), false)
    assert.equal(ops.trust.shown().length, 0)
  })
})
