/**
 * Corrections of suspended goals: what a person has decided becomes one event, understood and checked before anything is
 * changed; the same event, not yet written, is what a preview is made from. Also the end by cancelling.
 */
import { CloudburstError } from '../../errors.ts'
import { type Assignable, assigned } from '../../goals/config/assignment.ts'
import { instancesOf } from '../../goals/config/instances.ts'
import { makePlan } from '../../goals/plan/make-plan.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import type { AgentProto, GoalProto, Program } from '../../goals/program/model.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import { findGoal } from '../../goals/pursuit/call.ts'
import type { GoalEvent, GoalEventBody, Principal, StepDecision } from '../../goals/pursuit/events.ts'
import { foldHistory } from '../../goals/pursuit/history.ts'
import { methodsFor } from '../../goals/pursuit/methods.ts'
import { type SentGoal, sentGoals } from '../../goals/pursuit/sent-goals.ts'
import { canTakeBack, deedsOf } from '../../goals/pursuit/undo.ts'
import { begunSteps, namedStep } from '../../goals/render/step-names.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { PreviewRequest, RepairRequest } from '../../protocols/agency/calls.ts'
import type { Driving } from './driving.ts'
import type { GoalFinder } from './goal-finder.ts'
import { stopSteps } from './quiescence.ts'
import { mayRepair } from './permitted.ts'
import type { RunsParts } from './runs.ts'
import { type Giver, sealAssignments } from '../secrets/sealing.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'

type Repaired = Extract<GoalEventBody, { type: 'repaired' }>

export interface Repairs {
  /** Durable on return. @throws CloudburstError CB_NOT_SUSPENDED, CB_RUN_UNKNOWN, CB_VALUE_INVALID, CB_USAGE; nothing is changed then */
  repair(request: RepairRequest, by: Principal): Promise<void>
  /** What the repair would keep, do again and do anew, or what cancelling would undo; changes nothing. @throws like {@link repair} */
  preview(request: PreviewRequest, by: Principal): Promise<Plan>
  /**
   * Gives the goal up; a step that runs is ended. What its methods can undo is undone first, by the walk: the goal is cancelled after
   * that. One that is being undone already is left as it is. Durable on return.
   * @param undo false: what was done stays done
   */
  cancel(id: string, by: Principal, why?: string, undo?: boolean): Promise<void>
  /** Its dispatcher gave it up while this node was away: its steps are ended and it waits for a person. Nothing when it is over. Durable on return. */
  fence(id: string, by: Principal, why?: string): Promise<void>
}

