import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { cli } from '../../src/cli/cli.ts'
import { commands } from '../../src/cli/commands.ts'
import { CloudburstError, type ErrorCode, errors } from '../../src/errors.ts'
import { CONTROL_SOCKET } from '../../src/node/control/contract.ts'
import { bindControl, type ControlBinding, type LocalHandlers } from '../../src/node/control/server.ts'
import type { Agency } from '../../src/protocols/agency/calls.ts'
import type { Plan } from '../../src/node/control/contract.ts'
import { eventsOf, failing, fakeAgency, noLocalCalls, repaired, replay, runInfo } from '../fakes/agency.ts'
import { type FakeIo, fakeIo } from '../fakes/io.ts'

describe('the CLI', () => {
  let home: string
  let daemon: ControlBinding | undefined

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(async () => {
    await daemon?.stop()
    daemon = undefined
    rmSync(home, { recursive: true, force: true })
  })

  const serve = async (agency: Agency, some: Partial<LocalHandlers> = {}, peers: Readonly<Record<string, Agency>> = {}): Promise<void> => {
    daemon = await bindControl(join(home, CONTROL_SOCKET))
    daemon.serve({
      agency,
      agencyOf: async selector => {
        const peer = peers[selector]
        if (peer === undefined) throw new CloudburstError('CB_PEER_UNKNOWN', `no peer ${selector}`, { peer: selector })
        return { agency: peer, peer: selector }
      },
      local: { ...noLocalCalls, ...some },
      by
    })
  }
  const run = async (...words: string[]): Promise<FakeIo['said'] & { exit: number }> => {
    const io = fakeIo()
    const exit = await cli([...words.slice(0, 1), '--home', home, ...words.slice(1)], io)
    return { ...io.said, exit }
  }

  it('names the daemon to start when there is none', async () => {
    const { exit, stdout, stderr } = await run('hello')
    assert.deepEqual([exit, stdout], [1, ''])
    assert.equal(stderr, `error: no daemon answers at ${home}/${CONTROL_SOCKET}\nnext: cloudburstd --home ${home}\n`)
  })

  it('says which command was meant', async () => {
    const io = fakeIo()
    assert.equal(await cli(['dispach'], io), 64)
    assert.match(io.said.stderr, /^error: there is no command dispach; did you mean dispatch\?\nnext: cloudburst dispatch\n$/)
  })

  it('gives problem details with -o json', async () => {
    await serve(fakeAgency({}))
    const { exit, stderr } = await run('hello', '--peer', 'nobody', '-o', 'json')
    const problem = JSON.parse(stderr)
    assert.deepEqual(
      [exit, problem.code, problem.status, problem.type],
      [7, 'CB_PEER_UNKNOWN', 404, 'urn:cloudburst:error:CB_PEER_UNKNOWN']
    )
  })

  for (const code of Object.keys(errors) as ErrorCode[]) {
    it(`exits ${errors[code].exit} after ${code}`, async () => {
      await serve(
        fakeAgency({
          agents: () => {
            throw new CloudburstError(code, 'no')
          }
        })
      )
      // Away is no answer: what may be asked again is asked again only after a first answer, so this ends.
      assert.equal((await run('agents')).exit, errors[code].exit)
    })
  }

  it('prints a table like kubectl does', async () => {
    await serve(fakeAgency({ goals: () => [runInfo, { ...runInfo, id: '01JD0000000000000000000001', on: 'node3', status: 'completed' }] }))
    const { stdout } = await run('goals')
    const lines = stdout.split('\n')
    assert.match(lines[0]!, /^ID {26}GOAL {5}ON {5}STATUS {5}DONE {2}FAILED {2}AGE {2,}WHY$/)
    assert.match(lines[2]!, /^01JD0000000000000000000001 {2}publish {2}node3 {2}completed /)
  })

  it('prints the same rows as json, yaml and names', async () => {
    await serve(fakeAgency({ goals: () => [runInfo] }))
    assert.deepEqual(JSON.parse((await run('goals', '-o', 'json')).stdout), [runInfo])
    assert.deepEqual(parseYaml((await run('goals', '-o', 'yaml')).stdout), [runInfo])
    assert.equal((await run('goals', '-o', 'name')).stdout, `${runInfo.id}\n`)
  })

  it('refuses an output format that is none', async () => {
    await serve(fakeAgency({ goals: () => [] }))
    assert.equal((await run('goals', '-o', 'xml')).exit, 64)
  })

  it('says so on stderr when there is nothing', async () => {
    await serve(fakeAgency({ agents: () => [] }))
    assert.deepEqual(await run('agents'), { exit: 0, stdout: '', stderr: 'no agents; cloudburst start PROGRAM starts one\n' })
  })

  it('pursues a goal under an id of its own, and tells how it came out', async () => {
    const agency = fakeAgency({ pursue: ({ id }) => ({ id: id! }) }, { events: ({ from }) => replay(eventsOf(repaired), from) })
    await serve(agency)
    const { exit, stdout } = await run('pursue', 'publish', 'goal.port=8080', '--set', 'goal.title=x')
    assert.equal(exit, 0)
    assert.match(stdout, /\ncompleted: 2 done, 1 failed, 1\.4 s\n$/)
    const { request } = agency.asked[0] as { request: { id: string } }
    assert.match(request.id, /^[0-9A-HJKMNP-TV-Z]{26}$/)
    assert.deepEqual(
      { ...request, id: '' },
      {
        goal: 'publish',
        id: '',
        mode: 'pursue',
        assignments: [
          { path: 'goal.title', value: 'x' },
          { path: 'goal.port', value: '8080' }
        ]
      }
    )
  })

  it('exits 3 when the goal waits for repair, and says what to type', async () => {
    await serve(fakeAgency({ pursue: ({ id }) => ({ id: id! }) }, { events: ({ from }) => replay(eventsOf(failing), from) }))
    const { exit, stdout } = await run('execute', 'publish')
    assert.equal(exit, 3)
    assert.match(stdout, new RegExp(`cloudburst repair 01JD0+ --home ${home} --set goal.port=…`))
  })

  it('keeps stdout for data with -o json', async () => {
    await serve(
      fakeAgency({ pursue: ({ id }) => ({ id: id! }), goal: () => runInfo }, { events: ({ from }) => replay(eventsOf(failing), from) })
    )
    const { stdout, stderr } = await run('pursue', 'publish', '-o', 'json')
    assert.deepEqual(JSON.parse(stdout), runInfo)
    assert.match(stderr, /suspended: 1 done, 1 failed/)
  })

  it('returns at once with the id when detached', async () => {
    await serve(fakeAgency({ pursue: ({ id }) => ({ id: id! }) }))
    assert.match((await run('pursue', 'publish', '--detach')).stdout, /^[0-9A-Z]{26}\n$/)
  })

  it('dispatches to several peers, follows them together, and exits with the worst', async () => {
    const agency = fakeAgency(
      { goal: ({ id }) => ({ ...runInfo, id }) },
      { events: ({ id, from }) => replay(eventsOf(id === 'A' ? repaired : failing, id), from) }
    )
    const sent: unknown[] = []
    await serve(agency, {
      dispatch: async request => {
        sent.push(request)
        return [
          { peer: 'p2', node: 'node2', id: 'A' },
          { peer: 'p3', node: 'node3', id: 'B' }
        ]
      }
    })
    const { exit, stdout } = await run('dispatch', 'publish', '--peer', 'node2,node3', '--timeout', '5s')
    assert.equal(exit, 3)
    assert.deepEqual(sent, [{ goal: 'publish', assignments: [], peers: ['node2', 'node3'], acceptWithinMs: 5000 }])
    assert.match(stdout, /^node2 \| completed: 2 done/m)
    assert.match(stdout, /^node3 \| suspended: 1 done/m)
    assert.match(stdout, /^node2 {2}completed {2}/m)
    assert.match(stdout, /--peer node3 --home /)
  })

  it('exits as a refusal does, with the row of each peer', async () => {
    await serve(fakeAgency({}), {
      dispatch: async () => [{ peer: 'p2', node: 'node2', error: { code: 'CB_DENIED', message: 'no permit for goal:dispatch' } }]
    })
    const { exit, stdout } = await run('dispatch', 'publish', '--all')
    assert.equal(exit, 6)
    assert.match(stdout, /^node2 {2}denied .*no permit for goal:dispatch$/m)
  })

  it('needs to be told which peers', async () => {
    assert.equal((await run('dispatch', 'publish')).exit, 64)
  })

  it('loads a program file before it dispatches its goal', async () => {
    const file = join(home, 'site.xml')
    writeFileSync(file, '<cloudburst name="site"><include file="./more.xml"/><!-- <include file="not.xml"/> --></cloudburst>')
    writeFileSync(join(home, 'more.xml'), '<cloudburst name="more"/>')
    const agency = fakeAgency({ load: () => ({ name: 'site', hash: 'abcd', goals: [], agents: [], shipped: false, warnings: [] }) })
    const sent: { program?: string }[] = []
    await serve(agency, {
      dispatch: async request => {
        sent.push(request)
        return []
      }
    })
    assert.equal((await run('dispatch', 'publish', file, '--peer', 'node2')).exit, 0)
    const { files } = agency.asked[0]!.request as { files: { name: string }[] }
    assert.deepEqual(
      files.map(each => each.name),
      ['site.xml', 'more.xml']
    )
    assert.equal(sent[0]?.program, 'abcd')
  })

  it('asks a peer through this node', async () => {
    const there = fakeAgency({ programs: () => [] })
    await serve(fakeAgency({}), {}, { node2: there })
    assert.equal((await run('programs', '--peer', 'node2')).exit, 0)
    assert.equal(there.asked.length, 1)
  })

  it('repairs by a prefix of the id, and tells only what is new', async () => {
    const place = { file: 's.xml', line: 1, col: 1 }
    const step = { id: 'site/m/announce', kind: 'step', mark: '+', text: 'announce', needs: [], reads: [], writes: [], place } as const
    const summary = { do: 1, redo: 0, undo: 0, possible: 0, alreadyTrue: 0 }
    const consequence: Plan = {
      version: 1,
      goal: 'site',
      program: runInfo.program,
      variables: {},
      nodes: [step],
      summary,
      basis: {},
      problems: []
    }
    const agency = fakeAgency(
      {
        goals: () => [runInfo, { ...runInfo, id: '02' }],
        goal: () => runInfo,
        repair: () => ({ ...runInfo, status: 'pursuing' }),
        preview: () => consequence
      },
      { events: ({ from }) => replay(eventsOf(repaired), from) }
    )
    await serve(agency)
    const { exit, stdout } = await run('repair', '01jd', '--set', 'goal.port=8080', '--why', 'taken')
    assert.equal(exit, 0)
    assert.deepEqual(agency.asked.find(({ name }) => name === 'repair')?.request, {
      id: runInfo.id,
      assignments: [{ path: 'goal.port', value: '8080' }],
      why: 'taken',
      seq: runInfo.seq
    })
    assert.match(stdout, /^kept {2}0 steps\nthen {2}announce \(site\/m\/announce\)\nrepaired by node1/)
    assert.doesNotMatch(stdout, /make the directory/)
  })

  it('refuses a prefix that two goals have', async () => {
    await serve(fakeAgency({ goals: () => [runInfo, { ...runInfo, id: '01JD9' }] }))
    assert.equal((await run('goal', '01JD')).exit, 64)
  })

  it('shows why a goal waits, and how to repair it where it is', async () => {
    await serve(fakeAgency({ goal: () => ({ ...runInfo, on: 'node3' }) }))
    const { stdout } = await run('goal', runInfo.id)
    assert.match(stdout, /suspended: exit 1/)
    assert.match(stdout, new RegExp(`cloudburst repair ${runInfo.id} --peer node3 --home ${home} --retry`))
  })

  it('replays logs at another verbosity, and raw', async () => {
    await serve(fakeAgency({ goal: () => runInfo }, { events: ({ from }) => replay(eventsOf(failing), from) }))
    assert.match((await run('logs', runInfo.id, '--replay', '-n')).stdout, /# BEGIN publish : Publish the site/)
    const lines = (await run('logs', runInfo.id, '-o', 'json')).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual([lines[0], lines.length], [{ type: 'version', version: 1 }, failing.length + 1])
  })

  it('goes on where it was when the daemon comes back, and says once that it waits', async () => {
    const events = eventsOf(repaired)
    const asked: (number | undefined)[] = []
    const first = fakeAgency(
      { pursue: ({ id }) => ({ id: id! }) },
      {
        events: async function* ({ from }, signal) {
          asked.push(from)
          yield* replay(events.slice(0, 5))
          await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))
        }
      }
    )
    const second = fakeAgency(
      {},
      {
        events: ({ from }) => {
          asked.push(from)
          return replay(events, from)
        }
      }
    )
    await serve(first)
    const io = fakeIo()
    const following = cli(['pursue', 'publish', '--home', home, '-n'], io)
    await until(() => io.said.stdout.includes('# BEGIN files'))
    await daemon?.stop()
    await until(() => io.said.stderr !== '')
    await serve(second)
    assert.equal(await following, 0)
    assert.deepEqual(asked, [1, 6])
    assert.equal(io.said.stderr, 'waiting for the daemon\n')
    assert.equal(io.said.stdout.match(/# BEGIN publish/g)?.length, 1)
  })

  it('exits 130 on ctrl-C, and the goal goes on', async () => {
    const interrupted = new AbortController()
    await serve(
      fakeAgency(
        { pursue: ({ id }) => ({ id: id! }) },
        {
          events: async function* (_, signal) {
            yield* replay(eventsOf(failing.slice(0, 5)))
            interrupted.abort()
            await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))
          }
        }
      )
    )
    const io = fakeIo({ interrupted: interrupted.signal })
    assert.equal(await cli(['pursue', 'publish', '--home', home], io), 130)
    assert.match(
      io.said.stderr,
      /^error: interrupted; goal [0-9A-Z]{26} goes on\nnext: cloudburst logs [0-9A-Z]{26} --follow --home \S+\n$/
    )
  })

  it('prints a ticket as a line to paste, its secret not in an argument list', async () => {
    await serve(fakeAgency({}), { ticket: async () => ({ ticket: 'cb1-abc', expiresAt: 0 }) })
    for (const words of [['--ticket'], ['--join'], ['--join', '--lifetime', '1h']])
      assert.equal((await run('init', ...words)).stdout, "printf %s 'cb1-abc' | cloudburst init --join -\n")
  })

  it('takes no ticket as an argument', async () => {
    const { exit, stderr } = await run('init', '--join', 'cb1-abc')
    assert.equal(exit, 64)
    assert.doesNotMatch(stderr, /cb1-abc/)
  })

  it('runs a command as it was given, and exits as it did', async () => {
    const results = { result: { fields: { rc: { value: 7 } } } }
    const agency = fakeAgency(
      { pursue: ({ id }) => ({ id: id! }), goal: () => ({ ...runInfo, results }) },
      {
        events: async function* () {
          yield { type: 'output', step: 's', attempt: 1, stream: 'stdout', offset: 0, text: 'hello\n' }
          yield { type: 'output', step: 's', attempt: 1, stream: 'stderr', offset: 0, text: 'oh\n' }
        }
      }
    )
    await serve(agency)
    assert.deepEqual(await run('run', '--', 'echo', 'a b', "it's"), { exit: 7, stdout: 'hello\n', stderr: 'oh\n' })
    const { assignments } = agency.asked[0]!.request as { assignments: unknown }
    assert.deepEqual(assignments, [{ path: 'goal.command', value: "echo 'a b' 'it'\\''s'" }])
  })

  for (const name of Object.keys(commands)) {
    it(`has help with an example for ${name}`, async () => {
      const io = fakeIo()
      assert.equal(await cli([name, '--help'], io), 0)
      assert.match(io.said.stdout, new RegExp(`^cloudburst ${name}: .+\n\nusage: cloudburst ${name}.*\nexample: cloudburst ${name}`))
    })
  }
})

const by = { peer: '12D3KooWSelf', node: 'node1' }
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}
