import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { ulid } from 'ulid'
import { CloudburstError } from '../../../src/errors.ts'
import { GIVEN_UP } from '../../../src/goals/ports.ts'
import type { Principal } from '../../../src/goals/pursuit/events.ts'
import { type Agents, openAgents } from '../../../src/node/agency/agents.ts'
import { openRuns, type Runs } from '../../../src/node/goals/runs.ts'
import { machineProbe } from '../../../src/node/probe.ts'
import { openPrograms } from '../../../src/node/programs/programs.ts'
import { openVault } from '../../../src/node/secrets/vault.ts'
import { type NodeJournal, openJournal } from '../../../src/node/store/journal.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'
import type { Store } from '../../../src/node/store/store.ts'
import { type FakeDriver, fakeDriver } from '../../fakes/driver.ts'
import { quiet } from '../store/quiet.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const program = (onStop: string): string => `<cloudburst name="w"><agent name="w"${onStop}>
  <goalProto name="work"><method name="m"><shell><send name="long">long</send><send name="last">last</send></shell></method></goalProto>
  <goalProto name="apart"><method name="m"><work peer="n2"/></method></goalProto>
  <goalProto name="leave"><variable name="why"/>
    <method name="m"><shell><send>left</send></shell></method></goalProto>
  <goalProto name="ask"><variable name="why"/><pre><defined><get>goal.why</get></defined></pre>
    <method name="m"><shell><send>asked</send></shell></method></goalProto>