export function openRepairs(parts: RunsParts, driving: Driving, finder: GoalFinder): Repairs {
  const { journal } = parts
  /** What is being decided about goals right now: one thing at a time, or a goal would be driven on after it was cancelled. */
  const deciding = new Map<string, Promise<void>>()
  /** While a goal is being ended, it comes to rest in between: that it waits for a person then is not told. */
  const unseen = async (id: string, work: () => Promise<void>): Promise<void> => {
    const tell = journal.withhold(id)
    try {
      await work()
    } finally {
      tell()
    }
  }
  const decide = async (id: string, work: () => Promise<void>): Promise<void> => {
    const decision = work()
    deciding.set(id, decision)
    try {
      await decision
    } finally {
      deciding.delete(id)
    }
  }

  const repair = async (request: RepairRequest, by: Principal): Promise<void> => {
    const { id } = request
    const { body } = await understand(parts, driving, request, by)
    // What it sets of the agent is in the same batch: a crash shows all of the repair, or nothing.
    await journal.append(id, body)
    driving.drive(id, 'repair')
  }
  const cancel = async (id: string, by: Principal, why: string | undefined, undo: boolean): Promise<void> => {
    const { status } = await known(journal, id)
    if (isOver(status)) throw notSuspended(id, `is ${status} already`)
    const { program, goal } = await known(journal, id)
    mayRepair(parts, by, { program: program.hash, goal, vars: [] })
    await atRest(parts, driving, id)
    const summary = await known(journal, id)
    if (isOver(summary.status)) throw notSuspended(id, `is ${summary.status} already`)
    const said = { by, ...(why !== undefined && { why }) }
    if (undo && (await canUndo(parts, summary))) {
      await journal.append(id, { type: 'undoing', ...said })
      return driving.drive(id, 'repair')
    }
    await endBelow(parts, summary, said)
    await journal.append(id, { type: 'cancelled', ...said })
    await parts.driver.dropFiles(id)
  }
  return {
    // Two people who repair at once: the first wins, the second is told.
    repair: async (request, by) => {
      if (deciding.has(request.id)) throw notSuspended(request.id, 'is being repaired or cancelled by somebody else right now')
      await decide(request.id, () => repair(request, by))
    },
    preview: async (request, by) =>
      await consequencesOf(
        parts,
        finder,
        request.cancel === true ? await understandCancel(parts, request.id, by) : await understand(parts, driving, request, by)
      ),
    cancel: async (id, by, why, undo = true) => {
      for (let before = deciding.get(id); before !== undefined; before = deciding.get(id)) await before.catch(() => undefined)
      await decide(id, () => unseen(id, () => cancel(id, by, why, undo)))
    },
    fence: async (id, by, why) => {
      const summary = await known(journal, id)
      if (isOver(summary.status) || summary.suspended?.code === 'abandoned') return
      await unseen(id, async () => {
        await atRest(parts, driving, id)
        if (isOver((await known(journal, id)).status)) return
        const reason = `${by.node} gave this goal up while this node was away${why === undefined ? '' : `: ${why}`}; somebody else may be doing it`
        await journal.append(id, { type: 'suspended', code: 'abandoned', reason })
      })
    }
  }
}

/** Ends the steps of a goal that run, and its waiting for others; resolves when it rests. */
async function atRest({ driver, journal }: RunsParts, driving: Driving, id: string): Promise<void> {
  const resting = driving.leave(id)
  if (resting === undefined) return
  await stopSteps(driver, id, await journal.read(id))
  await resting
}

/** Ends what the goal has asked of other nodes and waits for, as it is; durable on return, however far away they are. */
async function endBelow({ journal, messenger }: RunsParts, summary: RunSummary, said: { by: Principal; why?: string }): Promise<void> {
  const { id, goal, chain = [] } = summary
  const open = sentGoals(await journal.read(id)).filter(({ isDone }) => !isDone)
  const never = new AbortController().signal
  const end = (sent: SentGoal) =>
    messenger.takeBack?.({ ...sent, id: sent.run, as: sent.run, chain: [...chain, `${id}:${goal}`], undo: false, ...said }, never)
  await Promise.all(open.map(end))
}

/** What the goal would do if the event were written. */
async function consequencesOf(parts: RunsParts, finder: GoalFinder, { summary, events, source, body }: Understood): Promise<Plan> {
  const undoes = await undoneBy(parts, summary, events, body)
  return await makePlan({
    program: source.program,
    ...(source.agent !== undefined && { agent: source.agent }),
    goal: summary.goal,
    assignments: summary.assignments,
    instances: instancesOf(source.program),
    surroundings: finder.surroundings(summary.agent),
    probe: parts.probe,
    ...(undoes !== undefined && { undoes }),
    events: [...events, { goalId: summary.id, seq: summary.seq + 1, at: parts.clock.now(), body }]
  })
}

/** Journals of what the event has taken back instead of pursuing the goal; undefined when that is not what it does. */
async function undoneBy(
  parts: RunsParts,
  summary: RunSummary,
  events: readonly GoalEvent[],
  body: GoalEventBody
): Promise<readonly (readonly GoalEvent[])[] | undefined> {
  if (body.type === 'undoing') return (await canUndo(parts, summary)) ? [events] : []
  return summary.undoes === undefined ? undefined : await Promise.all(summary.undoes.map(each => parts.journal.read(each)))
}

/** Whether something was done, here or elsewhere, that methods of the program can undo, and nobody has asked for that before. */
async function canUndo(parts: RunsParts, summary: RunSummary): Promise<boolean> {
  const deeds = deedsOf(await parts.journal.read(summary.id))
  if (deeds.history.undoing !== undefined) return false
  const source = await sourceOf(parts, summary, undefined).catch(() => undefined)
  return source !== undefined && canTakeBack(source, deeds)
}

