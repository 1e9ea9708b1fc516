import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Capability } from '../../src/crypto/capability.ts'
import type { ProgramInfo, RunInfo } from '../../src/node/control/contract.ts'
import { addPermit } from '../../src/node/permissions/permissions.ts'
import { TICKET_CAPABILITIES } from '../../src/node/joining/tickets.ts'
import { until } from './mesh/process.ts'
import { work } from './mesh/program.ts'
import { FOREVER, type Mesh, type MeshNode, mesh, type Permitted } from './mesh.ts'

const OVER = '2020-01-01T00:00:00Z/2021-01-01T00:00:00Z'

function without(...capabilities: readonly Capability[]): readonly Capability[] {
  return TICKET_CAPABILITIES.filter(each => !capabilities.includes(each))
}

/** What n1 permits each of the others. */
const guests: Readonly<Record<string, Permitted | undefined>> = {
  n2: undefined,
  n3: { capabilities: TICKET_CAPABILITIES, lifetime: OVER },
  n4: { capabilities: without('goal:dispatch') },
  n5: { capabilities: without('program:load') }
}

async function nothingHappenedAt(node: MeshNode, ran: () => readonly string[]): Promise<void> {
  assert.deepEqual(await node.json<readonly RunInfo[]>('goals'), [])
  const programs = await node.json<readonly ProgramInfo[]>('programs')
  assert.deepEqual(
    programs.filter(({ shipped }) => !shipped),
    []
  )
  assert.deepEqual(ran(), [])
}

describe('a dispatch', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(5, { permits: (host, guest) => (host === 'n1' ? guests[guest] : { capabilities: TICKET_CAPABILITIES }) })
  })
  after(() => m?.stop())

  const refusals = [
    { who: 'without a permit', from: 2, why: /no permit/ },
    { who: 'whose permit is over', from: 3, why: /permit/ },
    { who: 'whose permit has not goal:dispatch', from: 4, why: /goal:dispatch/ },
    { who: 'who may not load the program, which is not known there,', from: 5, why: /program:load/ }
  ]
  for (const { who, from, why } of refusals) {
    it(`of a peer ${who} is refused and has no effect`, async () => {
      const job = work(m.directory, `refused-${from}`, { open: true })
      const said = await m.node(from).cli('dispatch', ...job.words, '--peer', 'n1', '--timeout', '5s')
      assert.equal(said.exit, 6, said.stdout + said.stderr)
      assert.match(said.stdout + said.stderr, why)
      await nothingHappenedAt(m.node(1), job.ran)
      assert.match(readFileSync(m.node(1).home.auditLog, 'utf8'), new RegExp(`${m.node(from).peer}.*"deny"|"deny".*${m.node(from).peer}`))
    })
  }

  it('is let through once its permit is there, without a restart of either', async () => {
    const [host, guest] = [m.node(1), m.node(2)]
    addPermit(host.home.permissions, { email: 'n2@example.org', peer: guest.peer, capabilities: TICKET_CAPABILITIES, lifetime: FOREVER })
    const job = work(m.directory, 'permitted', { open: true })
    await until('n2 is let in', async () => (await guest.cli('hello', '--peer', 'n1')).exit === 0)
    const said = await guest.cli('dispatch', ...job.words, '--peer', 'n1')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), ['first', 'middle', 'last'])
  })

  it('brings its program along: the peer holds it from then on', async () => {
    const { hash } = (await m.node(2).json<readonly ProgramInfo[]>('programs')).find(({ name }) => name === 'work')!
    const held = await m.node(1).json<readonly ProgramInfo[]>('programs')
    assert.ok(held.some(program => program.hash === hash && !program.shipped))
  })

  it('of a program that is known there needs no program:load', async () => {
    const job = work(m.directory, 'known', { open: true })
    const said = await m.node(5).cli('dispatch', ...job.words, '--peer', 'n1')
    assert.equal(said.exit, 0, said.stdout + said.stderr)
    assert.equal(job.ran().length, 3)
  })

  it('is not let through any more when the permit is taken away', async () => {
    const [host, guest] = [m.node(1), m.node(2)]
    rmSync(host.home.permissions)
    await until('n1 permits nobody', async () => (await guest.cli('hello', '--peer', 'n1')).exit !== 0)
    const job = work(m.directory, 'taken-away', { open: true })
    const said = await guest.cli('dispatch', ...job.words, '--peer', 'n1', '--timeout', '3s')
    assert.equal(said.exit, 6, said.stdout + said.stderr)
    assert.deepEqual(job.ran(), [])
  })
})

describe('a command', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(2)
  })
  after(() => m?.stop())

  it('runs here, prints what it prints, and ends as it ends', async () => {
    const said = await m.node(1).cli('run', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert.deepEqual(said, { exit: 7, stdout: 'out\n', stderr: 'err\n' })
  })

  it('is denied at a peer that does not permit node:shell', async () => {
    const file = join(m.directory, 'denied')
    const said = await m.node(1).cli('run', '--peer', 'n2', '--', 'touch', file)
    assert.equal(said.exit, 6, said.stdout + said.stderr)
    assert.match(said.stderr, /node:shell/)
    assert.match(said.stderr, /^next: /m)
    assert.equal(existsSync(file), false)
    assert.deepEqual(await m.node(2).json('goals'), [])
  })

  it('is denied too when it comes as a dispatched goal, or as a program of the same text', async () => {
    const file = join(m.directory, 'denied')
    const said = await m.node(1).cli('dispatch', 'run', '--peer', 'n2', `goal.command=touch ${file}`)
    assert.equal(said.exit, 6, said.stdout + said.stderr)
    assert.equal(existsSync(file), false)
  })

  it('runs at a peer that permits node:shell', async () => {
    addPermit(m.node(2).home.permissions, {
      email: 'n1@example.org',
      peer: m.node(1).peer,
      capabilities: ['node:shell'],
      lifetime: FOREVER
    })
    const said = await until('n2 permits node:shell', async () => {
      const tried = await m.node(1).cli('run', '--peer', 'n2', '--', 'sh', '-c', 'echo there; exit 5')
      return tried.exit !== 6 && tried
    })
    assert.deepEqual(said, { exit: 5, stdout: 'there\n', stderr: '' })
  })
})
