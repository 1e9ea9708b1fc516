import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { CloudburstError } from '../../src/errors.ts'
import { RETRY_FIRST_MS } from '../../src/node/mesh/limits.ts'
import { checkAudit } from '../../src/node/permissions/audit-log.ts'
import { addPending, parseTicket, ticketText } from '../../src/node/joining/tickets.ts'
import type { Caller, Channel } from '../../src/protocols/wire/channel.ts'
import { Testbed, type TestNode, until, up } from './mesh/testbed.ts'
import { slower } from '../system/busy.ts'

const ECHO = '/test/echo/1'
const HOLD = '/test/hold/1'
/** More neighbours than gossipsub passes on to by itself, which is twelve. */
const LEAVES = 16
/** After which gossipsub tells those whom it does not pass on to, in milliseconds. */
const HEARTBEAT_MS = 1_000

/** Serves ECHO (needs agency:hello) and counts the calls that passed. */
function serveEcho(node: TestNode): { calls: number; callers: Caller[] } {
  const seen = { calls: 0, callers: [] as Caller[] }
  node.mesh.handle(ECHO, async (channel, caller) => {
    caller.require('agency:hello')
    seen.calls++
    seen.callers.push(caller)
    for (let message = await channel.read(); message !== undefined; message = await channel.read()) await channel.write(message)
  })
  return seen
}

async function echo(from: TestNode, to: TestNode): Promise<unknown> {
  const channel = await from.mesh.open(to.identity.peer, ECHO)
  await channel.write('hello')
  const answer = await channel.read()
  await channel.finish()
  return answer
}

function status(node: TestNode, other: TestNode): string | undefined {
  return node.mesh.peers().find(({ peer }) => peer === other.identity.peer)?.status
}

function coded(code: string): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === code
}

