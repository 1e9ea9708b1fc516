/** Sub-goals that a goal has asked other nodes for, and how they are given up and taken back with it. */
import { callsOfExpression, callsOfMethod } from '../program/calls.ts'
import type { Place, StatementBase } from '../program/model.ts'
import type { GoalEvent } from './events.ts'
import { findGoal } from './call.ts'
import { goalOfInstance } from './instance.ts'
import { methodsFor } from './methods.ts'
import { subRunId } from './remote.ts'
import type { Performed, Prepared, Step } from './step.ts'
import type { Frame, Run } from './walk.ts'

/** One that was asked for. */
export interface SentGoal {
  readonly step: string
  readonly goal: string
  /** Id of its run there. */
  readonly run: string
  /** The node, as the program names it. */
  readonly peer: string
  /** Hash of the program that the caller was pursued with then. */
  readonly program: string
  readonly place: Place
  /** Which of the runs of its step it is, from 0. */
  readonly nth: number
  /** It is waited for. */
  readonly isOpen: boolean
  /** It was completed, as far as the journal of its caller knows. */
  readonly isDone: boolean
}

/** All that were asked for before the goal was given up, in the order in which they were asked for first. */
export function sentGoals(events: readonly GoalEvent[]): readonly SentGoal[] {
  const sent = new Map<string, SentGoal>()
  const current = new Map<string, string>()
  const runs = new Map<string, number>()
  let program = ''
  for (const { body } of events) {
    if (body.type === 'undoing') break
    if (body.type === 'proposed') program = body.program.hash
    if (body.type === 'repaired' && body.program !== undefined) program = body.program.hash
    if (body.type === 'step-began' && body.kind === 'remote' && body.run !== undefined && body.peer !== undefined) {
      const { step, run, peer, place } = body
      current.set(step, run)
      if (!sent.has(run)) {
        const nth = runs.get(step) ?? 0
        runs.set(step, nth + 1)
        sent.set(run, { step, goal: goalOfInstance(step), run, peer, program, place, nth, isOpen: true, isDone: false })
      } else sent.set(run, { ...sent.get(run)!, isOpen: true })
    }
    const ended = body.type === 'step-ended' ? sent.get(current.get(body.step) ?? '') : undefined
    if (ended !== undefined && body.type === 'step-ended')
      sent.set(ended.run, { ...ended, isOpen: false, isDone: ended.isDone || body.status === 'completed' })
  }
  return [...sent.values()]
}

/** Whether the program has an `<undo>` for anything that is done for the goal called `name`, or for those that it may need. */
export function canBeUndone(source: Pick<Run, 'program' | 'agent'>, name: string, seen = new Set<string>()): boolean {
  if (seen.has(name)) return false
  seen.add(name)
  const proto = findGoal(source, name) ?? [...source.program.agents.values()].map(({ goals }) => goals.get(name)).find(Boolean)
  if (proto === undefined) return false
  const methods = methodsFor(source, proto)
  if (methods.some(({ undo }) => undo !== undefined)) return true
  const calls = [...proto.pre.flatMap(callsOfExpression), ...methods.flatMap(callsOfMethod)]
  return calls.some(({ goal }) => canBeUndone(source, goal, seen))
}

/** The step that ends what was asked for and, if `undo`, has it taken back. */
export function takeBackStep({ run, scope }: Frame, sent: SentGoal, undo: boolean, why?: string): Step {
  const { goal, peer, place, program, nth } = sent
  const id = `${sent.step}/undo${nth === 0 ? '' : `.${nth + 1}`}`
  const statement: StatementBase = { key: id, describe: [], onFail: 'stop', retries: 0, backoffS: 0, idempotent: true, place }
  const as = subRunId(run.id, 'undo', {}, sent.run)
  const show = `${undo ? 'undo' : 'cancel'} ${goal} on ${peer}`
  const asked = { id: sent.run, as, peer, program, goal, chain: [...run.chain, `${run.id}:${run.goal}`] }
  return {
    id,
    kind: 'remote',
    statement,
    key: sent.run,
    scope,
    outputs: [],
    prepare: (): Prepared => ({ show, reads: {}, wanted: [], unknown: false, errors: [], run: as, peer }),
    async perform({ messenger }): Promise<Performed> {
      const more = { ...(!undo && { undo }), ...(why !== undefined && { why }) }
      const outcome = (await messenger.takeBack?.({ ...asked, ...more }, new AbortController().signal)) ?? {
        kind: 'failed',
        message: 'nobody can be asked here'
      }
      switch (outcome.kind) {
        case 'completed':
          return { status: 'completed', writes: [] }
        case 'left':
          return { status: 'stopped', writes: [], reason: 'nobody waits for it any more' }
        case 'failed':
          return { status: 'failed', writes: [], reason: `${show}: ${outcome.message}` }
      }
    }
  }
}