/** That the goal is given up. @throws CloudburstError CB_NOT_SUSPENDED when it is over, CB_RUN_UNKNOWN, CB_DENIED */
async function understandCancel(parts: RunsParts, id: string, by: Principal): Promise<Understood> {
  const summary = await known(parts.journal, id)
  if (isOver(summary.status)) throw notSuspended(id, `is ${summary.status} already`)
  mayRepair(parts, by, { program: summary.program.hash, goal: summary.goal, vars: [] })
  const source = await sourceOf(parts, summary, undefined)
  return { summary, events: await parts.journal.read(id), source, body: { type: 'undoing', by } }
}

/** A repair, understood: every name in it means something, every value fits. */
interface Understood<Body extends GoalEventBody = GoalEventBody> {
  readonly summary: RunSummary
  readonly events: readonly GoalEvent[]
  readonly source: Source
  readonly body: Body
}

/** What the goal goes on with. */
interface Source {
  readonly program: Program
  readonly agent?: AgentProto
  readonly proto: GoalProto
}

async function understand(parts: RunsParts, driving: Driving, request: RepairRequest, by: Principal): Promise<Understood<Repaired>> {
  const { id, why, stepwise } = request
  const summary = await restingGoal(parts.journal, driving, request)
  const events = await parts.journal.read(id)
  const source = await sourceOf(parts, summary, request.program)
  const to: Assignable = { results: true, proto: source.proto, ...(source.agent !== undefined && { agent: source.agent }) }
  const given = request.assignments.map(each => ({ path: each.path, value: assigned(source.program, to, each) }))
  const giver: Giver = by.peer === parts.peer['id']?.value ? 'own' : 'peer'
  const ownerOf = (path: string): string => (path.startsWith('agent.') ? `agent.${summary.agent}` : id)
  const decisions = decided(request, events)
  const step = stepwise === undefined || stepwise === 'look' ? undefined : waitingStep(id, events)
  const method = request.method === undefined ? undefined : methodOf(source, events, request.method)
  const { name, hash } = source.program
  const writes = (request.decisions ?? []).flatMap(decision => decision.writes ?? [])
  mayRepair(parts, by, { program: hash, goal: summary.goal, vars: [...request.assignments, ...writes].map(({ path }) => path) })
  const body: Repaired = {
    type: 'repaired',
    by,
    verb: stepwise ?? 'retry',
    ...(step !== undefined && { step }),
    assignments: given.flatMap(each => sealAssignments(parts.vault, ownerOf(each.path), source.program, to, [each], giver)),
    ...(decisions.length > 0 && { decisions }),
    ...(method !== undefined && { method }),
    ...(request.program !== undefined && { program: { name, hash } }),
    ...(why !== undefined && { why })
  }
  return { summary, events, source, body }
}

async function restingGoal(journal: NodeJournal, driving: Driving, { id, seq }: RepairRequest): Promise<RunSummary> {
  // The event of the suspension is told a moment before the walk has ended.
  if ((await known(journal, id)).status === 'suspended') await driving.rest(id)
  const summary = await known(journal, id)
  if (summary.status !== 'suspended') throw notSuspended(id, `is ${summary.status}, not suspended${whoElse(await journal.read(id), seq)}`)
  if (seq !== undefined && seq !== summary.seq)
    throw notSuspended(id, `has changed since event ${seq}${whoElse(await journal.read(id), seq)}`)
  return summary
}

/** What a person did last to the goal, after event `seq` if that is known: for the one who came second. */
function whoElse(events: readonly GoalEvent[], seq = 0): string {
  const last = events.findLast(event => event.seq > seq && (event.body.type === 'repaired' || event.body.type === 'cancelled'))
  if (last?.body.type !== 'repaired' && last?.body.type !== 'cancelled') return ''
  const { by, why, type } = last.body
  const set = last.body.type === 'repaired' ? last.body.assignments.map(({ path }) => path) : []
  const what = `${type} by ${by.email ?? by.node}${set.length === 0 ? '' : `, who set ${set.join(', ')}`}`
  return `: ${what}${why === undefined ? '' : ` (${why})`}, event ${last.seq} at ${new Date(last.at).toISOString()}`
}

