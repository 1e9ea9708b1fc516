import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { open, seal } from '../../../src/crypto/dsse.ts'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { flatten, startPublisher } from '../../../src/node/state/publisher.ts'
import { watchState } from '../../../src/protocols/state/config-monitor.ts'
import { startGossip } from '../../../src/protocols/state/gossip.ts'
import { ENVELOPE_BYTES_MAX, RECORD_TYPE } from '../../../src/protocols/state/record.ts'
import { CHANGES_KEPT } from '../../../src/protocols/state/changes.ts'
import { openReplica, type Replica } from '../../../src/protocols/state/replica.ts'
import { stateHandler } from '../../../src/protocols/state/server.ts'
import { pullState } from '../../../src/protocols/state/client.ts'
import type { Dialer } from '../../../src/protocols/wire/channel.ts'
import type { Capability } from '../../../src/crypto/capability.ts'
import { callerWith } from '../../fakes/caller.ts'
import { dialerTo } from '../../fakes/channel-pair.ts'

const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) => wait(ms, undefined, signal === undefined ? {} : { signal })
}
const log = { debug: () => undefined, warn: () => undefined }
const set = (path: string, value: string | number) => ({ path, value: { value } })

function node(name: string): Replica {
  const identity = generateIdentity()
  return openReplica({
    self: identity.peer,
    name,
    boot: 1,
    nonce: 'aaaaaaaa',
    now: () => 1,
    id: () => 't',
    freshNonce: () => 'ffffffff',
    seal: payload => seal(identity, RECORD_TYPE, payload),
    open: envelope => open(envelope, RECORD_TYPE, ENVELOPE_BYTES_MAX)
  })
}

function dialerFor(replica: Replica, may: readonly Capability[] = ['state:read']): Dialer {
  return dialerTo(stateHandler(replica), callerWith(may), replica.self)
}

interface Mesh {
  readonly near: (at: number) => readonly (Replica | undefined)[]
  readonly announcementsArrive?: boolean
  readonly pullMs: number
  /** Whether node `at` asks `peer` in vain. */
  readonly hangs?: (at: number, peer: string) => boolean
}

/** Nodes with their neighbours; announcements reach all, or are lost. */
function meshOf(nodes: readonly Replica[], { near: nearTo, announcementsArrive = true, pullMs, hangs = () => false }: Mesh) {
  const topic = new Set<(bytes: Uint8Array, from: string) => void>()
  const stops = nodes.map((replica, at) => {
    const near = nearTo(at).filter(each => each !== undefined)
    const open: Dialer['open'] = async (peer, protocol, signal) => {
      if (hangs(at, peer)) await clock.sleep(60_000, signal)
      return await dialerFor(near.find(each => each.self === peer)!).open(peer, protocol, signal)
    }
    return startGossip({
      replica,
      clock,
      log,
      dialer: { open },
      pubsub: {
        publish: (_topic, bytes) => {
          if (announcementsArrive) for (const listener of topic) listener(bytes, replica.self)
        },
        subscribe: (_topic, listener) => {
          topic.add(listener)
          return () => topic.delete(listener)
        }
      },
      neighbours: () => near.map(({ self }) => self),
      onPeerUp: () => () => undefined,
      times: { announceMs: 2, pullMs, restMs: 5 }
    })
  })
  return { nodes, stop: () => Promise.all(stops.map(stop => stop())) }
}

/** Nodes in a row, each with its neighbours at both sides. */
function row(length: number, announcementsArrive: boolean) {
  const nodes = Array.from({ length }, (_, at) => node(`n${at}`))
  return meshOf(nodes, { near: at => [nodes[at - 1], nodes[at + 1]], announcementsArrive, pullMs: announcementsArrive ? 400 : 10 })
}

/** Three nodes that know one another; the last asks the first in vain. There are no regular pulls to speak of. */
function triangle() {
  const nodes = ['a', 'b', 'c'].map(node)
  const near = (at: number): readonly Replica[] => nodes.filter((_, other) => other !== at)
  return meshOf(nodes, { near, pullMs: 60_000, hangs: (at, peer) => at === 2 && peer === nodes[0]!.self })
}

