/**
 * The goals that this node pursues: accepted once, repaired, cancelled, found again after a restart.
 * What each of them did is in the journal; nothing here could not be read again from there.
 */
import { CloudburstError } from '../errors.ts'
import { type Assignable, assigned } from '../goals/config/assignment.ts'
import { instancesOf } from '../goals/config/instances.ts'
import { makePlan } from '../goals/plan/make-plan.ts'
import type { Plan } from '../goals/plan/plan.ts'
import type { Clock, Driver, Messenger, Probe, Random, Vault } from '../goals/ports.ts'
import { type Assignment, EVENT_VERSION, type GoalEventBody, type Principal, type Write } from '../goals/pursuit/events.ts'
import { findGoal } from '../goals/pursuit/call.ts'
import type { RunSummary } from '../goals/pursuit/summary.ts'
import type { AgentProto, GoalProto } from '../goals/program/model.ts'
import type { Tree, Variables } from '../goals/tree.ts'
import type { GoalRequest, RepairRequest } from '../protocols/agency/calls.ts'
import type { Agents } from './agents.ts'
import { type Driving, openDriving } from './driving.ts'
import { goalFinder } from './goal-finder.ts'
import type { Programs } from './programs.ts'
import { type Giver, sealAssignments } from './sealing.ts'
import type { NodeJournal } from './store/journal.ts'
import type { Log, Op, Store } from './store/store.ts'

export interface RunsParts {
  readonly store: Store
  readonly journal: NodeJournal
  readonly programs: Programs
  readonly agents: Agents
  readonly driver: Driver
  readonly probe: Probe
  readonly messenger: Messenger
  readonly vault: Vault
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
  stop(): void
  /** Operations that carry a step's writes below `agent.` to the state of its agent. */
  agentWrites(goalId: string, writes: readonly Write[]): readonly Op[]
  counts(): { readonly running: number; readonly suspended: number }
}

export function openRuns(parts: RunsParts): Runs {
  const { journal, agents } = parts
  const finder = goalFinder(parts)
  const driving = openDriving({ ...parts, finder })
  return {
    plan: async request => {
      const found = await finder.find(request)
      return await makePlan({
        program: found.program,
        ...(found.agentProto !== undefined && { agent: found.agentProto }),
        goal: request.goal,
        assignments: await finder.configure(found, request, 'plan'),
        instances: instancesOf(found.program),
        surroundings: finder.preview(found),
        probe: parts.probe,
        ...(request.locale !== undefined && { locale: request.locale })
      })
    },
    accept: async proposal => {
      const found = await finder.find(proposal)
      const given = await finder.configure(found, proposal, 'pursue')
      const { agentName, agentProto, program } = found
      if (agentName !== undefined && agentProto !== undefined) await agents.ensure(program, agentProto, agentName)
      const goalId = proposal.id ?? parts.random.id()
      const assignments = sealAssignments(
        parts.vault,
        goalId,
        program,
        assignable(found.proto, agentProto),
        given,
        giverOf(parts, proposal.by)
      )
      const caller = proposal.caller ?? proposal.by.peer
      const acceptBefore = proposal.acceptBefore ?? parts.clock.now()
      const accepted = await journal.accept({
        caller,
        request: goalId,
        goalId,
        body: proposed({ ...proposal, assignments }, program, agentName),
        acceptBefore
      })
      if (!accepted.repeated) driving.drive(accepted.goalId, 'first')
      return { id: accepted.goalId, repeated: accepted.repeated }
    },
    repair: oneAtATime((request, by) => repair(parts, driving, request, by)),
    cancel: (id, by, why) => cancel(parts, driving, id, by, why),
    suspendAgent: async name => {
      await Promise.all(driving.ofAgent(name).map(id => driving.halt(id)))
    },
    resumeAgent: async name => {
      for await (const { id, agent, status, suspended } of journal.summaries()) {
        if (agent === name && status === 'suspended' && suspended?.code === 'requested') driving.drive(id, 'resume')
      }
    },
    resumeAll: () => {
      for (const { id, mirrored, status } of journal.runs()) {
        if (!mirrored && (status === 'proposed' || status === 'pursuing') && !journal.damaged.has(id)) driving.drive(id, 'restart')
      }
    },
    stop: () => driving.end(),
    agentWrites: (goalId, writes) => driving.agentWrites(goalId, writes),
    counts: () => ({ running: driving.count(), suspended: journal.runs().filter(run => run.status === 'suspended').length })
  }
}

function proposed(proposal: Proposal, { name, hash }: RunSummary['program'], agent?: string): Extract<GoalEventBody, { type: 'proposed' }> {
  const { goal, mode = 'pursue', assignments, by, chain = [], locale, stepwise } = proposal
  return {
    type: 'proposed',
    version: EVENT_VERSION,
    goal,
    program: { name, hash },
    ...(agent !== undefined && { agent }),
    mode,
    assignments,
    by,
    chain,
    ...(locale !== undefined && { locale }),
    ...(stepwise === true && { stepwise })
  }
}

