/**
 * Letting goals rest and go on because a person says so: one, or all of an agent. What was said is on disk before it is done,
 * so that a restart in the middle changes nothing; and what an agent's program wants done when it is stopped.
 */
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { StepInFlight } from '../../protocols/agency/calls.ts'
import type { Agents } from '../agency/agents.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'
import type { Log } from '../store/store.ts'
import type { Driving } from './driving.ts'
import { type Holds, holdsStill, holdText } from './holds.ts'
import { quiesce, type Quiescing } from './quiescence.ts'

export interface Resting {
  /** Durable on return. @returns steps that still run. @throws CloudburstError CB_NOT_SUSPENDED when it does not run */
  suspendGoal(id: string, by: Principal, why?: string): Promise<readonly StepInFlight[]>
  /** Lets go on what {@link suspendGoal} suspended; durable on return. @throws CloudburstError CB_NOT_SUSPENDED when it waits for something else */
  resumeGoal(id: string, by: Principal, why?: string): Promise<void>
  /** Why a goal is to rest whose step still runs. */
  whyToRest(id: string): string | undefined
  /** Durable on return. @returns steps that still run */
  suspendAgent(name: string): Promise<readonly StepInFlight[]>
  /** Lets go on what {@link suspendAgent} suspended. Durable on return. */
  resumeAgent(name: string): Promise<void>
  /**
   * Ends an agent: its goals rest, then the goal that its `onStop` names is pursued, without anybody waiting for it here.
   * Durable on return: that goal follows also when this daemon ends first.
   * @param now ends the steps that run, and leaves that goal out
   * @throws CloudburstError CB_CONFIG_INCOMPLETE when that goal needs values, CB_DENIED when `by` may not have it pursued; nothing is stopped then
   */
  stopAgent(name: string, by: Principal, now?: boolean): Promise<readonly StepInFlight[]>
  /** Goes on with what {@link stopAgent} has begun before the daemon ended. */
  resumeStops(): void
}

export interface RestingParts extends Omit<Quiescing, 'journal' | 'driving'> {
  readonly journal: NodeJournal
  readonly agents: Agents
  readonly driving: Driving
  readonly holds: Holds
  readonly log: Log
  /** An id for the goal that is to be pursued when this agent is stopped, if there is one. @throws CloudburstError when it cannot be pursued as it is */
  readonly stopGoal: (agent: string, by: Principal) => Promise<string | undefined>
  /** @throws CloudburstError CB_DENIED when `by` may not let this goal rest or go on */
  readonly permit: (by: Principal, goal: RunSummary) => void
  /** Accepts the goal that a stopped agent wants pursued; the same once more changes nothing. */
  readonly acceptStopGoal: (agent: string, id: string, by: Principal) => Promise<void>
}

export function openResting(parts: RestingParts): Resting {
  const { journal, agents, driving, holds, log } = parts

  const goOn = async (id: string, agent: string): Promise<void> => {
    const summary = await journal.summary(id)
    if (summary?.suspended?.code !== 'requested' || agents.get(agent).status !== 'running') return
    const hold = await holds.get(id)
    if (hold === undefined || !holdsStill(hold, await journal.read(id))) driving.drive(id, 'resume')
  }
  const restAll = (name: string, now: boolean): Promise<readonly StepInFlight[]> =>
    quiesce(parts, driving.ofAgent(name), `agent ${name} is ${agents.get(name).status}`, now)
  const leave = async (name: string): Promise<void> => {
    const { stopGoal } = agents.get(name)
    if (stopGoal === undefined || journal.find(stopGoal.id) !== undefined) return
    await Promise.all(driving.ofAgent(name).map(id => driving.rest(id)))
    // Somebody may have started it again meanwhile.
    if (agents.get(name).stopGoal?.id === stopGoal.id) await parts.acceptStopGoal(name, stopGoal.id, stopGoal.by)
  }
  const leaveInTime = (name: string): Promise<void> =>
    leave(name).catch(error => log.error({ err: error, agent: name }, 'what is to be done when the agent stops was not begun'))

  return {
    suspendGoal: async (id, by, why) => {
      const summary = await known(journal, id)
      const { seq, status } = summary
      parts.permit(by, summary)
      if (isOver(status) || status === 'suspended') throw notNow(id, `is ${status} already`)
      const hold = { by, ...(why !== undefined && { why }), seq }
      await holds.put(id, hold)
      return await quiesce(parts, [id], holdText(hold))
    },
    resumeGoal: async (id, by, why) => {
      const summary = await known(journal, id)
      parts.permit(by, summary)
      const hold = await holds.get(id)
      if (hold !== undefined && !isOver(summary.status) && summary.status !== 'suspended') {
        // Its step has not ended since: it goes on as if nothing had been said.
        await holds.drop(id)
        void driving.rest(id).then(() => resumed(parts, id, by, why).catch(() => undefined))
        return
      }
      await resumed(parts, id, by, why)
    },
    whyToRest: driving.whyHalted,
    suspendAgent: async name => {
      await agents.setStatus(name, 'suspended')
      return await restAll(name, false)
    },
    resumeAgent: async name => {
      await agents.setStatus(name, 'running')
      // A goal whose step has not ended since the agent was suspended is still on its way to rest.
      for (const id of driving.ofAgent(name)) void driving.rest(id).then(() => goOn(id, name))
      for (const { id } of journal.runs().filter(run => run.agent === name && run.status === 'suspended')) await goOn(id, name)
    },
    stopAgent: async (name, by, now = false) => {
      const { status } = agents.get(name)
      const id = now || status === 'stopped' ? undefined : await parts.stopGoal(name, by)
      await agents.setStatus(name, 'stopped', id === undefined ? undefined : { id, by })
      const inFlight = await restAll(name, now)
      if (inFlight.length > 0) void leaveInTime(name)
      else await leaveInTime(name)
      return inFlight
    },
    resumeStops: () => {
      for (const { name, status } of agents.list()) if (status === 'stopped') void leaveInTime(name)
    }
  }
}

async function resumed({ journal, driving, holds }: RestingParts, id: string, by: Principal, why?: string): Promise<void> {
  // The event of the suspension is told a moment before the walk has ended.
  if ((await known(journal, id)).status === 'suspended') await driving.rest(id)
  const { status, suspended } = await known(journal, id)
  if (status !== 'suspended') throw notNow(id, `is ${status}, not suspended`)
  if (suspended?.code !== 'requested')
    throw notNow(id, `was not suspended by hand; it waits for a repair: ${suspended?.reason ?? 'see why'}`)
  await journal.append(id, { type: 'repaired', by, verb: 'resume', assignments: [], ...(why !== undefined && { why }) })
  await holds.drop(id).catch(() => undefined)
  driving.drive(id, 'resume')
}

async function known(journal: NodeJournal, id: string): Promise<RunSummary> {
  const summary = await journal.summary(id)
  if (summary === undefined) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is here`, { id })
  return summary
}

function notNow(id: string, what: string): CloudburstError {
  return new CloudburstError('CB_NOT_SUSPENDED', `goal ${id} ${what}`, { id })
}