async function agree(nodes: readonly Replica[]): Promise<void> {
  const end = AbortSignal.timeout(5_000)
  while (new Set(nodes.map(each => each.digest())).size > 1 || nodes[0]!.heads().length < nodes.length) {
    end.throwIfAborted()
    await wait(2)
  }
}

describe('gossip', () => {
  let stop = (): Promise<unknown> => Promise.resolve()
  afterEach(() => stop())

  it('brings what each of five nodes in a row publishes to all, by announcements', async () => {
    const mesh = row(5, true)
    const { nodes } = mesh
    stop = mesh.stop
    for (const [at, each] of nodes.entries()) each.publish([set('a', at)])
    await agree(nodes)
    nodes[0]!.publish([set('a', 'again')])
    await agree(nodes)
    assert.deepEqual(nodes[4]!.read('nodes.n0.a'), { value: 'again' })
  }).timeout(10_000)

  it('brings it to one that asks its origin in vain, from another node', async () => {
    const mesh = triangle()
    stop = mesh.stop
    mesh.nodes[0]!.publish([set('a', 1)])
    for (const each of mesh.nodes.slice(1)) each.publish([set('b', 1)])
    await agree(mesh.nodes)
  })

  it('brings it to all although every announcement is lost', async () => {
    const mesh = row(4, false)
    const { nodes } = mesh
    stop = mesh.stop
    for (const [at, each] of nodes.entries()) each.publish([set('a', at)])
    await agree(nodes)
  }).timeout(10_000)
})

describe('a pull of state', () => {
  it('is denied without state:read, and tells nothing', async () => {
    const [one, two] = [node('one'), node('two')]
    one.publish([set('a', 1)])
    await assert.rejects(pullState(dialerFor(one, []), one.self, two, AbortSignal.timeout(1_000)), { code: 'CB_DENIED' })
    assert.deepEqual(two.heads(), [])
  })

  it('takes more than one message when there is much', async () => {
    const [one, two] = [node('one'), node('two')]
    one.publish(Array.from({ length: 100 }, (_, at) => set(`v${at}`, 'x'.repeat(4_000))))
    const applied = await pullState(dialerFor(one), one.self, two, AbortSignal.timeout(5_000))
    assert.ok(applied > 5)
    assert.equal(two.digest(), one.digest())
  })

  it('is two messages where there is nothing to pull, whoever would be first', async () => {
    const [one, two] = [node('one'), node('two')]
    let asked = 0
    const missing: Replica['missing'] = (...have) => {
      asked++
      return one.missing(...have)
    }
    const dialer = dialerTo(stateHandler({ ...one, missing }), callerWith(['state:read']), one.self)
    const compare = async (): Promise<number> => pullState(dialer, one.self, two, AbortSignal.timeout(1_000), { compare: true })
    one.publish([set('a', 1)])
    assert.deepEqual([await compare(), asked], [1, 1])
    assert.deepEqual([await compare(), asked], [0, 1])
    one.publish([set('a', 2)])
    assert.deepEqual([await compare(), asked], [1, 2])
    two.publish([set('b', 1)])
    assert.deepEqual([await compare(), asked], [0, 3])
    assert.equal(await pullState(dialerFor(two), two.self, one, AbortSignal.timeout(1_000), { compare: true }), 1)
    assert.equal(one.headsPrint(), two.headsPrint())
  })

  it('ends at a record that is not genuine and keeps those before it', async () => {
    const [one, two] = [node('one'), node('two')]
    one.publish([set('a', 1)])
    const lying = {
      ...one,
      missing: () => ({ envelopes: [...one.missing([]).envelopes, Buffer.from('{}')], proofs: [], forgets: [] })
    }
    const dialer = dialerTo(stateHandler(lying), callerWith(['state:read']), one.self)
    await assert.rejects(pullState(dialer, one.self, two, AbortSignal.timeout(1_000)), { code: 'CB_SIGNATURE_INVALID' })
    assert.deepEqual(two.read('nodes.one.a'), { value: 1 })
  })
})

