/** Trust between real daemons: nobody's permit is lent to somebody else, and what has gone has gone in the middle of things too. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Capability } from '../../src/crypto/capability.ts'
import type { PeerInfo, RunInfo } from '../../src/node/control/contract.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { addPermit } from '../../src/node/permissions/permissions.ts'
import { until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { FOREVER, type Mesh, mesh } from './mesh.ts'

/** A stream that is open ends this soon after the right to it has gone, in milliseconds. */
const STREAM_ENDS_WITHIN_MS = 5_000

function permit(
  m: Mesh,
  host: number,
  guest: number,
  capabilities: readonly Capability[],
  more: { readonly goals?: readonly string[] } = {}
): void {
  const { home } = m.node(host)
  const { peer, name } = m.node(guest)
  addPermit(home.permissions, { email: `${name}@example.org`, peer, capabilities, lifetime: FOREVER, ...more })
}

/** Takes every permit of a guest out of a host's file. */
function forbid(m: Mesh, host: number, guest: number): void {
  const file = m.node(host).home.permissions
  const text = readFileSync(file, 'utf8')
  const permits = /\n *<permit[^>]*\/>/g
  writeFileSync(
    file,
    text.replace(permits, element => (element.includes(m.node(guest).peer) ? '' : element))
  )
}

/** n1 asks, n2 is asked and sends on, n3 pursues: n1 and n2 permit and are permitted, n2 and n3 too; n1 is nobody at n3. */
describe('a node that is asked by somebody to ask another one', function () {
  this.timeout(90_000)
  let m: Mesh
  before(async () => {
    const strangers = (host: string, guest: string): boolean => host === 'n3' && guest === 'n1'
    m = await mesh(3, { permits: (host, guest) => (strangers(host, guest) ? undefined : { capabilities: TICKET_CAPABILITIES }) })
  })
  after(() => m?.stop())

  it('does not repair or cancel there for whoever may not', async () => {
    const job = work(m.directory, 'repair', { open: true })
    const [id = ''] = (
      await m.node(2).cli('dispatch', ...job.words, 'goal.word=wrong', '--peer', 'n3', '--detach', '-o', 'name')
    ).stdout.split('\n')
    await m.node(2).goal(id)
    const before = job.ran().length
    for (const words of [
      ['repair', id, '--set', 'goal.word=right', '--detach'],
      ['repair', id, '--set', 'goal.word=right', '--plan'],
      ['cancel', id]
    ]) {
      const said = await m.node(1).cli(...words, '--peer', 'n2')
      assert.equal(said.exit, 6, `${words.join(' ')}: ${said.stdout}${said.stderr}`)
      assert.match(said.stderr, /through n2/)
    }
    assert.equal(job.ran().length, before)
    assert.equal((await m.node(3).json<RunInfo>('goal', id)).status, 'suspended')
    assert.match(readFileSync(m.node(3).home.auditLog, 'utf8'), new RegExp(`${m.node(1).peer}.*through n2`))
  })

  it('does it for whoever may', async () => {
    const job = work(m.directory, 'permitted', { open: true })
    const [id = ''] = (
      await m.node(2).cli('dispatch', ...job.words, 'goal.word=wrong', '--peer', 'n3', '--detach', '-o', 'name')
    ).stdout.split('\n')
    await m.node(2).goal(id)
    permit(m, 3, 1, ['goal:repair'])
    const said = await until('n3 knows of the permit', async () => {
      const tried = await m.node(1).cli('repair', id, '--set', 'goal.word=right', '--detach', '--peer', 'n2')
      return tried.exit !== 6 && tried
    })
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.equal((await m.node(2).goal(id, run => run.status === 'completed')).status, 'completed')
    forbid(m, 3, 1)
  })

  it('does not send it sub-goals for whoever may not', async () => {
    const touched = join(m.directory, 'touched')
    const file = join(m.directory, 'relay.xml')
    writeFileSync(
      file,
      `<cloudburst name="relay">
  <goalProto name="relay"><method name="there"><goalCompleted name="touch" peer="n3"/></method></goalProto>
  <goalProto name="touch"><method name="here"><shell><send name="touch">touch ${touched}</send></shell></method></goalProto>
</cloudburst>`
    )
    const said = await m.node(1).cli('dispatch', 'relay', '--program', file, '--peer', 'n2', '--detach', '-o', 'name')
    const [id = ''] = said.stdout.split('\n')
    const run = await m.node(1).goal(id)
    assert.equal(run.status, 'suspended')
    assert.match(run.suspended?.reason ?? '', /denied.*through n2/)
    assert.ok(!existsSync(touched))
    permit(m, 3, 1, ['goal:dispatch', 'program:load'])
    await until('n3 knows of the permit', async () => {
      await m.node(1).cli('repair', id, '--retry', '--peer', 'n2', '--detach')
      return (await m.node(1).goal(id)).status === 'completed'
    })
    assert.ok(existsSync(touched))
  })
})

