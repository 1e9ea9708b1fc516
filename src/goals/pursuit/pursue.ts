/**
 * Pursues one goal from what its journal says to its next rest: completed or suspended.
 * The same function begins, goes on after a restart, and goes on after a repair.
 */
import assert from 'node:assert/strict'
import { bind } from '../config/bind.ts'
import type { Fact, World } from '../ports.ts'
import type { AgentProto, GoalProto, Program } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import { announce } from '../plan/announce.ts'
import { bindingOf, configure as putInto, findGoal, openFrame } from './call.ts'
import { configurationOf } from './configured.ts'
import type { Assignment, GoalEvent, GoalEventBody } from './events.ts'
import type { Ended, Failure } from './failure.ts'
import { parsePath } from '../expression/path.ts'
import { lookAgain } from './drift.ts'
import { foldHistory, type History } from './history.ts'
import { rootInstance } from './instance.ts'
import { typed } from './origins.ts'
import { PursuingHand } from './pursuing-hand.ts'
import { withSecrets } from './secrets-again.ts'
import { targetOf } from './target.ts'
import { type Deeds, deedsOf, undo } from './undo.ts'
import { type Frame, type Run, settle, walkGoal } from './walk.ts'

export interface Pursuit {
  readonly id: string
  readonly program: Program
  readonly agent?: AgentProto
  /** Evaluated top-level state of the program. */
  readonly instances: ReadonlyMap<string, Tree>
  readonly world: World
  /** All events so far; the first is `proposed`. */
  readonly events: readonly GoalEvent[]
  readonly cause: Extract<GoalEventBody, { type: 'started' }>['cause']
  /** Events of the runs that this one is to undo or to check again, the newest first: `undoes` or `checks` of its first event. */
  readonly past?: readonly (readonly GoalEvent[])[]
  /** Fires when the goal is to be suspended at the next step boundary; a text as its reason is what the suspension says. */
  readonly stop: AbortSignal
}

type Proposed = Extract<GoalEventBody, { type: 'proposed' }>

/**
 * @returns how the goal came to rest; that event is durable. Cancelled: what was done was taken back
 * @throws CloudburstError CB_STORE_DEGRADED when the journal cannot be written: nothing more was done then
 */
export async function pursue(pursuit: Pursuit): Promise<'completed' | 'suspended' | 'cancelled'> {
  const proposed = pursuit.events[0]?.body
  assert(proposed?.type === 'proposed', 'a journal begins with proposed')
  const history = foldHistory(pursuit.events)
  const target = targetOf(pursuit.events, pursuit.stop)
  const facts = new Map<string, Fact>()
  const turns = { most: proposed.abreast, isAwaited: proposed.chain.length > 0 }
  const hand = new PursuingHand(pursuit.id, pursuit.world, history, facts, target, turns)
  const planned = await announce(pursuit, facts)
  await hand.pen.note({ type: 'started', stretch: history.stretch + 1, cause: pursuit.cause, ...(planned !== undefined && { planned }) })
  const proto = findGoal(pursuit, proposed.goal)
  if (proto === undefined)
    return await suspend(hand, {
      code: 'program-missing',
      reason: `program ${pursuit.program.name} has no goal ${proposed.goal}`,
      instance: '',
      candidates: [],
      final: true
    })

  const run = openRun(pursuit, proposed, hand, facts)
  if (history.undoing !== undefined) return await takeBack(pursuit, hand, history.undoing, run)
  if (proposed.checks !== undefined) return await checkOthers(pursuit, hand, run)
  if (proposed.undoes !== undefined) return await takeBackOthers(pursuit, hand, run, proto)
  const frame = openFrame(run, proto, rootInstance(proposed.goal), [{ key: `${proposed.goal}()`, text: proposed.goal }])
  const missing = await configure(pursuit, proposed, proto, frame, hand)
  if (missing !== undefined) return await suspend(hand, missing)
  return await rest(pursuit, hand, await walkGoal(frame, {}))
}

function openRun(pursuit: Pursuit, proposed: Proposed, hand: PursuingHand, facts: Map<string, Fact>): Run {
  return {
    id: pursuit.id,
    goal: proposed.goal,
    program: pursuit.program,
    ...(pursuit.agent !== undefined && { agent: pursuit.agent }),
    hand,
    world: pursuit.world,
    mode: proposed.mode,
    surroundings: pursuit.world.surroundings,
    instances: pursuit.instances,
    writeAgent: () => undefined, // the journal carries it to the agent's state
    facts,
    seal: secret => pursuit.world.vault.seal(pursuit.id, secret),
    shared: new Map(),
    outcomes: new Map(),
    chain: proposed.chain,
    ...(proposed.locale !== undefined && { locale: proposed.locale }),
    ...(proposed.sshReuse === true && { sshReuse: true })
  }
}

/** Binds the variables of the goal once, and again for an edited program; other stretches start from what was bound then. */
async function configure(
  pursuit: Pursuit,
  proposed: Proposed,
  proto: GoalProto,
  frame: Frame,
  hand: PursuingHand
): Promise<Failure | undefined> {
  const known = configurationOf(pursuit.events)
  if (known !== undefined) {
    putInto(frame, known)
    return undefined
  }
  const assignments = [...proposed.assignments, ...repairs(pursuit.events, proto, frame.instance)]
  const bound = await settle(frame.run, () => bind(pursuit.program, proto, { ...bindingOf(frame.run), assignments }))
  const wrong =
    bound.errors[0]?.message ?? (bound.missing.length > 0 ? `${bound.missing.map(each => each.path).join(', ')} not configured` : undefined)
  if (wrong !== undefined) return { code: 'config-incomplete', reason: wrong, instance: frame.instance, candidates: [], final: true }
  putInto(frame, bound)
  const seq = await hand.pen.note({ type: 'configured', variables: { ...frame.variables }, sources: bound.sources })
  const before = pursuit.events.findLast(({ body }) => body.type === 'configured')?.body
  if (before?.type === 'configured') hand.rebound(frame, before.variables, seq)
  return undefined
}

