/** Three real nodes, and one goal after the other over all of them, each with a fault at a chosen place; then what must hold is looked at. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ulid } from 'ulid'
import { httpOver } from '../../../src/cli/http.ts'
import { CloudburstError } from '../../../src/errors.ts'
import type { CallName, Calls, LocalCalls, RunInfo } from '../../../src/node/control/contract.ts'
import { build, type Mesh, type MeshNode, mesh } from '../../system/mesh.ts'
import { patience, until } from '../../system/mesh/process.ts'
import {
  clockEnvironment,
  countSyncs,
  type Disk,
  hasFaketime,
  isAlive,
  killRunner,
  mountDisk,
  pretendReboot,
  setClock,
  setTrap,
  type Trap
} from './faults.ts'
import { CLOCK_NODE, CUT_NODE, type Point, type Scope } from './points.ts'
import { FINISHED, makePlace, PRODUCT, STEPS, type Traces } from './product.ts'

/** What came of one point. */
export interface Outcome {
  readonly point: Point
  /** The fault was reached, so the point counts. */
  readonly struck: boolean
  /** Times that a daemon was started again. */
  readonly restarts: number
  /** Steps that were in doubt, and went on because a person said so. */
  readonly surfaced: readonly string[]
  /** What should not be; empty when all holds. */
  readonly wrong: readonly string[]
  readonly ms: number
}

export interface Lab {
  readonly scope: Scope
  strike(point: Point): Promise<Outcome>
  /** Every goal that was acknowledged is there, completed, and every store sound. @returns what is not so */
  settle(): Promise<readonly string[]>
  readonly acknowledged: number
  /** What the daemons of a node have logged. */
  log(node: number): string
  close(): Promise<void>
}

