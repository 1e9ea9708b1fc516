/**
 * The goals that this node pursues: accepted once, driven until they rest, driven on after restarts and repairs.
 * What each of them did is in the journal; this file holds nothing that could not be read again from there.
 */
import { CloudburstError } from '../errors.ts'
import { suggest } from '../goals/config/controller.ts'
import { instancesOf } from '../goals/config/instances.ts'
import { bind } from '../goals/config/bind.ts'
import { agentVariables } from '../goals/config/agent-variables.ts'
import { assigned } from '../goals/config/assignment.ts'
import { findGoal } from '../goals/pursuit/call.ts'
import type { Clock, Driver, Fact, Messenger, Probe, Random, Surroundings, World } from '../goals/ports.ts'
import type { AgentProto, GoalProto, Program } from '../goals/program/model.ts'
import { EVENT_VERSION, type Assignment, type GoalEventBody, type Principal, type Write } from '../goals/pursuit/events.ts'
import { pursue } from '../goals/pursuit/pursue.ts'
import type { Tree, Variables } from '../goals/tree.ts'
import { makePlan } from '../goals/plan/make-plan.ts'
import type { Plan } from '../goals/plan/plan.ts'
import type { GoalRequest, RepairRequest } from '../protocols/agency/calls.ts'
import type { Agents } from './agents.ts'
import type { Programs } from './programs.ts'
import type { NodeJournal } from './store/journal.ts'
import type { Log, Op, Store } from './store/store.ts'

/** Goals that may be at work at once; each may hold several processes. The next ones wait their turn, accepted and journaled. */
const PURSUED_MAX = 200
/** Rounds of gathering facts for a configuration. */
const FACT_ROUNDS_MAX = 16

export interface RunsParts {
  readonly store: Store
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly driver: Driver
  readonly probe: Probe
  readonly messenger: Messenger
  readonly clock: Clock
  readonly random: Random
  readonly host: Variables
  readonly peer: Variables
  readonly log: Log
}

/** A goal to be accepted: who asks, and under which id. */
export interface Proposal extends GoalRequest {
  readonly id?: string
  readonly mode?: 'pursue' | 'execute'
  readonly by: Principal
  readonly chain?: readonly string[]
  /** Of a dispatch: the caller's peer id; with the id it makes the request known, so that it is accepted once. */
  readonly caller?: string
  readonly acceptBefore?: number
}

/** A goal, found and ready to be bound. */
interface Found {
  readonly program: Program
  readonly proto: GoalProto
  readonly agentProto?: AgentProto
  readonly agentName?: string
}

export interface Runs {
  plan(request: GoalRequest): Promise<Plan>
  /** Durable on return: from here on the goal is this node's duty. @throws CloudburstError CB_CONFIG_INCOMPLETE, CB_GOAL_UNKNOWN … before anything is accepted */
  accept(proposal: Proposal): Promise<{ readonly id: string; readonly repeated: boolean }>
  /** Durable on return. @throws CloudburstError CB_NOT_SUSPENDED, CB_RUN_UNKNOWN, CB_VALUE_INVALID */
  repair(request: RepairRequest, by: Principal): Promise<void>
  /** Durable on return; a step that runs is ended. */
  cancel(id: string, by: Principal, why?: string): Promise<void>
  /** Asks all goals of an agent to rest at the next step. Resolves when they do. */
  suspendAgent(name: string): Promise<void>
  /** Lets go on what {@link suspendAgent} suspended. */
  resumeAgent(name: string): Promise<void>
  /** Drives on what was at work when the daemon ended. Called once, after the start. */
  resumeAll(): void
  /** No goal is driven on from here: steps that run go on in the runner, and the next daemon goes on with the walk. */
  stop(): Promise<void>
  /** Operations that carry a step's writes below `agent.` to the state of its agent. */
  agentWrites(goalId: string, writes: readonly Write[]): readonly Op[]
  counts(): { readonly running: number; readonly suspended: number }
}

type Cause = Extract<GoalEventBody, { type: 'started' }>['cause']