describe('a right that goes in the middle of things', function () {
  this.timeout(90_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('ends what is being followed, and lets the goal wait at its next step with all it has', async () => {
    const job = work(m.directory, 'gone')
    const [id = ''] = (await m.node(1).cli('dispatch', ...job.words, '--peer', 'n2', '--detach', '-o', 'name')).stdout.split('\n')
    await job.waits()
    const reader = m.node(1).begin('logs', id, '--follow', '--peer', 'n2')
    await reader.says(/first/)
    const from = Date.now()
    forbid(m, 2, 1)
    await until('n2 ends the stream', () => /deni|away|reach/.test(reader.stderr) || reader.stdout.includes('denied'))
    const after = Date.now() - from
    console.log(`      the stream ended ${after} ms after its permit was removed`)
    assert.ok(after <= STREAM_ENDS_WITHIN_MS, `${after} ms`)
    reader.signal('SIGKILL')
    job.open()
    const run = await m.node(2).goal(id, ({ status }) => status === 'suspended')
    assert.equal(run.suspended?.code, 'denied', JSON.stringify(run.suspended))
    assert.match(run.suspended?.reason ?? '', /no permit is bound to/)
    assert.deepEqual(job.ran(), ['first', 'middle'])
    const said = await m.node(2).cli('repair', id, '--retry')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
  })
})

describe('a person with a key of their own', function () {
  this.timeout(90_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('is asked for besides the node, once somebody has granted them anything', async () => {
    const [laptop, host] = [m.node(1), m.node(2)]
    const job = work(m.directory, 'person', { open: true })
    const { person } = await laptop.json<{ readonly person: string }>('identity', 'show', '--person')
    await laptop.restart()
    assert.equal((await laptop.cli('dispatch', ...job.words, '--peer', 'n2')).exit, 0, 'a key alone changes nothing')

    const { element } = await host.json<{ readonly element: string }>('authority', 'init', 'ops')
    const text = readFileSync(host.home.permissions, 'utf8')
    const ceiling = element.replace('/>', ' capability="agency:hello agency:inspect goal:dispatch"/>')
    writeFileSync(host.home.permissions, text.replace('</permissions>', `${ceiling}</permissions>`))
    const granted = async (...capabilities: readonly Capability[]): Promise<void> => {
      const words = capabilities.flatMap(capability => ['--capability', capability])
      const { stdout } = await host.cli('authority', 'certify', 'ops', 'ann@example.org', '--key', person, ...words)
      const file = join(m.directory, `${capabilities.length}.grant`)
      writeFileSync(file, stdout)
      assert.equal((await laptop.cli('grant', 'add', file)).exit, 0)
    }
    await granted('agency:hello', 'agency:inspect')
    const before = job.ran().length
    const said = await laptop.cli('dispatch', ...job.words, '--peer', 'n2', '--timeout', '5s')
    assert.equal(said.exit, 6, said.stdout + said.stderr)
    assert.match(said.stdout + said.stderr, /no permit of ann@example.org has goal:dispatch, through n1/)
    assert.equal(job.ran().length, before)
    await granted('agency:hello', 'agency:inspect', 'goal:dispatch')
    await until('n2 knows of the grant', async () => (await laptop.cli('dispatch', ...job.words, '--peer', 'n2')).exit === 0)
  })
})

describe('a node with a new key', function () {
  this.timeout(90_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('goes on with what its old one was permitted', async () => {
    const [node, host] = [m.node(1), m.node(2)]
    const job = work(m.directory, 'rotated', { open: true })
    const { from, to, told } = await node.json<{ readonly from: string; readonly to: string; readonly told: number }>('identity', 'rotate')
    assert.equal(told, 1)
    assert.equal((await node.cli('identity', 'rotate')).exit, 64, 'one key waits already')
    const neighborhood = readFileSync(host.home.neighborhood, 'utf8')
    assert.ok(neighborhood.includes(from))
    await node.restart()
    const { peer } = await node.json<{ readonly peer: string }>('identity', 'show')
    assert.equal(peer, to)
    const isUp = (info: PeerInfo): boolean => info.peer === to && info.status === 'up' && info.static
    await until('the host dials its new key', async () => (await host.json<readonly PeerInfo[]>('peers')).some(isUp))
    assert.equal(readFileSync(host.home.neighborhood, 'utf8'), neighborhood, 'nothing is written behind its back')
    assert.match(host.log(), new RegExp(`put id=.{0,2}${to}`))
    await until('it is let in with its new key', async () => (await node.cli('dispatch', ...job.words, '--peer', 'n2')).exit === 0)
    assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
  })
})
