import { hasFilesToKeep } from '../expression/artifacts.ts'
import { evaluate } from '../expression/evaluate.ts'
import { showPath } from '../expression/path.ts'
import type { Interpolated, Scope } from '../expression/result.ts'
import type { Clock, Exit, FactQuery, World } from '../ports.ts'
import type { CheckStatement, Complaint, Path, Place, StatementBase, UpdateStatement } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import type { Here } from './call.ts'
import type { StepKind, Write } from './events.ts'
import type { How } from './recall.ts'
import { describe } from './walk.ts'

/** What a step needs to know before it is done. */
export interface Prepared {
  /** What a person would type, secrets masked, `${path}` for what is not known. */
  readonly show: string
  readonly reads: Readonly<Record<string, Tree>>
  readonly wanted: readonly FactQuery[]
  /** Depends on what is not known yet: plans only. */
  readonly unknown: boolean
  readonly errors: readonly Complaint[]
  /** More lines for people than fit into `show`: the difference that an edit makes. */
  readonly detail?: string
  /** As far as can be seen, there is nothing to do. */
  readonly already?: boolean
  /** Of a sub-goal elsewhere: its run there, and the node as the program names it. */
  readonly run?: string
  readonly peer?: string
  /** Peer id of that node, once it is known which. */
  readonly node?: string
  /** Variables that carry values to it. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Performed {
  readonly status: 'completed' | 'failed' | 'in-doubt' | 'stopped'
  readonly exit?: Exit
  readonly writes: readonly { readonly path: Path; readonly value: Tree }[]
  readonly reason?: string
  readonly tail?: string
  /** What it did, in lines for people. */
  readonly note?: string
}

/** How a try of a step is known to the driver. */
export interface Try {
  readonly goalId: string
  readonly step: string
  readonly attempt: number
  /** Tries of one group are one request to whoever is asked by them. Absent: 0. */
  readonly group?: number
  /** Fires when a person asks to suspend. */
  readonly signal?: AbortSignal
  /** Epoch milliseconds: when the try began that this one takes up again after an interruption. */
  readonly since?: number
  /** Epoch milliseconds: when the time of a block around it is over. */
  readonly until?: number
  /** How often that time has run out before. */
  readonly round?: number
  /** The try before has failed, which is on record. */
  readonly anew?: boolean
  /** Of a sub-goal elsewhere: runs that were completed for it, and whose outcome is not what is asked for any more. */
  readonly spent?: readonly string[]
}

export interface Step<P extends Prepared = Prepared> {
  readonly id: string
  readonly kind: StepKind
  /** Policies: retries, onFail, idempotent … */
  readonly statement: StatementBase
  /** Hash of the statement as written: a changed one runs again. */
  readonly key: string
  readonly scope: Scope
  readonly describe?: string
  /** Of a sub-goal elsewhere: what it is asked for with. */
  readonly given?: { readonly arguments: Variables; readonly call: string }
  /** Paths that its arguments are made of. */
  readonly argumentReads?: readonly string[]
  /** What the blocks around it want. */
  readonly how?: How
  /** Places it writes when it is done. */
  readonly outputs: readonly Path[]
  /** In a plan: values it would write if they are known already. */
  prepare(): P
  /** Finds out what only the world knows, and its intent is to tell: on which node a sub-goal is pursued. */
  locate?(world: World, prepared: P, attempt: Try): Promise<P>
  perform(world: World, prepared: P, attempt: Try): Promise<Performed>
  /** Finds out how an interrupted try ended; absent for steps that have no effect outside and are simply done again. */
  recover?(world: World, attempt: Try, beganAt: number): Promise<Performed>
  /** Why what it wrote cannot be kept although it was done: a file that is gone. Absent: it always can. */
  gone?(world: World, writes: readonly Write[]): Promise<string | undefined>
  /** What it writes if that can be told without doing it. */
  foresee?(prepared: P): Tree | undefined
}

/** Milliseconds that a timer may fire too early: what is ended by it must have had its whole time by the clock too. */
const TIMER_EARLY_MS = 5

/** The time a command has: its own, or what is left to the blocks around it. The runner sees to it, also while the daemon is down. */
export function timeoutOf(timeoutS: number | undefined, { until }: Try, clock: Clock): { readonly timeoutMs?: number } {
  const left = until === undefined ? Number.POSITIVE_INFINITY : Math.max(0, until - clock.now()) + TIMER_EARLY_MS
  const ms = Math.min(left, (timeoutS ?? Number.POSITIVE_INFINITY) * 1000)
  return ms === Number.POSITIVE_INFINITY ? {} : { timeoutMs: ms }
}