interface Driven {
  readonly stop: AbortController
  readonly done: Promise<void>
  /** Known once its journal has been read. */
  agent?: string
}

export function openRuns(parts: RunsParts): Runs {
  const { journal, programs, agents, log } = parts
  const driven = new Map<string, Driven>()
  const waiting: (() => void)[] = []
  let ending = false

  const surroundingsFor = (agentName?: string): Surroundings => ({
    agent: () => (agentName !== undefined && agents.has(agentName) ? agents.get(agentName).variables : {}),
    host: parts.host,
    peer: parts.peer
  })

  /** Finds program, goal and agent of a request without changing anything. */
  const find = async (request: GoalRequest): Promise<Found> => {
    const program = request.program === undefined ? await programs.withGoal(request.goal) : await programs.find(request.program)
    const owner = agentOf(program, request, agents)
    const agentProto = owner === undefined ? undefined : program.agents.get(owner.proto)
    const proto = findGoal({ program, ...(agentProto !== undefined && { agent: agentProto }) }, request.goal)
    if (proto === undefined)
      throw new CloudburstError('CB_GOAL_UNKNOWN', `program ${program.name} has no goal ${request.goal}`, {
        goal: request.goal,
        program: program.name
      })
    return { program, proto, ...(agentProto !== undefined && { agentProto }), ...(owner !== undefined && { agentName: owner.name }) }
  }

  /** Refuses a goal whose configuration is not complete, with what could be typed. */
  const requireConfigured = async (found: Found, assignments: readonly Assignment[]): Promise<void> => {
    const facts = new Map<string, Fact>()
    const instances = instancesOf(found.program)
    const surroundings = previewSurroundings(found, surroundingsFor(found.agentName), agents)
    for (let round = 0; round < FACT_ROUNDS_MAX; round++) {
      const bound = bind(found.program, found.proto, { assignments, surroundings, facts, instances })
      if (bound.wanted.length > 0) {
        const answers = await parts.probe.gather(bound.wanted)
        for (const [i, query] of bound.wanted.entries()) facts.set(JSON.stringify(query), answers[i] ?? { kind: 'text', value: undefined })
        continue
      }
      const wrong = bound.errors[0]
      if (wrong !== undefined)
        throw new CloudburstError('CB_VALUE_INVALID', `${wrong.place.file}:${wrong.place.line}:${wrong.place.col}: ${wrong.message}`, {
          goal: found.proto.name
        })
      if (bound.missing.length === 0) return
      const lines = suggest({ command: 'pursue', goal: found.proto.name, assignments, bound })
      throw new CloudburstError('CB_CONFIG_INCOMPLETE', `${found.proto.name} needs ${bound.missing.map(each => each.path).join(', ')}`, {
        goal: found.proto.name,
        lines
      })
    }
  }

  const accept: Runs['accept'] = async proposal => {
    const found = await find(proposal)
    await requireConfigured(found, proposal.assignments)
    if (found.agentName !== undefined && found.agentProto !== undefined)
      await agents.ensure(found.program, found.agentProto, found.agentName)
    const id = proposal.id ?? parts.random.id()
    const body: Extract<GoalEventBody, { type: 'proposed' }> = {
      type: 'proposed',
      version: EVENT_VERSION,
      goal: proposal.goal,
      program: { name: found.program.name, hash: found.program.hash },
      ...(found.agentName !== undefined && { agent: found.agentName }),
      mode: proposal.mode ?? 'pursue',
      assignments: proposal.assignments,
      by: proposal.by,
      chain: proposal.chain ?? []
    }
    const caller = proposal.caller ?? proposal.by.peer
    const accepted = await journal.accept({
      caller,
      request: id,
      goalId: id,
      body,
      acceptBefore: proposal.acceptBefore ?? parts.clock.now()
    })
    if (!accepted.repeated) drive(id, 'first')
    return { id: accepted.goalId, repeated: accepted.repeated }
  }

  /** Starts to drive a goal, at its turn. */
  const drive = (id: string, cause: Cause): void => {
    if (driven.has(id) || ending) return
    const stop = new AbortController()
    const done = driveToRest(id, cause, stop.signal)
      .catch(error => {
        if (!ending) log.error({ err: error, goal: id }, 'a goal could not be driven')
      })
      .finally(() => {
        driven.delete(id)
        waiting.shift()?.()
      })
    driven.set(id, { stop, done })
  }

  const driveToRest = async (id: string, first: Cause, stop: AbortSignal): Promise<void> => {
    if (driven.size >= PURSUED_MAX) await new Promise<void>(resolve => waiting.push(resolve))
    for (let cause = first; !ending; cause = 'restart') {
      try {
        await pursueOnce(id, cause, stop)
        return
      } catch (error) {
        if (!(error instanceof CloudburstError) || error.code !== 'CB_STORE_DEGRADED') throw error
        await storeReady(parts.store, stop)
      }
    }
  }

  const pursueOnce = async (id: string, cause: Cause, stop: AbortSignal): Promise<void> => {
    const events = await journal.read(id)
    const proposed = events[0]?.body
    if (proposed?.type !== 'proposed') throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
    const entry = driven.get(id)
    if (entry !== undefined && proposed.agent !== undefined) entry.agent = proposed.agent
    const program = await programs.withHash(proposed.program.hash)
    if (program === undefined) {
      await journal.append(id, {
        type: 'suspended',
        code: 'program-missing',
        reason: `program ${proposed.program.name} is not here any more`
      })
      return
    }
    const agentProto = proposed.agent === undefined ? undefined : program.agents.get(agents.get(proposed.agent).proto)
    const world: World = { ...parts, journal: untilTheEnd, surroundings: surroundingsFor(proposed.agent) }
    await pursue({
      id,
      program,
      ...(agentProto !== undefined && { agent: agentProto }),
      instances: instancesOf(program),
      world,
      events,
      cause,
      stop
    })
  }

  /** When the daemon ends, a walk stands still at its next event: the next daemon finds its place in the journal. */
  const untilTheEnd: World['journal'] = {
    append: (id, body) => (ending ? new Promise(() => undefined) : journal.append(id, body)),
    read: id => journal.read(id)
  }

  const repair: Runs['repair'] = async (request, by) => {
    const summary = await journal.summary(request.id)
    if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${request.id} is here`, { id: request.id })
    if (summary.status !== 'suspended' || driven.has(request.id)) {
      throw new CloudburstError(
        'CB_NOT_SUSPENDED',
        `goal ${request.id} is ${driven.has(request.id) ? 'pursuing' : summary.status}, not suspended`,
        { id: request.id }
      )
    }
    if (request.seq !== undefined && request.seq !== summary.seq) {
      throw new CloudburstError(
        'CB_NOT_SUSPENDED',
        `goal ${request.id} has changed since event ${request.seq}: somebody else has worked on it`,
        { id: request.id }
      )
    }
    const program = await programs.find(summary.program.hash)
    const agentProto = summary.agent === undefined ? undefined : program.agents.get(agents.get(summary.agent).proto)
    const proto = findGoal({ program, ...(agentProto !== undefined && { agent: agentProto }) }, summary.goal)
    const values = request.assignments.map(each => ({ path: each.path, value: converted(program, proto, agentProto, each) }))
    for (const { path, value } of values) {
      if (path.startsWith('agent.') && summary.agent !== undefined) await agents.assign(summary.agent, path, value)
    }
    await journal.append(request.id, {
      type: 'repaired',
      by,
      verb: 'retry',
      assignments: values,
      ...(request.why !== undefined && { why: request.why })
    })
    drive(request.id, 'repair')
  }

  const cancel: Runs['cancel'] = async (id, by, why) => {
    const summary = await journal.summary(id)
    if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
    if (summary.status === 'completed' || summary.status === 'cancelled')
      throw new CloudburstError('CB_NOT_SUSPENDED', `goal ${id} is ${summary.status} already`, { id })
    const running = driven.get(id)
    if (running !== undefined) {
      running.stop.abort()
      for (const { step, attempt } of openSteps(await journal.read(id))) await parts.driver.stop({ goalId: id, step, attempt })
      await running.done
    }
    await journal.append(id, { type: 'cancelled', by, ...(why !== undefined && { why }) })
    await parts.driver.dropFiles(id)
  }

  return {
    plan: async request => {
      const found = await find(request)
      const surroundings = previewSurroundings(found, surroundingsFor(found.agentName), agents)
      return await makePlan({
        program: found.program,
        ...(found.agentProto !== undefined && { agent: found.agentProto }),
        goal: request.goal,
        assignments: request.assignments,
        instances: instancesOf(found.program),
        surroundings,
        probe: parts.probe
      })
    },
    accept,
    repair,
    cancel,
    suspendAgent: async name => {
      const mine = [...driven.values()].filter(each => each.agent === name)
      for (const each of mine) each.stop.abort()
      await Promise.all(mine.map(each => each.done))
    },
    resumeAgent: async name => {
      for await (const summary of journal.summaries()) {
        if (summary.agent === name && summary.status === 'suspended' && summary.suspended?.code === 'requested') drive(summary.id, 'resume')
      }
    },
    resumeAll: () => {
      for (const run of journal.runs()) {
        if (!run.mirrored && (run.status === 'proposed' || run.status === 'pursuing') && !journal.damaged.has(run.id))
          drive(run.id, 'restart')
      }
    },
    stop: () => {
      ending = true
      return Promise.resolve()
    },
    agentWrites: (goalId, writes) => {
      const agent = driven.get(goalId)?.agent
      return agent === undefined ? [] : agents.write(agent, writes)
    },
    counts: () => ({ running: driven.size, suspended: journal.runs().filter(run => run.status === 'suspended').length })
  }
}

/** The agent whose goal this is: named, or the one in whose element the goal stands, or the only one of the program. */
function agentOf(program: Program, request: GoalRequest, agents: Agents): { readonly name: string; readonly proto: string } | undefined {
  if (request.agent !== undefined) {
    if (agents.has(request.agent)) return { name: request.agent, proto: agents.get(request.agent).proto }
    if (program.agents.has(request.agent)) return { name: request.agent, proto: request.agent }
    throw new CloudburstError('CB_AGENT_UNKNOWN', `no agent ${request.agent} is here`, { agent: request.agent })
  }
  for (const [name, agent] of program.agents) if (agent.goals.has(request.goal)) return { name, proto: name }
  const [only, second] = program.agents.keys()
  return only !== undefined && second === undefined ? { name: only, proto: only } : undefined
}

/** What a goal would see if its agent were started now: planning starts none. */
function previewSurroundings(found: Found, surroundings: Surroundings, agents: Agents): Surroundings {
  if (found.agentName === undefined || found.agentProto === undefined || agents.has(found.agentName)) return surroundings
  const variables = agentVariables(found.program, found.agentProto)
  return { ...surroundings, agent: () => variables }
}

function converted(program: Program, proto: GoalProto | undefined, agent: AgentProto | undefined, assignment: Assignment): Tree {
  return assigned(program, { ...(proto !== undefined && { proto }), ...(agent !== undefined && { agent }) }, assignment)
}

function openSteps(events: readonly { readonly body: GoalEventBody }[]): readonly { readonly step: string; readonly attempt: number }[] {
  const open = new Map<string, { step: string; attempt: number }>()
  for (const { body } of events) {
    if (body.type === 'step-began') open.set(body.step, { step: body.step, attempt: body.attempt })
    else if (body.type === 'step-ended') open.delete(body.step)
  }
  return [...open.values()]
}

async function storeReady(store: Store, stop: AbortSignal): Promise<void> {
  if (store.state === 'ready') return
  await new Promise<void>(resolve => {
    const end = store.onState(state => {
      if (state !== 'ready') return
      end()
      resolve()
    })
    stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
