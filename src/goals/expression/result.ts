/** What evaluating gives: class ExprResult of the language. Source: docs/language.md, "Expressions and outcomes". */
import type { Fact, FactQuery } from '../ports.ts'
import type { Complaint, GoalCall, Path, Place } from '../program/model.ts'
import type { Tree } from '../tree.ts'

/** `possible`: depends on a prerequisite not pursued yet, or on a value or fact not known yet. */
export type Outcome = 'true' | 'false' | 'possible'

export interface Reason {
  readonly place: Place
  /** `goal.size is 3, not greater than 5`. Secrets masked. */
  readonly text: string
}

export interface ExprResult {
  /** Absent = undefined. `{unknown: true}` = not known yet. References are followed; a struct comes whole. */
  readonly tree?: Tree
  readonly outcome: Outcome
  /** What led to the outcome, outermost last. */
  readonly reasons: readonly Reason[]
  /** Paths that were read and what they held; undefined paths too (as an empty tree). */
  readonly reads: Readonly<Record<string, Tree>>
  /** Facts that were asked for and not known; gather them and evaluate again. */
  readonly wanted: readonly FactQuery[]
  /** `goalCompleted` that was met and not pursued yet. */
  readonly calls: readonly GoalCall[]
  readonly errors: readonly Complaint[]
}

/** Text made of a template for one use. */
export interface Interpolated {
  readonly text: string
  /** The same with secrets as `***` and unknown or undefined values as `${path}`. */
  readonly show: string
  /** Values that reach the command as environment variables (`as="env"`, secrets), by variable name. */
  readonly env: Readonly<Record<string, string>>
  readonly reads: Readonly<Record<string, Tree>>
  readonly wanted: readonly FactQuery[]
  /** Something in it is not known yet: only `show` is meant to be used. */
  readonly unknown: boolean
  /** Undefined values, unquoted values with shell-special characters. */
  readonly errors: readonly Complaint[]
}

/**
 * shell: text for a local shell (docs/language.md, "Interpolation", decides what may be pasted) ·
 * prefixed: text for the shell behind an explicit prefix, which the environment does not reach ·
 * argument: one argument of a prefix · text: a file, a description
 */
export type Use = 'shell' | 'prefixed' | 'argument' | 'text'

/** Where a value came from, for messages and for `quote="none"`, which only the program's own values may use. */
export interface Origin {
  readonly own: boolean
  /** `default`, `command line`, `state`, `result of a step`. */
  readonly text: string
}

/**
 * Where names are looked up while one goal is pursued. Implemented by ./scope.ts.
 * Mutable: writing a result makes it visible to the next statement.
 */
export interface Scope {
  /** The node at a path with references followed; undefined when there is none. Reads nothing from the machine. */
  read(path: Path): Tree | undefined
  /** The path that a write to `path` reaches, references followed: what goes into the journal. @throws CloudburstError CB_VALUE_INVALID for a place that cannot be written */
  place(path: Path): Path
  /** Writes `goal.…` or a find symbol's item; `agent.…` goes through too, so that the goal sees it at once. */
  write(path: Path, value: Tree): void
  /** Why {@link write} would refuse this, undefined when it would not. Changes nothing. */
  misfit(path: Path, value: Tree): string | undefined
  /** A scope in which `symbol` (or `goal.repeat`) holds the current item; writes to everything else go to this one. */
  with(symbol: string, item: Tree): Scope
  /** The answer to a fact, when it is known. */
  fact(query: FactQuery): Fact | undefined
  /** Whether a sub-goal was completed in this run; undefined when it was not pursued yet. */
  completed(call: GoalCall): boolean | undefined
  /** Nothing may be executed, and an undefined value may still become known. */
  readonly inPlan: boolean
  /** Secrets are looked up when they are needed; not in a plan. */
  readonly reveals: boolean
  /** Of the person who asked, as in LANG; chooses among descriptions. */
  readonly locale?: string | undefined
  /** The top names that mean something here, for suggestions. */
  names(): readonly string[]
  origin(path: Path): Origin
  /** The secret behind a sealed tree; undefined when it cannot be had now. */
  unseal(tree: Tree): string | undefined
}
