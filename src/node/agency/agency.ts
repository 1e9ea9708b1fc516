/**
 * The agency of this node: every call of protocols/agency/calls.ts, done here. Who may call what has been decided
 * before: at the control socket by the file system, for peers by protocols/agency/server.ts.
 */
import { CloudburstError, toErrorData } from '../../errors.ts'
import { assigned } from '../../goals/config/assignment.ts'
import { Config } from '../../goals/config/config.ts'
import { tabulate } from '../../goals/config/tabulator.ts'
import { choicesOf, explainSuspension } from '../../goals/pursuit/summarise.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { PlanBasis } from '../../goals/plan/basis.ts'
import { announcedBy } from '../../goals/plan/conformance.ts'
import type { Plan, There } from '../../goals/plan/plan.ts'
import type { RunSummary, Suspension } from '../../goals/pursuit/summary.ts'
import type { GoalEvent, Principal } from '../../goals/pursuit/events.ts'
import type {
  Agency,
  AgentDetail,
  AgentInfo,
  CallName,
  Calls,
  DispatchInfo,
  EventItem,
  GoalRequest,
  NodeInfo,
  RunInfo,
  StepInFlight,
  StreamCalls
} from '../../protocols/agency/calls.ts'
import { type Agent, type Agents, INVENTORY_AGENT } from './agents.ts'
import type { Question } from '../dispatch/anticipate.ts'
import { driftOf } from './drift.ts'
import { events, feed, type OutputSource } from '../goals/feed.ts'
import type { Programs } from '../programs/programs.ts'
import { requireThere, withThere } from './there.ts'
import { requireAgent } from '../goals/permitted.ts'
import { fullId } from '../goals/run-id.ts'
import type { Runs } from '../goals/runs.ts'
import { refuseStale } from '../goals/stale-plan.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'
import type { Upgrades } from '../upgrading/upgrades.ts'

/** Most runs in one answer, newest first; a page a person can still read. */
const RUNS_PER_ANSWER_MAX = 1_000
/** Open runs of an examined agent whose choice of methods is told: each is read from the journal. */
const RUNS_EXPLAINED_MAX = 20

export interface AgencyParts {
  readonly info: () => NodeInfo
  /** Peer id of this node. */
  readonly self: string
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly runs: Runs
  readonly output: OutputSource
  /** Checks at the effect, of what is done to agents; goals have their own. Absent: whoever gets as far may do anything. */
  readonly permits?: EffectCheck
  /** What this node knows of all nodes: the replica of SendStateUpdate. */
  readonly state: {
    /** Resolves when what this node did so far is among what is known: who has seen a goal end finds what it wrote. */
    settled(): Promise<void>
    get(path: string): Calls['state']['reply']['value']
    watch(path: string, signal: AbortSignal, cursor?: string): AsyncIterable<StreamCalls['watch']['item']>
    explain(path: string): Calls['explain']['reply']
    /** Over restarts; what was not written down when a machine lost its power is left out. */
    history(path: string): Promise<Calls['history']['reply']['changes']>
    update(request: Calls['update']['request']): Promise<Calls['update']['reply']>
    /** Name or peer id. */
    forget(node: string, why?: string): Promise<Calls['forget']['reply']>
    acceptFork(node: string): Promise<Calls['acceptfork']['reply']>
  }
  /** What a goal would meet on another node. Absent: there are none. @throws CloudburstError CB_PEER_UNKNOWN */
  readonly anticipate?: (selector: string, question: Question, by: Principal, signal: AbortSignal) => Promise<There>
  /** This node in another release. Absent: it cannot be upgraded. */
  readonly upgrades?: Upgrades
  /** Goals sent to other nodes: where each is pursued, and why nothing is heard of it. */
  readonly sent: {
    nodeOf(id: string): string | undefined
    /** Says why a goal that was sent away, or one of this node that needs such, has to wait; each time it changes. @returns ends it */
    onWaiting(id: string, listener: (reason: string) => void): () => void
    /** Sub-goals sent away that a goal of this node has to wait for, each with why. */
    awaitedBy(id: string): readonly string[]
    /** Goals sent away of which nothing is known but that they were sent, newest first. */
    unheard(limit: number): Promise<readonly RunInfo[]>
    /** The same of one goal; undefined when it was not sent from here. */
    info(id: string): Promise<RunInfo | undefined>
    /** Ids of everything sent from here, for those who look goals up by the beginning of their id. */
    ids(): readonly { readonly id: string }[]
    /** What is to be said of it besides its events. */
    standing(id: string): Promise<DispatchInfo | undefined>
    /** Whether more is to be heard of it: neither refused nor at its outcome. */
    isOpen(id: string): Promise<boolean>
    /** Sends a repair on to the node that pursues the goal. */
    repair(request: Calls['repair']['request'], by: Principal): Promise<void>
    /** Asks the node to which the goal `id` was sent what it would do for `request`. */
    plan(id: string, request: GoalRequest, by: Principal): Promise<Plan>
    preview(request: Calls['preview']['request'], by: Principal): Promise<Plan>
    cancel(request: Calls['cancel']['request'], by: Principal): Promise<{ readonly kept: boolean }>
    suspend(request: Calls['suspendgoal']['request'], by: Principal): Promise<readonly StepInFlight[]>
    resume(request: Calls['resumegoal']['request'], by: Principal): Promise<void>
  }
}