/** What people have set of the goal's own variables; what they have set of sub-goals and of results is put in place by the walk. */
function repairs(events: readonly GoalEvent[], { parameters }: GoalProto, root: string): readonly Assignment[] {
  const set = events.flatMap(({ body }) => (body.type === 'repaired' ? body.assignments : []))
  const own = set.map(each => (each.path.startsWith(`${root}:`) ? { ...each, path: each.path.slice(root.length + 1) } : each))
  return own.filter(({ path }) => {
    const [top, name] = parsePath(path.slice(path.lastIndexOf(':') + 1))
    return !path.includes(':') && top === 'goal' && parameters.some(parameter => parameter.name === name)
  })
}

function givenTo(events: readonly GoalEvent[]): readonly Assignment[] {
  const first = events[0]?.body
  return first?.type === 'proposed' ? first.assignments : []
}

/** Takes back what the goal has done itself, which ends it. */
async function takeBack(
  pursuit: Pursuit,
  hand: PursuingHand,
  { by, why }: NonNullable<History['undoing']>,
  run: Run
): Promise<'suspended' | 'cancelled'> {
  const undone = await undo(run, hand, [deedsOf(pursuit.events)], {}, why)
  if (!undone.ok) return await suspend(hand, undone.failure)
  await pursuit.world.driver.dropFiles(pursuit.id)
  await hand.pen.record({ type: 'cancelled', by, ...(why !== undefined && { why }) })
  if (pursuit.agent === undefined) pursuit.world.vault.drop(pursuit.id)
  return 'cancelled'
}

/** Takes back what earlier runs of the goal have done. */
async function takeBackOthers(pursuit: Pursuit, hand: PursuingHand, run: Run, proto: GoalProto): Promise<'completed' | 'suspended'> {
  const given = [...givenTo(pursuit.events), ...repairs(pursuit.events, proto, rootInstance(run.goal))]
  const done: Deeds[] = []
  for (const events of pursuit.past ?? []) {
    const known = await withSecrets(run, proto, deedsOf(events), given)
    if ('failure' in known) return await suspend(hand, known.failure)
    done.push(known.deeds)
  }
  const undone = await undo(run, hand, done)
  if (!undone.ok) return await suspend(hand, undone.failure)
  return await complete(pursuit, hand, 'completed', {})
}

/** Writes down what is true, and what is no longer, of what earlier runs of the goal had reached. */
async function checkOthers(pursuit: Pursuit, hand: PursuingHand, run: Run): Promise<'completed'> {
  const drifted: string[] = []
  for (const deeds of (pursuit.past ?? []).map(deedsOf)) {
    for (const { instance, goal, place, arguments: args, now, because, grounds } of await lookAgain(run, hand, deeds)) {
      await hand.pen.note({ type: 'goal-began', instance, goal, place, arguments: args })
      const told = { ...(grounds !== undefined && { grounds }) }
      if (now === 'true') await hand.pen.note({ type: 'goal-ended', instance, outcome: 'already-true', ...told })
      else {
        drifted.push(instance)
        const reason = now === 'false' ? because : `that cannot be told: ${because}`
        await hand.pen.note({ type: 'goal-ended', instance, outcome: 'failed', reason, ...told })
      }
    }
  }
  return await complete(pursuit, hand, 'completed', { drifted: { items: drifted.map(value => ({ value })) } })
}

async function rest(pursuit: Pursuit, hand: PursuingHand, ended: Ended): Promise<'completed' | 'suspended'> {
  if (ended.outcome === 'failed') return await suspend(hand, ended.failure)
  assert(ended.outcome !== 'possible', 'a pursued goal is never only possible')
  return await complete(pursuit, hand, ended.outcome, ended.results)
}

async function complete(
  pursuit: Pursuit,
  hand: PursuingHand,
  outcome: 'completed' | 'already-true',
  results: Variables
): Promise<'completed'> {
  // From these files a step that was interrupted is told how it ended.
  await hand.pen.outcomesKept()
  await pursuit.world.driver.dropFiles(pursuit.id)
  await hand.pen.record({ type: 'completed', outcome, results })
  // An agent's variables may still refer to what was kept for one of its goals.
  if (pursuit.agent === undefined) pursuit.world.vault.drop(pursuit.id)
  return 'completed'
}

function reasonOf({ reason, beside = 0 }: Failure): string {
  return beside === 0 ? reason : `${reason}; ${beside} more failed beside it`
}

async function suspend(hand: PursuingHand, failure: Failure): Promise<'suspended'> {
  const { help } = failure
  const values = { ...hand.valuesOf(failure), ...(help !== undefined && typed(help.instance, help.values)) }
  await hand.pen.record({
    type: 'suspended',
    code: failure.code,
    reason: failure.code === 'requested' ? (hand.whyAsked ?? failure.reason) : reasonOf(failure),
    ...(failure.step !== undefined && { step: failure.step }),
    ...(failure.instance !== '' && { instance: failure.instance }),
    values,
    ...(help !== undefined && help.instructions !== '' && { instructions: help.instructions })
  })
  return 'suspended'
}