/** Two people who repair at once: the first wins, the second is told. */
function oneAtATime(repair: Runs['repair']): Runs['repair'] {
  const repairing = new Set<string>()
  return async (request, by) => {
    if (repairing.has(request.id)) throw notSuspended(request.id, 'is being repaired by somebody else right now')
    repairing.add(request.id)
    try {
      await repair(request, by)
    } finally {
      repairing.delete(request.id)
    }
  }
}

async function repair(parts: RunsParts, driving: Driving, request: RepairRequest, by: Principal): Promise<void> {
  const { journal, agents } = parts
  const { id, why, stepwise } = request
  // The event of the suspension is told a moment before the walk has ended.
  if ((await known(journal, id)).status === 'suspended') await driving.rest(id)
  const summary = await known(journal, id)
  if (summary.status !== 'suspended') throw notSuspended(id, `is ${summary.status}, not suspended`)
  if (request.seq !== undefined && request.seq !== summary.seq)
    throw notSuspended(id, `has changed since event ${request.seq}: somebody else has worked on it`)

  const { given, assignments } = await understood(parts, summary, request.assignments, by)
  for (const { path, value } of given) {
    if (path.startsWith('agent.') && summary.agent !== undefined) await agents.assign(summary.agent, path, value)
  }
  const step = stepwise === undefined || stepwise === 'look' ? undefined : await waitingStep(journal, id)
  await journal.append(id, {
    type: 'repaired',
    by,
    verb: stepwise ?? 'retry',
    ...(step !== undefined && { step }),
    assignments,
    ...(why !== undefined && { why })
  })
  driving.drive(id, 'repair')
}

/** Values in the form that their places need, before anything is changed; and the same as they may be written down. */
async function understood(
  parts: RunsParts,
  { id, program, agent, goal }: RunSummary,
  assignments: readonly Assignment[],
  by: Principal
): Promise<{ readonly given: readonly { readonly path: string; readonly value: Tree }[]; readonly assignments: readonly Assignment[] }> {
  const source = await parts.programs.find(program.hash)
  const agentProto = agent === undefined ? undefined : source.agents.get(parts.agents.get(agent).proto)
  const proto = findGoal({ program: source, ...(agentProto !== undefined && { agent: agentProto }) }, goal)
  const to = assignable(proto, agentProto)
  const given = assignments.map(each => ({ path: each.path, value: assigned(source, to, each) }))
  return { given, assignments: sealAssignments(parts.vault, id, source, to, given, giverOf(parts, by)) }
}

function assignable(proto: GoalProto | undefined, agent: AgentProto | undefined): Assignable {
  return { results: true, ...(proto !== undefined && { proto }), ...(agent !== undefined && { agent }) }
}

/** This node's own people, or a peer that asks on behalf of its. */
function giverOf({ peer }: RunsParts, by: Principal): Giver {
  return by.peer === peer['id']?.value ? 'own' : 'peer'
}

async function cancel({ journal, driver }: RunsParts, driving: Driving, id: string, by: Principal, why?: string): Promise<void> {
  const { status } = await known(journal, id)
  if (status === 'completed' || status === 'cancelled') throw notSuspended(id, `is ${status} already`)
  const resting = driving.halt(id)
  if (resting !== undefined) {
    for (const { step, attempt } of openSteps(await journal.read(id))) await driver.stop({ goalId: id, step, attempt })
    await resting
  }
  await journal.append(id, { type: 'cancelled', by, ...(why !== undefined && { why }) })
  await driver.dropFiles(id)
}

/** The step that a stepwise goal waits before. @throws CloudburstError CB_NOT_SUSPENDED when it waits for something else */
async function waitingStep(journal: NodeJournal, id: string): Promise<string> {
  const last = (await journal.read(id)).findLast(({ body }) => body.type === 'suspended')?.body
  if (last?.type !== 'suspended' || last.code !== 'stepping' || last.step === undefined)
    throw notSuspended(id, 'does not wait before a step')
  return last.step
}

async function known(journal: NodeJournal, id: string): Promise<RunSummary> {
  const summary = await journal.summary(id)
  if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
  return summary
}

function notSuspended(id: string, what: string): CloudburstError {
  return new CloudburstError('CB_NOT_SUSPENDED', `goal ${id} ${what}`, { id })
}

function openSteps(events: readonly { readonly body: GoalEventBody }[]): readonly { readonly step: string; readonly attempt: number }[] {
  const open = new Map<string, { step: string; attempt: number }>()
  for (const { body } of events) {
    if (body.type === 'step-began') open.set(body.step, { step: body.step, attempt: body.attempt })
    else if (body.type === 'step-ended') open.delete(body.step)
  }
  return [...open.values()]
}