type CallTable = {
  readonly [N in CallName]: (request: Calls[N]['request'], by: Principal, signal: AbortSignal) => Promise<Calls[N]['reply']>
}

/** The agency as an object with the calls as data, so that one server serves them all. */
export function openAgency(parts: AgencyParts): Agency {
  const calls = callTable(parts)
  const streams = {
    events: (request: StreamCalls['events']['request'], signal: AbortSignal): AsyncIterable<EventItem> => follow(parts, request, signal),
    watch: (request: StreamCalls['watch']['request'], signal: AbortSignal) => parts.state.watch(request.path, signal, request.cursor)
  }
  const never = new AbortController().signal
  return {
    call: (name, request, by, signal = never) => calls[name](request, by, signal),
    stream: (name, request, _by, signal = never) => streams[name](request as never, signal) as never
  }
}

function callTable(parts: AgencyParts): CallTable {
  const { journal, programs, agents, runs, sent } = parts
  const find = async (id: string): Promise<RunSummary> => {
    const full = fullId(known(parts), id)
    const summary = (await journal.summary(full)) ?? (await sent.info(full))
    if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is known here`, { id })
    return summary
  }
  const detail = async (id: string): Promise<RunInfo> => {
    const summary = await find(id)
    const dispatch = await sent.standing(summary.id)
    const told = await journal.read(summary.id)
    const suspended = whySuspended(summary, told)
    const { variables } = Config.of(told)
    return {
      ...withNode(parts, summary),
      ...(dispatch !== undefined && { dispatch }),
      ...(suspended !== undefined && { suspended }),
      config: variables,
      methods: choicesOf(told)
    }
  }
  const { anticipate } = parts
  // Other nodes are asked with this node's rights: only for its own people.
  const askedThere = async (plan: Plan, by: Principal, signal: AbortSignal): Promise<Plan> =>
    anticipate === undefined || by.peer !== parts.self
      ? plan
      : await withThere(plan, (peer, question) => anticipate(peer, question, by, signal))
  const stillTrue = async (request: GoalRequest, planned: PlanBasis, by: Principal, signal: AbortSignal): Promise<Plan> => {
    const plan = await refuseStale(runs, request, planned)
    requireThere(await askedThere(plan, by, signal))
    return plan
  }
  return {
    hello: () => Promise.resolve(parts.info()),
    programs: () => programs.list(),
    program: async ({ program }) => {
      const found = await programs.find(program)
      return { files: found.files, info: programs.info(found) }
    },
    load: ({ files }, by) => programs.load(files, undefined, by.peer === parts.self),
    list: async ({ program, locale }) => {
      const wanted = program === undefined ? await programs.list() : [programs.info(await programs.find(program))]
      const rows = await Promise.all(wanted.map(async ({ hash }) => tabulate(await programs.find(hash), locale)))
      return rows.flat()
    },
    agents: async () => {
      const counts = countRuns(parts)
      return agents.list().map(agent => agentInfo(agent, counts.get(agent.name)))
    },
    start: async ({ program, agent, name, assignments }, by) => {
      const found = await programs.find(program)
      const proto = found.agents.get(agent ?? [...found.agents.keys()][0] ?? '')
      if (proto === undefined)
        throw new CloudburstError(
          'CB_AGENT_UNKNOWN',
          `program ${found.name} has no agent${agent === undefined ? '' : ` ${agent}${didYouMean(agent, found.agents.keys())}`}`,
          {
            program: found.name
          }
        )
      mayAct(parts, by, 'agent:start', { program: found.hash, vars: assignments.map(({ path }) => path) })
      const started = await agents.start(found, proto, name ?? proto.name)
      for (const { path, value } of assignments) {
        await agents.assign(started.name, path, assigned(found, { agent: proto }, { path, value }))
      }
      return await withCounts(parts, started.name)
    },
    examine: async ({ agent }) => await examine(parts, agents.get(agent)),
    suspend: async ({ agent }, by) => {
      mayControl(parts, by, agent)
      return await withInFlight(parts, agent, await runs.suspendAgent(agent))
    },
    resume: async ({ agent }, by) => {
      mayControl(parts, by, agent)
      await runs.resumeAgent(agent)
      return await withCounts(parts, agent)
    },
    stop: async ({ agent, now }, by) => {
      mayControl(parts, by, agent)
      return await withInFlight(parts, agent, await runs.stopAgent(agent, by, now))
    },
    plan: async (request, by, signal) => {
      const plan = await askedThere(await runs.plan(request), by, signal)
      if (request.refresh !== true) return plan
      const ask = async (id: string, asked: GoalRequest): Promise<Plan> => {
        if (by.peer !== parts.self) throw new CloudburstError('CB_DENIED', 'other nodes are asked for people of this node only', { id })
        return await sent.plan(id, asked, by)
      }
      return { ...plan, drift: await driftOf(await runs.lookAgain(request), ask) }
    },
    anticipate: async request => {
      if ((await programs.withHash(request.program)) === undefined) return { holds: false }
      try {
        const { summary, problems } = await runs.plan(request)
        return { holds: true, would: summary, ...(problems[0] !== undefined && { problem: problems[0].message }) }
      } catch (error) {
        return { holds: true, problem: toErrorData(error).message }
      }
    },
    pursue: async ({ planned, ...request }, by, signal) => {
      const announced = planned === undefined ? undefined : announcedBy((await stillTrue(request, planned, by, signal)).nodes)
      return { id: (await runs.accept({ ...request, by, ...(announced !== undefined && { announced }) })).id }
    },
    goals: async ({ suspended, explained, limit = RUNS_PER_ANSWER_MAX }) => {
      const found: RunInfo[] = []
      for await (const summary of journal.summaries(run => suspended !== true || run.status === 'suspended')) {
        const why = explained === true ? whySuspended(summary, await journal.read(summary.id)) : undefined
        found.push({ ...withNode(parts, summary), ...(why !== undefined && { suspended: why }) })
        if (found.length >= Math.min(limit, RUNS_PER_ANSWER_MAX)) break
      }
      if (suspended === true) return found
      const standing = await Promise.all(found.map(run => (run.on === undefined ? undefined : sent.standing(run.id))))
      const told = found.map((run, at) => (standing[at] === undefined ? run : { ...run, dispatch: standing[at] }))
      const all = [...told, ...(await sent.unheard(Math.min(limit, RUNS_PER_ANSWER_MAX)))]
      return all.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, Math.min(limit, RUNS_PER_ANSWER_MAX))
    },
    goal: ({ id }) => detail(id),
    repair: async (request, by) => {
      const { id } = await find(request.id)
      await (sent.nodeOf(id) === undefined ? runs.repair({ ...request, id }, by) : sent.repair({ ...request, id }, by))
      return await detail(id)
    },
    preview: async (request, by) => {
      const { id } = await find(request.id)
      return await (sent.nodeOf(id) === undefined ? runs.preview({ ...request, id }, by) : sent.preview({ ...request, id }, by))
    },
    cancel: async (request, by) => {
      const { id } = await find(request.id)
      const { why, undo, leave } = request
      const how = { ...(why !== undefined && { why }), ...(undo !== undefined && { undo }) }
      if (sent.nodeOf(id) !== undefined) return { ...(await keptBy(sent.cancel({ ...request, id }, by))), ...(await detail(id)) }
      if (leave === true) return { ...(await keptBy(runs.leave(id, by.peer, by, how))), ...(await detail(id)) }
      await runs.cancel(id, by, why, undo)
      return await detail(id)
    },
    suspendgoal: async ({ id: given, why }, by) => {
      const { id } = await find(given)
      const request = { id, ...(why !== undefined && { why }) }
      const inFlight = sent.nodeOf(id) === undefined ? await runs.suspendGoal(id, by, why) : await sent.suspend(request, by)
      return { ...(await detail(id)), ...(inFlight.length > 0 && { inFlight }) }
    },
    resumegoal: async ({ id: given, why }, by) => {
      const { id } = await find(given)
      await (sent.nodeOf(id) === undefined ? runs.resumeGoal(id, by, why) : sent.resume({ id, ...(why !== undefined && { why }) }, by))
      return await detail(id)
    },
    state: async ({ path }) => {
      await parts.state.settled()
      const value = parts.state.get(path)
      return value === undefined ? {} : { value }
    },
    explain: async ({ path }) => {
      await parts.state.settled()
      return parts.state.explain(path)
    },
    history: async ({ path }) => ({ changes: await parts.state.history(path) }),
    update: request => parts.state.update(request),
    forget: ({ node, why }) => parts.state.forget(node, why),
    acceptfork: ({ node }) => parts.state.acceptFork(node),
    release: () => upgradesOf(parts).info(),
    upgrade: (request, by, signal) => upgradesOf(parts).upgrade(request, by, signal),
    keeprelease: request => upgradesOf(parts).keep(request),
    inventory: () => {
      if (!agents.has(INVENTORY_AGENT)) return Promise.resolve({})
      const { variables, startedAt } = agents.get(INVENTORY_AGENT)
      return Promise.resolve({ at: startedAt, variables })
    }
  }
}

function upgradesOf({ upgrades }: AgencyParts): Upgrades {
  if (upgrades !== undefined) return upgrades
  throw new CloudburstError('CB_HOST_UNFIT', 'there is no daemon here to be upgraded', { fix: 'cloudburst deliver USER@HOST' })
}

/** @throws CloudburstError CB_DENIED */
function mayAct(
  { permits, programs }: AgencyParts,
  by: Principal,
  capability: 'agent:start' | 'agent:control',
  what: { readonly program: string; readonly vars?: readonly string[] }
): void {
  if (permits !== undefined) requireAgent({ permits, programs }, by, capability, what)
}

/** @throws CloudburstError CB_DENIED, CB_AGENT_UNKNOWN */
function mayControl(parts: AgencyParts, by: Principal, agent: string): void {
  mayAct(parts, by, 'agent:control', { program: parts.agents.get(agent).program.hash })
}

async function keptBy(given: Promise<{ readonly kept: boolean }>): Promise<{ readonly kept?: true }> {
  return (await given).kept ? { kept: true } : {}
}

/** Every goal with an id that somebody may name here. */
function known({ journal, sent }: AgencyParts): { runs: () => readonly { readonly id: string }[] } {
  return { runs: () => [...journal.runs(), ...sent.ids()] }
}

/** The journal tells more than the summary does, unless it is damaged: then the summary says so. */
function whySuspended({ status, suspended }: RunSummary, told: readonly GoalEvent[]): Suspension | undefined {
  if (status !== 'suspended') return undefined
  return suspended?.code === 'journal-damaged' ? suspended : explainSuspension(told)
}

async function* follow(parts: AgencyParts, request: StreamCalls['events']['request'], signal: AbortSignal): AsyncGenerator<EventItem> {
  const id = fullId(known(parts), request.id)
  if ((await parts.journal.summary(id)) === undefined && parts.sent.nodeOf(id) === undefined)
    throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${request.id} is known here`, { id: request.id })
  const wanted = { ...request, id, awaited: () => parts.sent.isOpen(id) }
  yield* events(feed(parts.journal, parts.output, wanted, signal, listener => parts.sent.onWaiting(id, listener)))
}