</agent></cloudburst>`
const own: Principal = { peer: 'me', node: 'n1' }
const guest: Principal = { peer: 'guest', node: 'n2' }

const never = { kind: 'failed', message: 'it took too long' } as const

/** One life of a node after the other on one store. */
interface Life {
  readonly runs: Runs
  readonly journal: NodeJournal
  readonly agents: Agents
}

describe('goals that rest', () => {
  const directory = temporaryDirectory()
  let store: Store
  let driver: FakeDriver
  let gate: PromiseWithResolvers<void>
  let hash: string
  let denied: Set<string>

  beforeEach(() => {
    store = memoryStore()
    gate = Promise.withResolvers<void>()
    denied = new Set()
    driver = fakeDriver(({ argv }) => (argv.at(-1)?.includes('long') ? { until: gate.promise } : {}))
  })

  async function live(onStop = ''): Promise<Life> {
    const now = Date.now
    const vault = openVault(directory())
    const agents = await openAgents(store, now, vault)
    const journal = await openJournal(store, { now, agentWrites: (id, writes) => runs.agentWrites(id, writes) })
    const programs = openPrograms({ store, now, unreadable: what => assert.fail(what) })
    hash = (await programs.load([{ name: 'w.xml', text: program(onStop) }])).hash
    const allow = (by: Principal, capability: string): void => {
      if (by !== own && by.peer !== own.peer && denied.has(capability)) throw new CloudburstError('CB_DENIED', `not ${capability}`)
    }
    const runs = openRuns({
      store,
      journal,
      programs,
      agents,
      vault,
      driver,
      probe: machineProbe({ state: () => undefined, now }),
      messenger: {
        // Another node that never comes to an end.
        dispatch: (_goal, signal) =>
          new Promise(resolve => signal.addEventListener('abort', () => resolve(signal.reason === GIVEN_UP ? { kind: 'left' } : never)))
      },
      permits: { require: allow, whyNot: () => undefined, isOwn: by => by.peer === own.peer, isCounted: () => false },
      clock: { now, sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }) },
      random: { id: () => ulid() },
      host: {},
      peer: { id: { value: 'me' } },
      log: quiet
    })
    return { runs, journal, agents }
  }

  async function at<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
    for (const until = Date.now() + 5_000; Date.now() < until; await sleep(2)) {
      const found = await look()
      if (found !== undefined && found !== false) return found
    }
    assert.fail(`never: ${what}`)
  }
  const reaches = ({ journal }: Life, id: string, status: string) =>
    at(`${id} is ${status}`, async () => {
      const summary = await journal.summary(id)
      return summary?.status === status && summary
    })
  const ran = (): string => driver.started.map(({ argv }) => /long|last|left|asked/.exec(argv.at(-1) ?? '')?.[0]).join(' ')
  const working = async ({ runs }: Life): Promise<string> => {
    const before = driver.started.length
    const { id } = await runs.accept({ goal: 'work', program: hash, assignments: [], by: own })
    await at('the long step runs', () => driver.started.length > before)
    return id
  }
  /** The daemon dies; the runner, here the driver, goes on. */
  const die = ({ runs }: Life): void => runs.stop()

  it('rest after their step over a restart, and say who wanted it', async () => {
    const first = await live()
    const id = await working(first)
    const inFlight = await first.runs.suspendGoal(id, own, 'later')
    assert.deepEqual(
      inFlight.map(({ goal, step }) => [goal, step]),
      [[id, 'work/m/long']]
    )
    die(first)
    const second = await live()
    second.runs.resumeAll()
    gate.resolve()
    const { suspended, steps } = await reaches(second, id, 'suspended')
    assert.deepEqual([suspended?.code, suspended?.reason, steps.done, steps.running], ['requested', 'suspended by n1: later', 1, 0])
    await second.runs.resumeGoal(id, own)
    await reaches(second, id, 'completed')
    assert.equal(ran(), 'long last')
  })

  it('go on over a restart when somebody said so before', async () => {
    const first = await live()
    const id = await working(first)
    await first.runs.suspendGoal(id, own)
    await first.runs.resumeGoal(id, own)
    die(first)
    const second = await live()
    second.runs.resumeAll()
    gate.resolve()
    await reaches(second, id, 'completed')
  })

  it('do not rest any more after a repair, and nothing is kept of it', async () => {
    const first = await live()
    const id = await working(first)
    await first.runs.suspendGoal(id, own)
    gate.resolve()
    await reaches(first, id, 'suspended')
    await first.runs.repair({ id, assignments: [] }, own)
    await reaches(first, id, 'completed')
    assert.equal(ran(), 'long last')
    assert.equal(await store.get(`hold!${id}`), undefined)
  })

  it('of a suspended agent do not begin until it is resumed, also over a restart', async () => {
    const first = await live()
    await working(first)
    await first.runs.suspendAgent('w')
    const { id } = await first.runs.accept({ goal: 'work', program: hash, assignments: [], by: own })
    assert.equal((await reaches(first, id, 'suspended')).suspended?.reason, 'agent w is suspended')
    die(first)
    const second = await live()
    second.runs.resumeAll()
    gate.resolve()
    await at('both rest', () => second.journal.runs().every(run => run.status === 'suspended'))
    assert.equal(ran(), 'long')
    await second.runs.resumeAgent('w')
    await at('both are done', () => second.journal.runs().every(run => run.status === 'completed'))
  })

  it('are not resumed when they wait for something else, are over, or are none', async () => {
    const life = await live()
    const id = await working(life)
    await assert.rejects(life.runs.resumeGoal(id, own), { code: 'CB_NOT_SUSPENDED', message: /is pursuing, not suspended/ })
    gate.resolve()
    await reaches(life, id, 'completed')
    await assert.rejects(life.runs.suspendGoal(id, own), { code: 'CB_NOT_SUSPENDED', message: /is completed already/ })
    await assert.rejects(life.runs.suspendGoal('nothing', own), { code: 'CB_RUN_UNKNOWN' })
    driver = fakeDriver(() => ({ exit: { kind: 'exited', code: 1 } }))
    const failing = await live()
    const { id: failed } = await failing.runs.accept({ goal: 'work', program: hash, assignments: [], by: own })
    await reaches(failing, failed, 'suspended')
    await assert.rejects(failing.runs.resumeGoal(failed, own), { code: 'CB_NOT_SUSPENDED', message: /waits for a repair/ })
  })

  it('name what they have asked of another node as a step that runs on, and wait for it no longer when they are ended at once', async () => {
    const { runs, journal } = await live()
    const { id } = await runs.accept({ goal: 'apart', program: hash, assignments: [], by: own })
    await at('it waits', async () => (await journal.summary(id))?.steps.running === 1)
    const [inFlight] = await runs.suspendGoal(id, own)
    assert.deepEqual([inFlight?.goal, inFlight?.show], [id, 'work on n2'])
    assert.deepEqual(await runs.stopAgent('w', own, true), [])
    assert.equal((await journal.summary(id))?.status, 'suspended')
  })

  it('are left alone by who may not repair them', async () => {
    const life = await live()
    const id = await working(life)
    denied.add('goal:repair')
    await assert.rejects(life.runs.suspendGoal(id, guest), { code: 'CB_DENIED' })
    await life.runs.suspendGoal(id, own)
    await assert.rejects(life.runs.resumeGoal(id, guest), { code: 'CB_DENIED' })
    gate.resolve()
    await reaches(life, id, 'suspended')
  })

  describe('because their agent was stopped', () => {
    it('are followed by what its program has for that, once, also over restarts', async () => {
      const first = await live(' onStop="leave"')
      const id = await working(first)
      await first.runs.stopAgent('w', own)
      assert.equal(ran(), 'long')
      die(first)
      const second = await live(' onStop="leave"')
      second.runs.resumeAll()
      gate.resolve()
      const { stopGoal } = second.agents.get('w')
      await reaches(second, stopGoal!.id, 'completed')
      assert.equal((await reaches(second, id, 'suspended')).suspended?.reason, 'agent w is stopped')
      die(second)
      const third = await live(' onStop="leave"')
      third.runs.resumeAll()
      await third.runs.stopAgent('w', own)
      assert.deepEqual([third.agents.get('w').status, ran()], ['stopped', 'long left'])
    })

    it('are followed by nothing when it was stopped now, or its program has nothing', async () => {
      const first = await live(' onStop="leave"')
      const id = await working(first)
      assert.deepEqual(await first.runs.stopAgent('w', own, true), [])
      assert.equal((await reaches(first, id, 'suspended')).suspended?.code, 'stopped')
      const second = await live()
      await second.runs.accept({ goal: 'leave', program: hash, assignments: [], by: own })
      await second.runs.stopAgent('w', own)
      assert.equal(second.agents.get('w').stopGoal, undefined)
    })

    it('keep it running when that goal needs values or a right, and are told so', async () => {
      const asking = await live(' onStop="ask"')
      await working(asking)
      await assert.rejects(asking.runs.stopAgent('w', own), { code: 'CB_CONFIG_INCOMPLETE' })
      denied.add('goal:dispatch')
      const leaving = await live(' onStop="leave"')
      await leaving.runs.accept({ goal: 'leave', program: hash, assignments: [], by: own })
      await assert.rejects(leaving.runs.stopAgent('w', guest), { code: 'CB_DENIED' })
      assert.equal(leaving.agents.get('w').status, 'running')
    })
  })
})
