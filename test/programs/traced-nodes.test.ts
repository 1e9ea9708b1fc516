/**
 * Programs that need nodes, hosts or accounts are pursued under a tracer: every command is one of a step that their plan knew, and
 * nothing else changes a file outside the homes. The suite does it with an account; nodes and hosts by `npm run programs:traced`.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { RunInfo } from '../../src/node/control/contract.ts'
import { openHub, packaged } from '../lab/hosts/hub.ts'
import { whyNoLab } from '../lab/hosts/image.ts'
import { openLab } from '../lab/hosts/lab.ts'
import { skip } from '../skip.ts'
import { start, until } from '../system/mesh/process.ts'
import { mesh, type MeshNode } from '../system/mesh.ts'
import { entry, root } from './cli.ts'
import { freePort } from './ports.ts'
import { inSandbox, needSandbox } from './sandbox.ts'
import { assertNothingElse, eventsIn, needStrace, STRACE, tracedSteps } from './traced-steps.ts'

const all = process.env['CB_PROGRAMS'] === 'all'

describe('pursuing a program that ships, on nodes, hosts and accounts', function () {
  this.timeout(600_000)
  before(function () {
    needStrace(this)
  })

  if (all)
    it('does what was planned and nothing else on each of three nodes: product of product.xml', async () => {
      const m = await mesh(3)
      const nodes = [m.node(1), m.node(2), m.node(3)]
      const folder = join(m.directory, 'shop')
      try {
        const ports = [await freePort(), await freePort(), await freePort()]
        const [data, app, front] = ports
        const log = join(m.directory, 'trace')
        const tracer = await traceNodes(nodes, log)
        const said = await m
          .node(1)
          .cli(
            'pursue',
            'product',
            ...['goal.data=n2', 'goal.app=n3', `goal.folder=${folder}`],
            ...[`goal.dataPort=${data}`, `goal.appPort=${app}`, `goal.frontPort=${front}`]
          )
        assert.equal(said.exit, 0, said.stdout + said.stderr)
        await ended(tracer)
        const did = tracedSteps(readFileSync(log, 'utf8'), [...nodes.map(({ name }) => `${m.directory}/${name}/`), '/dev/', '/proc/'])
        const events = (await Promise.all(nodes.map(eventsOfNode))).flat()
        assert.ok(did.started.length >= 3, 'a web server on each node at least')
        assertNothingElse(did, events)
      } finally {
        for (const part of ['data', 'app', 'front']) await m.node(1).cli('pursue', 'stopWebsite', `goal.folder=${folder}/${part}`)
        await m.stop()
      }
    })

  it('does what was planned and nothing else as root: person of users-keys.xml', async function () {
    needSandbox(this)
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ann@laptop'
    const { stdout, stderr } = await inSandbox(`
      export CLOUDBURST_HOME=$HERE/home NO_COLOR=1
      strace ${STRACE.join(' ')} -o trace '${process.execPath}' '${entry}' pursue users-keys.xml person goal.name=ann 'goal.key=${key}' >&2
      echo "$? $HERE"; echo === next; cloudburst logs users-keys.xml "$(cloudburst goals users-keys.xml -o name)" -o json
      echo === next; cat trace`)
    const [first = '', events = '', trace = ''] = stdout.split('=== next\n')
    const [exit, here] = first.trim().split(' ')
    assert.equal(exit, '0', stderr)
    const did = tracedSteps(trace, [`${here}/home`, '/dev/', '/proc/'])
    assert.ok(did.changes > 0, 'an account was made')
    assertNothingElse(did, eventsIn(events))
  })

  if (all)
    it('does what was planned and nothing else with a host: deliverAll of deliver.xml', async function () {
      const why = whyNoLab()
      if (why !== undefined) skip(this, why)
      const lab = openLab()
      const hub = await openHub(lab)
      try {
        const host = await lab.host({ name: 'light' })
        const bin = join(lab.directory, 'bin')
        mkdirSync(bin)
        symlinkSync(entry, join(bin, 'cloudburst'))
        const options = [...hub.reaching, '--artefact', packaged('0.9.1'), '--home', hub.home].join(' ')
        const goal = ['deliver.xml', 'deliverAll', `goal.hosts=["carol@${host.address}"]`, `goal.options=${options}`, '--home', hub.home]
        const log = join(lab.directory, 'trace')
        const env = { ...process.env, SSH_AUTH_SOCK: '', PATH: `${bin}:${process.env['PATH']}` }
        const { exit, stdout, stderr } = await start('strace', [...STRACE, '-o', log, process.execPath, entry, 'pursue', ...goal], env)
          .ended
        assert.equal(exit, 0, stdout + stderr)
        assert.equal((await hub.peers()).filter(({ name, status }) => name === 'light' && status === 'up').length, 1)
        const id = (await hub.cloudburst('goals', 'deliver.xml', '-o', 'name')).stdout.trim()
        const events = eventsIn((await hub.cloudburst('logs', 'deliver.xml', id, '-o', 'json')).stdout)
        assertNothingElse(tracedSteps(readFileSync(log, 'utf8'), [hub.home, '/dev/', '/proc/']), events)
      } finally {
        await hub.close()
        lab.close()
      }
    })

  it('is tried for every one, here or without nodes', () => {
    const tests = ['traced.test.ts', 'traced-nodes.test.ts'].map(name => readFileSync(join(root, 'test/programs', name), 'utf8')).join('')
    const shipped = readdirSync(join(root, 'programs')).filter(name => name.endsWith('.xml'))
    assert.deepEqual(
      shipped.filter(name => !tests.includes(`'${name}'`) && !tests.includes(` of ${name}'`)),
      []
    )
  })
})

/** A tracer of the daemons and their runners, and of all that they start from now on. */
async function traceNodes(nodes: readonly MeshNode[], log: string): Promise<ChildProcess> {
  const pids = nodes.flatMap(node => [node.pid(), node.runner()].filter(pid => pid !== undefined))
  const tracer = spawn('strace', [...STRACE, '-o', log, ...pids.flatMap(pid => ['-p', String(pid)])], { stdio: 'ignore' })
  await until('the nodes are traced', () => pids.every(isTraced))
  return tracer
}

function isTraced(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every(task => !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')))
}

/** Lets go of what it traces, which goes on. */
async function ended(tracer: ChildProcess): Promise<void> {
  const exit = once(tracer, 'exit')
  tracer.kill('SIGINT')
  await exit
}

/** Of all goals that were pursued there. */
async function eventsOfNode(node: MeshNode) {
  const runs = (await node.json<readonly RunInfo[]>('goals')).filter(({ on }) => on === undefined)
  const logs = await Promise.all(runs.map(async ({ id }) => eventsIn((await node.cli('logs', id, '-o', 'json')).stdout)))
  return logs.flat()
}