function withNode(parts: AgencyParts, summary: RunSummary): RunInfo {
  const on = parts.sent.nodeOf(summary.id)
  const toRest = summary.status === 'suspended' ? undefined : parts.runs.whyToRest(summary.id)
  const waitsFor = isOver(summary.status) ? [] : parts.sent.awaitedBy(summary.id)
  return {
    ...summary,
    ...(on !== undefined && { on }),
    ...(toRest !== undefined && { toRest }),
    ...(waitsFor.length > 0 && { waitsFor })
  }
}

function agentInfo(agent: Agent, goals: AgentInfo['goals'] = { running: 0, suspended: 0 }): AgentInfo {
  const { name, program, proto, status, startedAt, stopGoal } = agent
  return { name, program, proto, status, startedAt, goals, ...(stopGoal !== undefined && { stopGoal: stopGoal.id }) }
}

async function withCounts(parts: AgencyParts, name: string): Promise<AgentInfo> {
  return agentInfo(parts.agents.get(name), countRuns(parts).get(name))
}

async function withInFlight(parts: AgencyParts, name: string, inFlight: readonly StepInFlight[]): Promise<AgentInfo> {
  return { ...(await withCounts(parts, name)), ...(inFlight.length > 0 && { inFlight }) }
}

/** Goals at work and suspended, by agent. */
function countRuns({ journal, sent }: AgencyParts): Map<string, AgentInfo['goals']> {
  const counts = new Map<string, { running: number; suspended: number }>()
  for (const { id, agent, status } of journal.runs()) {
    if (agent === undefined || isOver(status) || sent.nodeOf(id) !== undefined) continue
    const count = counts.get(agent) ?? { running: 0, suspended: 0 }
    counts.set(agent, count)
    count[status === 'suspended' ? 'suspended' : 'running'] += 1
  }
  return counts
}

async function examine(parts: AgencyParts, agent: Agent): Promise<AgentDetail> {
  const runs: RunInfo[] = []
  let explained = 0
  for await (const summary of parts.journal.summaries(run => run.agent === agent.name)) {
    if (parts.sent.nodeOf(summary.id) === undefined) {
      const open = !isOver(summary.status) && ++explained <= RUNS_EXPLAINED_MAX
      runs.push(open ? { ...summary, methods: choicesOf(await parts.journal.read(summary.id)) } : summary)
    }
    if (runs.length >= RUNS_PER_ANSWER_MAX) break
  }
  const count = (...wanted: RunSummary['status'][]): number => runs.filter(run => wanted.includes(run.status)).length
  const goals = { running: count('pursuing', 'proposed'), suspended: count('suspended') }
  return { ...agentInfo(agent, goals), variables: agent.variables, runs }
}