describe('ConfigMonitor', () => {
  it('gives the value now, then every change below it and no other', async () => {
    const one = node('one')
    one.publish([set('agents.web.status', 'running'), set('host.cpus', 2)])
    const stop = new AbortController()
    const watched = watchState(one, 'nodes.one.agents', stop.signal)
    assert.deepEqual((await watched.next()).value?.value, { fields: { web: { fields: { status: { value: 'running' } } } } })
    one.publish([set('host.cpus', 4)])
    one.publish([set('agents.web.status', 'stopped')])
    one.publish([{ path: 'agents.web.status' }])
    const [changed, removed] = [(await watched.next()).value, (await watched.next()).value]
    assert.deepEqual([changed?.path, changed?.value], ['nodes.one.agents.web.status', { value: 'stopped' }])
    assert.deepEqual([removed?.path, removed?.value], ['nodes.one.agents.web.status', undefined])
    stop.abort()
    assert.equal((await watched.next()).done, true)
  })

  it('goes on from a cursor without gap or repeat, and from the whole value when the cursor is too old', async () => {
    const one = node('one')
    one.publish([set('a', 1)])
    const never = new AbortController().signal
    const cursor = (await watchState(one, 'nodes', never).next()).value!.cursor
    one.publish([set('a', 2)])
    assert.deepEqual((await watchState(one, 'nodes', never, cursor).next()).value?.path, 'nodes.one.a')
    for (let at = 0; at <= 2 * CHANGES_KEPT; at++) one.publish([set('a', at + 3)])
    assert.deepEqual((await watchState(one, 'nodes', never, cursor).next()).value?.path, 'nodes')
    assert.deepEqual((await watchState(one, 'nodes', never, 'other.1').next()).value?.path, 'nodes')
  })
})

describe('a publisher', () => {
  const snapshot = {
    peer: 'p',
    version: '1',
    labels: { os: 'linux' },
    addresses: [],
    host: {},
    programs: [{ name: 'site', hash: 'h' }],
    agents: [{ name: 'web', program: 'site', status: 'running', variables: { count: { value: 1 }, big: { value: 'x'.repeat(20_000) } } }],
    goals: Array.from({ length: 300 }, (_, at) => ({ id: `g${at}`, goal: 'publish', status: 'completed' as const }))
  }

  it('publishes at once, then the difference, and many changes as one', async () => {
    const one = node('one')
    let now = snapshot
    let asked = 0
    const ask = () => {
      asked++
      return now
    }
    const publisher = startPublisher({ replica: one, snapshot: () => ask(), clock, log })
    await publisher.stop()
    assert.deepEqual(one.read('nodes.one.agents.web.variables.count'), { value: 1 })
    const again = startPublisher({ replica: one, snapshot: () => ask(), clock, log })
    now = { ...snapshot, agents: [] }
    for (let at = 0; at < 100; at++) again.changed()
    await again.stop()
    assert.equal(one.read('nodes.one.agents'), undefined)
    assert.deepEqual(one.read('nodes.one.labels.os'), { value: 'linux' })
    assert.equal(asked, 2)
    assert.equal(one.heads()[0]!.boot, 1)
  })

  it('says when what has changed so far is published', async () => {
    const one = node('one')
    let now = snapshot
    const publisher = startPublisher({ replica: one, snapshot: () => now, clock, log })
    await publisher.published()
    assert.deepEqual(one.read('nodes.one.agents.web.status'), { value: 'running' })
    now = { ...snapshot, agents: [{ ...snapshot.agents[0]!, status: 'stopped' }] }
    publisher.changed()
    await publisher.published()
    assert.deepEqual(one.read('nodes.one.agents.web.status'), { value: 'stopped' })
    await publisher.published()
    await publisher.stop()
  })

  it('leaves out what is too large or too much', () => {
    const all = flatten(snapshot)
    assert.deepEqual(all.get('agents.web.variables.big')?.type, 'omitted')
    assert.equal([...all.keys()].filter(path => path.startsWith('goals.')).length, 200)
  })
})