/** After a fault everything must have come to its end within this time, in milliseconds, or longer on a loaded machine. */
const SETTLE_MS = 120_000
/** A daemon that answers does so within this time, in milliseconds. */
const ANSWER_MS = 10_000
const LOOK_MS = 25
/** How long a step takes that something is to happen to, as sleep has it. */
const STEP_SECONDS = '0.4'
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** @param clocks whether n3 gets a clock that can be set, which makes it slow */
export async function openLab({ clocks = true, cuts = true } = {}): Promise<Lab> {
  build()
  const directory = mkdtempSync(join(tmpdir(), 'cb-crash-'))
  const clock = join(directory, 'clock')
  let disk: Disk | undefined
  const withClocks = clocks && hasFaketime()
  let nodes: Mesh | undefined
  const close = async (): Promise<void> => {
    await nodes?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    nodes = await mesh(3, {
      directory: join(directory, 'm'),
      dist: ownDist(directory),
      env: name => ({ UV_THREADPOOL_SIZE: '1', ...(withClocks && name === `n${CLOCK_NODE}` ? clockEnvironment(clock) : {}) }),
      release: async () => await disk?.remove(),
      prepare: (path, name) => {
        if (name === `n${CUT_NODE}` && cuts && process.getuid?.() === 0) disk = tryDisk(path, join(directory, 'images'))
      }
    })
    const parts: Parts = {
      directory,
      mesh: nodes,
      disk,
      clock: withClocks ? clock : undefined,
      clients: clientsOf(nodes),
      acknowledged: []
    }
    parts.program = (await parts.clients[0]!.call('load', { files: [{ name: 'product.xml', text: PRODUCT }] })).hash
    return {
      scope: { syncs: await measure(parts), cuts: disk !== undefined, clocks: withClocks },
      strike: point => strike(parts, point),
      settle: () => settle(parts),
      get acknowledged() {
        return parts.acknowledged.length
      },
      log: node => parts.mesh.node(node).log(),
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Parts {
  readonly directory: string
  readonly mesh: Mesh
  readonly disk: Disk | undefined
  readonly clock: string | undefined
  readonly clients: readonly Client[]
  readonly acknowledged: string[]
  program?: string
}

/** Asks a daemon once: whoever waits for one that is down must be the one who starts it. */
interface Client {
  call<N extends CallName>(name: N, request: Calls[N]['request']): Promise<Calls[N]['reply']>
  local<N extends keyof LocalCalls>(name: N, request: LocalCalls[N]['request']): Promise<LocalCalls[N]['reply']>
}

function clientsOf(nodes: Mesh): Client[] {
  return [1, 2, 3].map(number => {
    const { home } = nodes.node(number)
    const http = httpOver(home.socket, home.base)
    const post = (path: string, request: object) =>
      http.post(`/api/v1/${path}`, request, AbortSignal.timeout(patience(ANSWER_MS))) as Promise<never>
    return { call: (name, request) => post(`calls/${name}`, request), local: (name, request) => post(`local/${name}`, request) }
  })
}

/** The programs as they are now: others may build while this goes on. */
function ownDist(directory: string): string {
  const place = join(directory, 'built')
  mkdirSync(place)
  cpSync(join(root, 'dist'), join(place, 'dist'), { recursive: true })
  for (const name of ['node_modules', 'programs', 'package.json']) symlinkSync(join(root, name), join(place, name))
  return join(place, 'dist')
}

function tryDisk(path: string, images: string): Disk | undefined {
  try {
    return mountDisk(path, images)
  } catch {
    return undefined
  }
}

/** Fdatasyncs of each node in one undisturbed goal, after one that warms up. */
async function measure(parts: Parts): Promise<[number, number, number]> {
  await undisturbed(parts, 'warm-up')
  const counters = await Promise.all(
    [1, 2, 3].map(number => countSyncs(parts.mesh.node(number).pid(), join(parts.directory, `syncs-${number}`)))
  )
  await undisturbed(parts, 'measured')
  const counts = await Promise.all(counters.map(counter => counter.stop()))
  return [counts[0]!, counts[1]!, counts[2]!]
}

async function undisturbed(parts: Parts, name: string): Promise<void> {
  const made = makePlace(parts.directory, name)
  const id = await ask(parts, made, '0')
  await until(`${name} has completed`, async () => (await statusOf(parts, 0, id)) === 'completed', patience(SETTLE_MS))
}

async function strike(parts: Parts, point: Point): Promise<Outcome> {
  const began = performance.now()
  const made = makePlace(parts.directory, `p${point.number}`)
  const victim = parts.mesh.node(point.victim)
  const pid = victim.pid()
  const state: Attempt = { restarts: 0, surfaced: [], traps: [], wrong: [] }
  await arm(state, point, pid)
  const asked = ask(parts, made, point.kind === 'clock' || point.during !== undefined ? STEP_SECONDS : '0')
  let id: string | undefined
  void asked.then(
    told => {
      id = told
    },
    error => state.wrong.push(`not acknowledged: ${error instanceof Error ? error.message : String(error)}`)
  )
  if (point.kind === 'clock') await jump(parts, point, made)
  if (point.during !== undefined) await strikeDown(parts, point, made)
  const settleMs = patience(SETTLE_MS)
  const deadline = performance.now() + settleMs
  while (id === undefined || (await statusOf(parts, 0, id)) !== 'completed') {
    if (performance.now() > deadline) {
      state.wrong.push(`not completed within ${settleMs} ms: ${await story(parts, id)}`)
      break
    }
    if (!isAlive(victim.pid())) await bringBack(parts, state, point)
    await decide(parts, state, point)
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
  // A kill at the very last of its syncs comes when the goal has completed for everybody else.
  do {
    for (const trap of state.traps.splice(0)) await trap.release()
    if (!isAlive(victim.pid())) await bringBack(parts, state, point)
  } while (state.traps.length > 0 || !isAlive(victim.pid()))
  if (point.kind === 'clock' || point.kind === 'EIO' || point.kind === 'ENOSPC') await ready(parts, point.victim)
  look(made, state)
  const struck = ['EIO', 'ENOSPC', 'clock'].includes(point.kind) || state.restarts > 0
  return {
    point,
    struck,
    restarts: state.restarts,
    surfaced: state.surfaced,
    wrong: state.wrong,
    ms: Math.round(performance.now() - began)
  }
}

interface Attempt {
  restarts: number
  readonly surfaced: string[]
  readonly traps: Trap[]
  readonly wrong: string[]
}

async function arm(state: Attempt, { kind, at, during }: Point, pid: number): Promise<void> {
  if (kind === 'clock' || during !== undefined) return
  const what = kind === 'EIO' || kind === 'ENOSPC' ? (`error=${kind}` as const) : 'signal=SIGKILL'
  state.traps.push(await setTrap(pid, at, what))
}

/** Asks until it is acknowledged: the same id, so it is one goal however often it is asked for. */
async function ask(parts: Parts, { place }: Traces, pause: string): Promise<string> {
  const id = ulid()
  const assignments = [
    { path: 'goal.place', value: place },
    { path: 'goal.pause', value: pause }
  ]
  await until(
    `goal ${id} is accepted`,
    async () => {
      try {
        await parts.clients[0]!.call('pursue', { id, goal: 'product', program: parts.program!, assignments })
        return true
      } catch (error) {
        if (error instanceof CloudburstError && ['CB_NO_DAEMON', 'CB_STORE_DEGRADED'].includes(error.code)) return false
        if (error instanceof Error && error.name === 'TimeoutError') return false
        throw error
      }
    },
    patience(SETTLE_MS)
  )
  parts.acknowledged.push(id)
  return id
}

/** Starts the daemon that died, after doing to its host what the point says. */
async function bringBack(parts: Parts, state: Attempt, point: Point): Promise<void> {
  const node = parts.mesh.node(point.victim)
  state.restarts++
  for (const trap of state.traps.splice(0)) await trap.release()
  if (state.restarts === 1) await harm(parts, node, point)
  const starting = node.start()
  if (point.kind === 'double' && state.restarts === 1) {
    state.traps.push(await setTrap(node.pid(), point.again, 'signal=SIGKILL'))
    // It may die before it is ready: the next look finds it.
    return void (await starting.catch(() => undefined))
  }
  // Nobody has killed this one: it is wrong, and is brought back at the next look.
  await starting.catch(error => state.wrong.push(`a daemon did not start: ${error instanceof Error ? error.message : String(error)}`))
}

async function harm(parts: Parts, node: MeshNode, { kind }: Point): Promise<void> {
  if (kind === 'runner') await killRunner(node, { steps: false })
  if (kind === 'dead' || kind === 'cut') {
    await killRunner(node, { steps: true })
    if (kind === 'cut') await parts.disk?.cut()
    pretendReboot(node)
  }
}

/** Steps in doubt are tried again, as a person would say; anything else that waits for a person is wrong. */
async function decide(parts: Parts, state: Attempt, point: Point): Promise<void> {
  for (const [at, client] of parts.clients.entries()) {
    const waiting = await client.call('goals', { suspended: true }).catch(() => [])
    for (const run of waiting.filter(each => each.on === undefined)) {
      const { suspended } = await client.call('goal', { id: run.id }).catch(() => run)
      if (suspended === undefined) continue
      const doubtful = suspended.code === 'in-doubt' && (point.kind === 'dead' || point.kind === 'cut')
      if (!doubtful) state.wrong.push(`n${at + 1} suspended a goal: ${suspended.code}: ${suspended.reason}`)
      else state.surfaced.push(`n${at + 1}:${nameOf(suspended.step?.step ?? '?')}`)
      await client.call('repair', { id: run.id, assignments: [] }).catch(() => undefined)
    }
  }
}

/** A step's id is the way to it; its own name comes last. */
function nameOf(step: string): string {
  return [...step.matchAll(/fetch|make|plan|assemble/g)].at(-1)?.[0] ?? step
}

async function strikeDown(parts: Parts, { victim, during }: Point, made: Traces): Promise<void> {
  await until(`${during} runs`, () => made.ran().includes(during!), patience(SETTLE_MS))
  await parts.mesh.node(victim).kill('SIGKILL')
}

async function jump({ clock }: Parts, { jump }: Point, made: Traces): Promise<void> {
  await until('a step of n3 runs', () => made.ran().includes('n3:fetch'), patience(SETTLE_MS))
  setClock(clock!, jump)
  await until('the next step of n3 runs', () => made.ran().includes('n3:make'), patience(SETTLE_MS))
  setClock(clock!, '+0')
}

async function ready(parts: Parts, victim: number): Promise<void> {
  const client = parts.clients[victim - 1]!
  await until(
    `n${victim} is ready again`,
    async () => (await client.call('hello', {}).catch(() => undefined))?.state === 'ready',
    patience(SETTLE_MS)
  )
}

/** Each step ran once, and once more only where somebody was asked. */
function look(made: Traces, { surfaced, wrong }: Attempt): void {
  if (made.product() !== FINISHED) wrong.push(`the product is ${JSON.stringify(made.product())}`)
  const ran = made.ran()
  for (const step of STEPS) {
    const times = ran.filter(each => each === step).length
    const asked = surfaced.filter(each => each === step).length
    if (times < 1 || times > 1 + asked) wrong.push(`${step} ran ${times} times, and was in doubt ${asked} times`)
  }
}

async function statusOf(parts: Parts, at: number, id: string): Promise<string | undefined> {
  return (await goalOf(parts, at, id))?.status
}

async function goalOf(parts: Parts, at: number, id: string): Promise<RunInfo | undefined> {
  return await parts.clients[at]!.call('goal', { id }).catch(() => undefined)
}

async function story(parts: Parts, id: string | undefined): Promise<string> {
  const runs = await Promise.all(parts.clients.map(client => client.call('goals', { limit: 3 }).catch(() => [])))
  return `${id}: ${runs.map((each, at) => `n${at + 1}: ${each.map(run => `${run.goal} ${run.status}`).join(', ')}`).join('; ')}`
}

async function settle(parts: Parts): Promise<readonly string[]> {
  const wrong: string[] = []
  const known = await Promise.all(parts.clients.map(client => client.call('goals', { limit: 1_000 })))
  for (const [at, runs] of known.entries()) {
    // What was refused never became a goal: its asker was down for longer than it may be accepted, and has asked anew since.
    const unfinished = runs.filter(run => run.status !== 'completed' && run.dispatch?.state !== 'refused')
    for (const { id, status, dispatch } of unfinished.slice(0, 1))
      wrong.push(`n${at + 1} has ${unfinished.length} goals that did not complete: ${id} ${status} ${JSON.stringify(dispatch ?? {})}`)
  }
  for (const id of parts.acknowledged)
    if ((await statusOf(parts, 0, id)) !== 'completed') wrong.push(`goal ${id} was acknowledged and is not there`)
  for (const [at, client] of parts.clients.entries()) {
    const { problems } = await client.local('checkstore', {})
    wrong.push(...problems.map(({ reason }) => `the store of n${at + 1}: ${reason}`))
  }
  return wrong
}