/** What keeps a prepared step from being done: values that are not fit, and places that cannot be written. */
export function faultsOf(step: Step, prepared: Prepared): readonly Complaint[] {
  if (prepared.errors.length > 0) return prepared.errors
  return step.outputs.flatMap(path => {
    const message = step.scope.misfit(path, foreseenAt(step, prepared, path))
    return message === undefined ? [] : [{ place: step.statement.place, message }]
  })
}

/** What the step would write to `path`, as far as that can be told without doing it. */
export function foreseenAt(step: Step, prepared: Prepared, path: Path): Tree {
  const value = step.foresee?.(prepared)
  // A file is known by what is in it once it is kept.
  return value === undefined || hasFilesToKeep(step.scope.read(path), value) ? { unknown: true } : value
}

/** What several texts together need to be known. */
export function joined(all: readonly Interpolated[]): Omit<Prepared, 'show'> {
  return {
    reads: Object.assign({}, ...all.map(each => each.reads)),
    wanted: all.flatMap(each => each.wanted),
    unknown: all.some(each => each.unknown),
    errors: all.flatMap(each => each.errors)
  }
}

interface PreparedUpdate extends Prepared {
  readonly value: Tree | undefined
}

/** `<update>`: assigns a value to a place. */
export function assignStep(here: Here, statement: UpdateStatement, id: string): Step<PreparedUpdate> {
  const { scope } = here
  return {
    id,
    kind: 'update',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [statement.target],
    prepare() {
      const result = evaluate(statement.value, scope)
      const value = result.tree?.unknown === true ? undefined : result.tree
      const undefinedValue = result.tree === undefined && result.errors.length === 0 && result.wanted.length === 0
      const errors = undefinedValue
        ? [{ place: statement.place, message: `the value for ${showPath(statement.target)} is undefined` }]
        : result.errors
      return {
        show: `${showPath(statement.target)} = ${showTree(value)}`,
        reads: result.reads,
        wanted: result.wanted,
        unknown: result.tree?.unknown === true,
        errors,
        value
      }
    },
    perform: (_world, prepared) => Promise.resolve(assigned(scope, statement.target, prepared.value)),
    foresee: prepared => prepared.value
  }
}

/** Gives a result of a sub-goal back to the agent. */
export function updateStep(here: Here, id: string, path: Path, value: Tree, place: Place): Step<PreparedUpdate> {
  const { scope } = here
  const statement: StatementBase = { key: id, describe: [], onFail: 'stop', retries: 0, backoffS: 0, idempotent: true, place }
  return {
    id,
    kind: 'update',
    statement,
    key: JSON.stringify(value),
    scope,
    outputs: [path],
    prepare: () => ({
      show: `${showPath(path)} = ${showTree(value)}`,
      reads: {},
      wanted: [],
      unknown: value.unknown === true,
      errors: [],
      value
    }),
    perform: () => Promise.resolve(assigned(scope, path, value)),
    foresee: () => value
  }
}

function assigned(scope: Scope, path: Path, value: Tree | undefined): Performed {
  if (value === undefined) return { status: 'failed', writes: [], reason: `the value for ${showPath(path)} is undefined` }
  return { status: 'completed', writes: [{ path: scope.place(path), value }] }
}

/** An expression among statements: it must hold. */
export function checkStep(
  here: Here,
  statement: CheckStatement,
  id: string
): Step<Prepared & { readonly outcome: string; readonly why: string }> {
  const { scope } = here
  return {
    id,
    kind: 'check',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [],
    prepare() {
      const result = evaluate(statement.expression, scope)
      const why = result.reasons.map(reason => reason.text).join('; ')
      return {
        show: `check ${why || statement.expression.kind}`,
        reads: result.reads,
        wanted: result.wanted,
        unknown: result.outcome === 'possible',
        errors: result.errors,
        outcome: result.outcome,
        why
      }
    },
    perform: (_world, prepared) =>
      Promise.resolve(
        prepared.outcome === 'true'
          ? { status: 'completed', writes: [] }
          : { status: 'failed', writes: [], reason: prepared.why || 'the expression does not hold' }
      )
  }
}

/** The narration of a step, when it has one. */
export function described(statement: StatementBase, scope: Scope): { readonly describe?: string } {
  const text = describe(statement.describe, scope)
  return text === undefined ? {} : { describe: text }
}

/** A value in a line: long ones cut, structs as their field names. */
function showTree(tree: Tree | undefined): string {
  if (tree === undefined) return '(not known yet)'
  if (tree.type === 'secret' || tree.type === 'password') return '***'
  if (tree.value !== undefined) return shorten(String(tree.value))
  if (tree.fields !== undefined) return `{${Object.keys(tree.fields).join(', ')}}`
  if (tree.items !== undefined) return `[${tree.items.length} items]`
  return tree.ref ?? '(undefined)'
}

function shorten(text: string): string {
  const line = text.split('\n', 1)[0] ?? ''
  return line.length > 60 || line.length < text.length ? `${line.slice(0, 60)}…` : line
}
