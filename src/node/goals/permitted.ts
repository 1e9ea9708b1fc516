/** What the checks at the effect ask about a goal of this node: on whose behalf it is pursued, and what it is about. */
import type { GoalEvent, Principal } from '../../goals/pursuit/events.ts'
import { keysBehind } from '../../protocols/behalf.ts'
import type { EffectCheck } from '../permissions/effect.ts'
import type { Subject } from '../permissions/decide.ts'
import type { Programs } from '../programs/programs.ts'
import type { NodeJournal } from '../store/journal.ts'
import { isOver } from '../store/run-index.ts'

export interface PermittedParts {
  readonly permits: EffectCheck
  readonly journal: Pick<NodeJournal, 'summaries'>
  readonly programs: Pick<Programs, 'ownName'>
}

/** A goal as its program knows it. */
export interface GoalAsked {
  /** Hash. */
  readonly program: string
  readonly goal: string
  /** Paths that are set. */
  readonly vars: readonly string[]
}

/**
 * Before a goal is accepted.
 * @throws CloudburstError CB_DENIED
 */
export async function requireDispatch(parts: PermittedParts, by: Principal, asked: GoalAsked): Promise<void> {
  const open = parts.permits.isCounted(by) ? await openGoalsOf(parts, by) : 0
  parts.permits.require(by, 'goal:dispatch', { ...about(parts, asked), open })
}

/** Before a goal is repaired or cancelled. @throws CloudburstError CB_DENIED */
export function requireRepair(parts: Omit<PermittedParts, 'journal'>, by: Principal, asked: GoalAsked): void {
  parts.permits.require(by, 'goal:repair', about(parts, asked))
}

/**
 * Before an agent is started, suspended, let go on or stopped: what it is asked for has passed the door by its name, which may have
 * gone to an agent of another program since.
 * @param vars paths that are set
 * @throws CloudburstError CB_DENIED
 */
export function requireAgent(
  { permits, programs }: Omit<PermittedParts, 'journal'>,
  by: Principal,
  capability: 'agent:start' | 'agent:control',
  { program, vars }: { readonly program: string; readonly vars?: readonly string[] }
): void {
  const programName = programs.ownName(program)
  permits.require(by, capability, { program, ...(programName !== undefined && { programName }), ...(vars !== undefined && { vars }) })
}

/** The same where permits may be absent: then only this node's own people can ask. @throws CloudburstError CB_DENIED */
export async function mayDispatch(
  parts: Partial<PermittedParts> & Omit<PermittedParts, 'permits'>,
  by: Principal,
  asked: GoalAsked
): Promise<void> {
  if (parts.permits !== undefined) await requireDispatch({ ...parts, permits: parts.permits }, by, asked)
}

/** @throws CloudburstError CB_DENIED */
export function mayRepair(
  { permits, programs }: Pick<Partial<PermittedParts>, 'permits'> & Pick<PermittedParts, 'programs'>,
  by: Principal,
  asked: GoalAsked
): void {
  if (permits !== undefined) requireRepair({ permits, programs }, by, asked)
}

/** Who answers for a goal that goes on: whoever has let it go on last. */
export function answersFor(
  events: readonly GoalEvent[]
): { readonly by: Principal; readonly capability: 'goal:dispatch' | 'goal:repair' } | undefined {
  for (let at = events.length - 1; at >= 0; at--) {
    const { body } = events[at]!
    if (body.type === 'repaired' || body.type === 'undoing') return { by: body.by, capability: 'goal:repair' }
    if (body.type === 'proposed') return { by: body.by, capability: 'goal:dispatch' }
  }
  return undefined
}

/** Why the goal may not go on, if so. Nothing is said to be set: that was decided when it was. */
export function whyDenied(
  parts: Omit<PermittedParts, 'journal'>,
  events: readonly GoalEvent[],
  asked: Omit<GoalAsked, 'vars'>
): string | undefined {
  const asking = answersFor(events)
  if (asking === undefined) return undefined
  return parts.permits.whyNot(asking.by, asking.capability, about(parts, { ...asked, vars: [] }))
}

function about({ programs }: Pick<PermittedParts, 'programs'>, { program, goal, vars }: GoalAsked): Subject {
  const programName = programs.ownName(program)
  return { program, ...(programName !== undefined && { programName }), goal, vars }
}

async function openGoalsOf({ journal }: PermittedParts, by: Principal): Promise<number> {
  const keys = keysBehind(by)
  let open = 0
  for await (const summary of journal.summaries(run => !run.mirrored && !isOver(run.status))) {
    if (keysBehind(summary.by).some(key => keys.includes(key))) open++
  }
  return open
}
