/** Real daemons in network namespaces: what partitions, one-way lines, loss, stopped and killed processes do to a mesh. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import type { PeerInfo, RunInfo } from '../../src/node/control/contract.ts'
import { type ControlClient, controlClient } from '../../src/cli/control-client.ts'
import { encodeMessage } from '../../src/protocols/wire/codec.ts'
import { skip } from '../skip.ts'
import { slower } from '../system/busy.ts'
import { type Mesh, type MeshNode, mesh } from '../system/mesh.ts'
import { until } from '../system/mesh/process.ts'
import { type Network, openNetwork, unable } from './net/namespaces.ts'

const HOSTS = 5
/** From the end of a partition to equal states everywhere, in milliseconds: the figure. */
const HEALED_WITHIN_MS = 5_000
/** From the death of a peer to its neighbours knowing, in milliseconds: the figure. */
const NOTICED_WITHIN_MS = 5_000
/** Longest time to wait for anything, in milliseconds. */
const PATIENCE_MS = 60_000

const PROGRAM = `<cloudburst name="lab">
  <goalProto name="work"><method><shell><send>echo a</send></shell><shell><send>sleep 1</send></shell><shell><send>echo b</send></shell></method></goalProto>
</cloudburst>`

describe('five daemons on a network of their own', function () {
  this.timeout(120_000)
  let network: Network
  let m: Mesh
  const told: string[] = []
  const ended = new AbortController()

  before(async function () {
    const reason = unable()
    if (reason !== undefined) skip(this, reason)
    network = await openNetwork(HOSTS)
    m = await mesh(HOSTS, {
      started: false,
      place: number => ({ address: network.address(number), within: network.within(number) }),
      release: () => Promise.resolve(network.close())
    })
    await Promise.all(nodes().map(node => node.start()))
    await allUp()
  })
  afterEach(() => network?.heal())
  after(async () => {
    ended.abort()
    await m?.stop()
    network?.close()
    if (told.length > 0) console.log(`      ${told.join('; ')}; load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`)
  })

  const clients = new Map<string, ControlClient>()
  const client = ({ name, home }: MeshNode): ControlClient => {
    const known =
      clients.get(name) ?? controlClient({ socket: home.socket, home: home.base, signal: ended.signal, onWaiting: () => undefined })
    clients.set(name, known)
    return known
  }
  const nodes = (): readonly MeshNode[] => Array.from({ length: HOSTS }, (_, at) => m.node(at + 1))
  /** What a node knows of all, as far as it is the same everywhere. */
  const stateOf = async (node: MeshNode): Promise<string> => {
    const { value } = await client(node).agency().call('state', { path: 'nodes' }, { peer: node.peer, node: node.name })
    // The order of fields is nobody's business.
    return Buffer.from(encodeMessage(value ?? {})).toString('base64')
  }
  /** Milliseconds until `holds`, looked at often. */
  const timeTo = async (what: string, holds: () => Promise<boolean>): Promise<number> => {
    const began = performance.now()
    await until(what, holds, PATIENCE_MS)
    return Math.round(performance.now() - began)
  }
  const allUp = async (): Promise<void> => {
    const up = async (node: MeshNode): Promise<boolean> =>
      (await client(node).local('peers', {})).filter(({ status }) => status === 'up').length === HOSTS - 1
    await until('all are up for all', async () => (await Promise.all(nodes().map(up))).every(Boolean), PATIENCE_MS)
  }
  const agree = async (): Promise<boolean> => new Set(await Promise.all(nodes().map(stateOf))).size === 1
  const sees = async (node: MeshNode, name: string): Promise<string | undefined> =>
    (await client(node).local('peers', {})).find((peer: PeerInfo) => peer.name === name)?.status

  for (const seconds of [1, 12, 24]) {
    it(`heal from a partition of ${seconds} s to one state within ${HEALED_WITHIN_MS / 1000} s`, async () => {
      await until('all agree', agree, PATIENCE_MS)
      network.split([
        [1, 2],
        [3, 4, 5]
      ])
      // Both sides go on, and have something to tell.
      for (const number of [1, 4]) await m.node(number).json('pursue', 'inventory')
      await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
      network.heal()
      const took = await timeTo('all agree again', agree)
      told.push(`healed in ${took} ms after ${seconds} s`)
      assert.ok(took <= HEALED_WITHIN_MS * slower(), `it took ${took} ms`)
    })
  }

  it(`notice within ${NOTICED_WITHIN_MS / 1000} s that a host has lost its line`, async () => {
    network.plug(5, false)
    const took = await timeTo('n5 is not up at n1', async () => (await sees(m.node(1), 'n5')) !== 'up')
    told.push(`a dead line noticed in ${took} ms`)
    network.heal()
    await allUp()
    assert.ok(took <= NOTICED_WITHIN_MS * slower(), `it took ${took} ms`)
  })

  it(`notice within ${NOTICED_WITHIN_MS / 1000} s that a daemon was stopped, and go on with it when it continues`, async () => {
    process.kill(m.node(4).pid(), 'SIGSTOP')
    const took = await timeTo('n4 is not up at n1', async () => (await sees(m.node(1), 'n4')) !== 'up')
    process.kill(m.node(4).pid(), 'SIGCONT')
    told.push(`a stopped daemon noticed in ${took} ms`)
    await allUp()
    assert.ok(took <= NOTICED_WITHIN_MS * slower(), `it took ${took} ms`)
  })

  it('notice at once that a daemon was killed', async () => {
    await m.node(3).kill('SIGKILL')
    const took = await timeTo('n3 is not up at n1', async () => (await sees(m.node(1), 'n3')) !== 'up')
    await m.node(3).start()
    await allUp()
    told.push(`a killed daemon noticed in ${took} ms`)
    assert.ok(took <= NOTICED_WITHIN_MS * slower(), `it took ${took} ms`)
  })

  it('bring a goal to its end over a line that works one way only for a while', async () => {
    const program = `${m.directory}/lab.xml`
    writeFileSync(program, PROGRAM)
    assert.equal((await m.node(1).cli('load', program)).exit, 0)
    const said = m.node(1).begin('dispatch', 'work', '--peer', 'n2', '--program', 'lab')
    await until(
      'n2 has the goal',
      async () => (await m.node(2).json<readonly RunInfo[]>('goals')).some(({ goal }) => goal === 'work'),
      PATIENCE_MS
    )
    network.cut(2, 1)
    await new Promise(resolve => setTimeout(resolve, 3_000))
    network.heal()
    assert.equal((await said.ended).exit, 0)
    const [there] = (await m.node(2).json<readonly RunInfo[]>('goals')).filter(({ goal }) => goal === 'work')
    assert.equal(there?.status, 'completed')
    assert.equal((await m.node(1).goal(there!.id)).seq, there!.seq)
  })

  it('agree although a third of all packets to one of them is lost', async () => {
    network.lose(2, 33)
    await m.node(3).json('pursue', 'inventory')
    const took = await timeTo('all agree', agree)
    told.push(`agreed in ${took} ms with a third lost`)
  })
})
