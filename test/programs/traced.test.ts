/**
 * Programs that ship are pursued under a tracer: every command is one of a step that their plan knew, and nothing else changes a
 * file outside the home. Two in the suite, the others by `npm run programs:traced`, which traces those that need nodes, hosts or
 * accounts too: traced-nodes.test.ts.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { GoalEvent } from '../../src/goals/pursuit/events.ts'
import { until } from '../node/store/temporary-directory.ts'
import { start } from '../system/mesh/process.ts'
import { entry, type Place, place, root } from './cli.ts'
import { assertNothingElse, eventsIn, needStrace, STRACE, tracedSteps, type TracedSteps } from './traced-steps.ts'

/** A goal of a program with what it needs; $ is a directory of the test's own, PORT a free port. */
const few: readonly (readonly string[])[] = [
  ['quickstart.xml', 'publish', 'goal.root=$/site', 'goal.port=8080'],
  ['hello-world.xml', 'greet']
]
const more: readonly (readonly string[])[] = [
  ['build.xml', 'buildHere', 'goal.source=$/source', 'goal.product=greet'],
  ['dataflow.xml', 'measure', 'goal.folder=$/data'],
  ['install-tool.xml', 'installTool', 'goal.package=sh'],
  ['inventory.xml', 'inventory'],
  ['run.xml', 'run', 'goal.command=touch $/made'],
  ['service.xml', 'website', 'goal.folder=$/site', 'goal.port=PORT'],
  ['service.xml', 'stopWebsite', 'goal.folder=$/site']
]
/** What they leave running, which the tracer would wait for. */
const stops: Readonly<Record<string, readonly string[]>> = { website: ['stopWebsite', 'goal.folder=$/site'] }

describe('pursuing a program that ships', function () {
  this.timeout(120_000)
  let here: Place
  before(function () {
    needStrace(this)
    here = place()
  })
  after(() => here?.remove())

  const traced = async (file: string, words: readonly string[]): Promise<TracedSteps & { exit: number; said: string }> => {
    const log = join(here.directory, 'trace')
    const { exit, stdout, stderr } = await start(
      'strace',
      [...STRACE, '-o', log, process.execPath, entry, 'pursue', file, ...words],
      here.env
    ).ended
    return { exit, said: stdout + stderr, ...tracedSteps(readFileSync(log, 'utf8'), [here.home, '/dev/', '/proc/']) }
  }
  const eventsOf = async (file: string, goal: string): Promise<readonly GoalEvent[]> => {
    const { stdout: rows } = await here.cli('goals', file, '-o', 'json')
    const latest = (JSON.parse(rows) as { id: string; goal: string }[]).find(each => each.goal === goal)
    const { stdout } = await here.cli('logs', file, latest!.id, '-o', 'json')
    return eventsIn(stdout)
  }

  for (const [file = '', goal = '', ...words] of process.env['CB_PROGRAMS'] === 'all' ? [...few, ...more] : few)
    it(`does what was planned and nothing else: ${goal} of ${file}`, async () => {
      cpSync(join(root, 'programs'), here.directory, { recursive: true })
      const port = String(await freePort())
      const filled = words.map(word => word.replaceAll('$', here.directory).replace('PORT', port))
      const program = join(here.directory, file)
      const tracing = traced(program, [goal, ...filled])
      if (stops[goal] !== undefined) {
        // Before that the goal's own process has not opened its store, which one process may at a time.
        await until('it serves', () => answers(Number(port)), 60_000)
        await until('it is done', async () => (await here.cli('goals', program, '-o', 'json')).stdout.includes('"completed"'), 60_000)
        await here.cli('pursue', program, ...stops[goal].map(word => word.replaceAll('$', here.directory)))
      }
      const { exit, said, ...did } = await tracing
      assert.ok(exit === 0 || exit === 3, said)
      assertNothingElse(did, await eventsOf(program, goal))
    })

  it('would be told if something else were done', async () => {
    const file = join(here.directory, 'own.xml')
    writeFileSync(
      file,
      `<cloudburst name="own"><goalProto name="own"><post><shell pure="true"><send>touch ${here.directory}/impure; false</send></shell></post>
        <method><shell><send>true</send></shell></method></goalProto></cloudburst>`
    )
    mkdirSync(here.directory, { recursive: true })
    const { ownChanges } = await traced(file, ['own'])
    assert.ok(
      ownChanges.some(call => call.includes('/impure')),
      'a shell that is called pure and is not'
    )
  })
})

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const tell = (does: boolean): void => {
      socket.destroy()
      resolve(does)
    }
    socket.once('connect', () => tell(true)).once('error', () => tell(false))
  })
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