describe('a mesh', function () {
  this.timeout(15_000)
  let bed: Testbed
  beforeEach(() => {
    bed = new Testbed()
  })
  afterEach(() => bed.close())

  /** `a` knows `b`, which permits it nothing yet. */
  async function strangers(): Promise<[TestNode, TestNode]> {
    const [a, b] = [await bed.node('a'), await bed.node('b')]
    await b.start()
    a.knows(b)
    await a.start()
    return [a, b]
  }

  it('connects nodes that know and permit one another, and carries messages between them', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const seen = serveEcho(b)
    assert.equal(await echo(a, b), 'hello')
    assert.deepEqual({ node: seen.callers[0]?.node, email: seen.callers[0]?.email }, { node: 'a', email: 'node@a' })
    const about = a.mesh.peers()[0]!
    assert.deepEqual(
      { name: about.name, labels: about.labels, version: about.version, static: about.static, mayThere: about.mayThere, may: about.may },
      {
        name: 'b',
        labels: { os: process.platform, arch: process.arch, test: 'b' },
        version: '0.0.1',
        static: true,
        mayThere: ['agency:hello', 'goal:dispatch'],
        may: ['agency:hello', 'goal:dispatch']
      }
    )
  })

  it('hands an error of a handler to the peer as the last frame', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    b.mesh.handle(HOLD, async (_channel, caller) => caller.require('node:shell'))
    const channel = await a.mesh.open(b.identity.peer, HOLD)
    const answer = (await channel.read()) as { type: string; error: { code: string; message: string } }
    assert.deepEqual([answer.type, answer.error.code], ['error', 'CB_DENIED'])
    assert.match(answer.error.message, /no permit of node@a has node:shell/)
    assert.equal(await channel.read(), undefined)
  })

  it('drops a peer without a permit after the handshake and serves it nothing', async () => {
    const [a, b] = await strangers()
    const seen = serveEcho(b)
    await assert.rejects(echo(a, b), coded('CB_DENIED'))
    await until(() => status(a, b) === 'denied', 'a sees that it is denied')
    assert.equal(seen.calls, 0)
    assert.equal(b.mesh.peers().length, 0)
    assert.match(
      readFileSync(b.home.auditLog, 'utf8'),
      new RegExp(`"decision":"deny","reason":"no permit holds for it.*|${a.identity.peer}`)
    )
    assert.ok(checkAudit(b.home.auditLog).lines > 0)
  })

  it('denies a peer whose permit is over', async () => {
    const [a, b] = await strangers()
    b.permit(a, ['agency:hello'], '2020-01-01/2021-01-01')
    await assert.rejects(echo(a, b), coded('CB_DENIED'))
  })

  it('lets a denied neighbour in once a permit is there, without a restart', async () => {
    const [a, b] = await strangers()
    await until(() => status(a, b) === 'denied', 'denied at first')
    b.permit(a, ['agency:hello'])
    serveEcho(b)
    assert.equal(await echo(a, b), 'hello')
    assert.equal(status(a, b), 'up')
  })

  it('ends open channels when their permit is removed, saying why, and lets nothing more through', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const seen = serveEcho(b)
    const channel = await a.mesh.open(b.identity.peer, ECHO)
    await channel.write(1)
    assert.equal(await channel.read(), 1)
    const began = Date.now()
    writeFileSync(b.home.permissions, '<permissions/>')
    const last = (await channel.read()) as { type?: string; error?: { code: string } } | undefined
    assert.equal(last?.error?.code, 'CB_DENIED')
    assert.ok(Date.now() - began < 5_000)
    assert.ok(seen.callers[0]?.ended.aborted)
    assert.throws(() => seen.callers[0]?.require('agency:hello'), coded('CB_DENIED'))
    await assert.rejects(echo(a, b), coded('CB_DENIED'))
  })

  it('keeps channels when a permit is only added', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const seen = serveEcho(b)
    const channel = await a.mesh.open(b.identity.peer, ECHO)
    await channel.write(1)
    await channel.read()
    b.permit(a, ['node:shell'])
    seen.callers[0]?.require('node:shell')
    await channel.write(2)
    assert.equal(await channel.read(), 2)
  })

  it('keeps the old permissions when the new ones are bad', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    serveEcho(b)
    writeFileSync(b.home.permissions, '<permissions><permitt/></permissions>')
    assert.throws(() => b.permissions.reload(), coded('CB_PERMISSIONS_INVALID'))
    assert.equal(await echo(a, b), 'hello')
  })

  it('ends a session with the time that its permit gives it', async () => {
    const [a, b] = await strangers()
    b.permit(a, ['agency:hello'], 'PT2S')
    const seen = serveEcho(b)
    const channel = await a.mesh.open(b.identity.peer, ECHO)
    await channel.write(1)
    await channel.read()
    await until(() => seen.callers[0]?.ended.aborted === true, 'the session is over', 5_000)
    assert.equal(await echo(a, b), 'hello', 'a new session is another two seconds')
  })

  it('is not kept from a listed peer by two hundred silent sockets', async () => {
    const b = await bed.node('b')
    const a = await bed.node('a')
    await b.start()
    b.permit(a, ['agency:hello'])
    const silent: Socket[] = Array.from({ length: 200 }, () => createConnection(b.port, '127.0.0.1'))
    for (const socket of silent) socket.on('error', () => undefined)
    await Promise.all(silent.map(socket => once(socket, 'connect')))
    const began = Date.now()
    a.knows(b)
    await a.start()
    await up(a, b)
    assert.ok(Date.now() - began < 2_000 * slower(), `${Date.now() - began} ms`)
    for (const socket of silent) socket.destroy()
  })

  it('comes back to a peer that was restarted', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    await b.stop()
    await until(() => status(a, b) !== 'up', 'a sees that b is gone')
    await b.start()
    await Promise.all([up(a, b), up(b, a)])
    assert.ok(RETRY_FIRST_MS > 0)
  })

  it('tells a reader that its peer has gone in the middle of a stream', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const opened = new Promise<Channel>(resolve => {
      b.mesh.handle(HOLD, async channel => {
        resolve(channel)
        await channel.write('first')
        await once(channel.closed, 'abort')
      })
    })
    const channel = await a.mesh.open(b.identity.peer, HOLD)
    assert.equal(await channel.read(), 'first')
    await opened
    await b.stop()
    await assert.rejects(channel.read(), coded('CB_PEER_UNREACHABLE'))
    await assert.rejects(channel.write('x'), coded('CB_PEER_UNREACHABLE'))
    assert.ok(channel.closed.aborted)
  })

  it('holds little for a slow reader, and stops the writer', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const opened = new Promise<Channel>(resolve => {
      b.mesh.handle(HOLD, async channel => {
        resolve(channel)
        await once(channel.closed, 'abort')
      })
    })
    const channel = await a.mesh.open(b.identity.peer, HOLD)
    const slow = await opened
    const block = new Uint8Array(64 * 1024)
    let blocks = 0
    let stuck = false
    const writing = (async () => {
      for (; blocks < 640; blocks++) {
        const wrote = channel.write(block)
        stuck = true
        await wrote
        stuck = false
      }
      await channel.finish()
    })()
    let before = -1
    let same = 0
    await until(() => {
      same = stuck && blocks === before ? same + 1 : 0
      before = blocks
      return same === 50
    }, 'the writer waits, and goes on waiting')
    assert.ok(blocks < 160, `${blocks} blocks of 64 KiB are under way, of which nobody has read one`)
    let read = 0
    while ((await slow.read()) !== undefined) read++
    await writing
    assert.equal(read, 640)
  })

  it('passes news on, and tells who handed them over', async () => {
    const [a, b] = (await bed.connected('a', 'b')) as [TestNode, TestNode]
    const heard = new Promise<[string, string]>(resolve =>
      b.mesh.pubsub.subscribe('news', (bytes, from) => resolve([Buffer.from(bytes).toString(), from]))
    )
    a.mesh.pubsub.subscribe('news', () => undefined)
    const again = setInterval(() => void a.mesh.pubsub.publish('news', Buffer.from('rain')), 100)
    assert.deepEqual(await heard.finally(() => clearInterval(again)), ['rain', a.identity.peer])
  })

  it('passes news on at once to each of many neighbours that know nobody else', async () => {
    const hub = await bed.node('hub')
    const leaves = await Promise.all(Array.from({ length: LEAVES }, (_, number) => bed.node(`leaf${number}`)))
    await hub.start()
    const heard = new Map<string, number>()
    hub.mesh.pubsub.subscribe('news', () => undefined)
    for (const leaf of leaves) {
      leaf.mesh.pubsub.subscribe('news', bytes => heard.set(`${leaf.name} ${Buffer.from(bytes)}`, performance.now()))
      hub.permit(leaf, ['agency:hello'])
      leaf.permit(hub, ['agency:hello'])
      leaf.knows(hub)
    }
    await Promise.all(leaves.map(leaf => leaf.start()))
    await Promise.all(leaves.map(leaf => up(leaf, hub)))
    const tell = async (news: string): Promise<number> => {
      const [teller, ...others] = leaves as [TestNode, ...TestNode[]]
      const began = performance.now()
      await teller.mesh.pubsub.publish('news', Buffer.from(news))
      await until(() => others.every(({ name }) => heard.has(`${name} ${news}`)), `${news} is heard by all`)
      return Math.max(...others.map(({ name }) => heard.get(`${name} ${news}`)!)) - began
    }
    // Until each has found its way to the hub: some heartbeats, before which news are lost.
    const again = setInterval(() => void leaves[0]!.mesh.pubsub.publish('news', Buffer.from(`early ${heard.size}`)), 100)
    await until(() => leaves.slice(1).every(({ name }) => [...heard.keys()].some(key => key.startsWith(`${name} `))), 'the hub passes on')
    clearInterval(again)
    const times: number[] = []
    for (const news of ['rain', 'hail', 'snow', 'fog']) times.push(await tell(news))
    assert.ok(Math.max(...times) < HEARTBEAT_MS * 0.3 * slower(), `heard after ${times.map(Math.round)} ms`)
  })

  it('finds peers by name, labels, id, address and all at once', async () => {
    const [a, b, c] = (await bed.connected('a', 'b', 'c')) as [TestNode, TestNode, TestNode]
    const names = (selector: string): string[] => a.mesh.find(selector).map(({ name }) => name)
    assert.deepEqual(names('b'), ['b'])
    assert.deepEqual(names('a'), ['a'])
    assert.deepEqual(names('test=c'), ['c'])
    assert.deepEqual(names('*'), ['b', 'c'])
    assert.deepEqual(names(c.identity.peer.slice(0, 20)), ['c'])
    assert.deepEqual(names(c.identity.peer.slice(8, 18)), ['c'])
    assert.deepEqual(names(b.mesh.addresses()[0]!), ['b'])
    assert.throws(() => a.mesh.find('bb'), /no peer is named bb/)
    assert.throws(() => a.mesh.find('12D3KooW'), coded('CB_PEER_UNKNOWN'))
    assert.throws(() => a.mesh.find('/ip4/127.0.0.1/tcp/1'), /who is there/)
  })

  it('says which address is taken', async () => {
    const [a, b] = [await bed.node('a'), await bed.node('b')]
    await a.start()
    await b.stop()
    b.port = a.port
    await assert.rejects(b.start(), coded('CB_PORT_TAKEN'))
  })

  describe('with a ticket', () => {
    it('makes two nodes know and permit each other', async () => {
      const [host, guest] = [await bed.node('host'), await bed.node('guest')]
      await host.start()
      const ticket = await host.tickets.issue({ capabilities: ['agency:hello'], email: 'ops@example.org' })
      await guest.start()
      addPending(guest.home.tickets, parseTicket(ticketText(ticket)))
      await Promise.all([up(host, guest), up(guest, host)])
      const seen = serveEcho(host)
      serveEcho(guest)
      assert.equal(await echo(guest, host), 'hello')
      assert.equal(await echo(host, guest), 'hello')
      assert.equal(seen.callers[0]?.email, 'ops@example.org')
      assert.equal(readFileSync(guest.home.tickets, 'utf8').trim(), '[]')
    })

    it('gives a stranger without one a refusal and nothing else', async () => {
      const [host, stranger] = [await bed.node('host'), await bed.node('stranger')]
      await host.start()
      const seen = serveEcho(host)
      await host.tickets.issue({})
      stranger.knows(host)
      await stranger.start()
      await assert.rejects(echo(stranger, host), coded('CB_DENIED'))
      await until(() => status(stranger, host) === 'denied', 'denied')
      assert.equal(seen.calls, 0)
      assert.equal(host.mesh.peers().length, 0)
    })

    it('refuses one that was used by another node', async () => {
      const [host, first, second] = [await bed.node('host'), await bed.node('first'), await bed.node('second')]
      await host.start()
      const ticket = await host.tickets.issue({})
      await host.tickets.issue({})
      addPending(first.home.tickets, ticket)
      await first.start()
      await up(first, host)
      addPending(second.home.tickets, ticket)
      await second.start()
      await until(() => readFileSync(second.home.tickets, 'utf8').trim() === '[]', 'the ticket is dropped')
      assert.equal(status(host, second), undefined)
      assert.equal(readFileSync(host.home.permissions, 'utf8').includes(second.identity.peer), false)
    })
  })
})