async function sourceOf({ programs, agents }: RunsParts, summary: RunSummary, edited: string | undefined): Promise<Source> {
  const program = await programs.find(edited ?? summary.program.hash)
  const agentName = summary.agent === undefined ? undefined : agents.get(summary.agent).proto
  const agent = agentName === undefined ? undefined : program.agents.get(agentName)
  if (agentName !== undefined && agent === undefined)
    throw new CloudburstError('CB_USAGE', `the edited program ${program.name} has no agent ${agentName}, which the goal belongs to`, {
      id: summary.id
    })
  const proto = findGoal({ program, ...(agent !== undefined && { agent }) }, summary.goal)
  if (proto === undefined)
    throw new CloudburstError('CB_GOAL_UNKNOWN', `program ${program.name} has no goal ${summary.goal} any more`, {
      id: summary.id,
      goal: summary.goal
    })
  return { program, proto, ...(agent !== undefined && { agent }) }
}

/** Decisions are about steps that were met; leaving one out needs a reason that others can read later. */
function decided({ id, decisions = [], why }: RepairRequest, events: readonly GoalEvent[]): readonly StepDecision[] {
  const steps = begunSteps(events)
  return decisions.map(decision => {
    if (decision.verdict === 'skip' && (why ?? '').trim() === '')
      throw new CloudburstError('CB_USAGE', `skipping ${decision.step} needs a reason: --why TEXT`, { id, command: 'repair' })
    const step = namedStep(id, decision.step, steps, 'repair')
    if (decision.verdict === 'failed') requireDoubt(id, step, events)
    return { ...decision, step }
  })
}

/** Of a step that nobody knows the end of, a person may say it. @throws CloudburstError CB_USAGE when it is known */
function requireDoubt(id: string, step: string, events: readonly GoalEvent[]): void {
  const status = foldHistory(events).steps.get(step)?.ended?.status
  if (status === undefined || status === 'in-doubt') return
  const known = status === 'completed' ? 'it was completed' : `it is known how it ended: ${status}`
  throw new CloudburstError('CB_USAGE', `step ${step} is not in doubt, ${known}; --again runs a step once more`, { id, command: 'repair' })
}

/** `INSTANCE:METHOD`, or a method of the goal that failed. */
function methodOf({ program, agent }: Source, events: readonly GoalEvent[], text: string): NonNullable<Repaired['method']> {
  const cut = text.lastIndexOf(':')
  const last = events.findLast(({ body }) => body.type === 'suspended')?.body
  const instance = cut > 0 ? text.slice(0, cut) : last?.type === 'suspended' ? last.instance : undefined
  const began = events.findLast(({ body }) => body.type === 'goal-began' && body.instance === instance)?.body
  if (instance === undefined || began?.type !== 'goal-began')
    throw new CloudburstError('CB_USAGE', `no goal ${instance ?? ''} was begun in this run: use INSTANCE:METHOD`, { command: 'repair' })
  const proto = findGoal({ program, ...(agent !== undefined && { agent }) }, began.goal)
  const names = proto === undefined ? [] : methodsFor({ program, ...(agent !== undefined && { agent }) }, proto).map(each => each.name)
  const method = text.slice(cut + 1)
  if (!names.includes(method))
    throw new CloudburstError(
      'CB_USAGE',
      `goal ${began.goal} has no method ${method}${didYouMean(method, names)}; it has ${names.join(', ')}`,
      { command: 'repair' }
    )
  return { instance, method }
}

/** The step that a stepwise goal waits before. @throws CloudburstError CB_NOT_SUSPENDED when it waits for something else */
function waitingStep(id: string, events: readonly GoalEvent[]): string {
  const last = events.findLast(({ body }) => body.type === 'suspended')?.body
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
