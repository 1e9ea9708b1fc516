/** Real daemons that are far from one another, with clocks that do not agree. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerInfo } from '../../src/node/control/contract.ts'
import { skip } from '../skip.ts'
import { type Mesh, mesh } from '../system/mesh.ts'
import { until } from '../system/mesh/process.ts'
import { clockEnvironment, hasFaketime, setClock } from './crash/faults.ts'
import { type Network, openNetwork, unableSlowly } from './net/namespaces.ts'

/** Of every packet, in milliseconds: a round trip is twice that. */
const DELAY_MS = 40
const JITTER_MS = 10

describe('three daemons on other continents, one with a clock that is three hours fast, one a day slow', function () {
  this.timeout(120_000)
  let network: Network
  let m: Mesh
  const clocks = mkdtempSync(join(tmpdir(), 'cb-clocks-'))
  const clock = (name: string): string => join(clocks, name)

  before(async function () {
    const reason = unableSlowly() ?? (hasFaketime() ? undefined : 'clocks of single processes need faketime')
    if (reason !== undefined) skip(this, reason)
    // Made once: each call sets the clock right.
    const environments = new Map(['n2', 'n3'].map(name => [name, clockEnvironment(clock(name))]))
    network = await openNetwork(3, true)
    network.delay(DELAY_MS, JITTER_MS)
    m = await mesh(3, {
      started: false,
      place: number => ({ address: network.address(number), within: network.within(number) }),
      env: name => environments.get(name) ?? {},
      release: () => Promise.resolve(network.close())
    })
    await Promise.all([1, 2, 3].map(number => m.node(number).start()))
    await m.up()
    setClock(clock('n2'), '+3h')
    setClock(clock('n3'), '-1d')
  })
  after(async () => {
    await m?.stop()
    network?.close()
    rmSync(clocks, { recursive: true, force: true })
  })

  it('are as far from one another as their lines are long', async () => {
    await until('n1 has measured', async () => {
      const peers = await m.node(1).json<readonly PeerInfo[]>('peers')
      const trips = peers.flatMap(({ roundTripMs }) => (roundTripMs === undefined ? [] : [roundTripMs]))
      return trips.length === 2 && trips.every(trip => trip >= 2 * DELAY_MS)
    })
  })

  it('know the same of one another', async () => {
    assert.equal((await m.node(3).cli('state', 'set', 'nodes.n2.shared.colour=blue')).exit, 0)
    await until('all know', async () => {
      const said = await Promise.all([1, 2, 3].map(number => m.node(number).cli('state', 'get', 'nodes.n2.shared.colour')))
      return said.every(({ stdout }) => stdout.includes('blue'))
    })
  })

  it('refuse a goal while their clocks are apart, and say so; a few seconds do not matter', async () => {
    for (const [offset, exit, says] of [
      ['+3h', 6, /from another time, by this node's clock/],
      ['+30', 1, /the clocks of the two nodes are apart/],
      ['+2', 0, /completed/]
    ] as const) {
      setClock(clock('n2'), offset)
      const said = await m.node(1).cli('dispatch', 'inventory', '--peer', 'n2')
      assert.equal(said.exit, exit, `${offset}: ${said.stdout}${said.stderr}`)
      assert.match(said.stdout + said.stderr, says)
    }
  })
})
