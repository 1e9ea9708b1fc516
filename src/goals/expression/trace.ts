/** What is noted while an expression is evaluated, and the value of each part of it. */
import type { Fact, FactQuery } from '../ports.ts'
import type { Complaint, Expression, GoalCall, Place } from '../program/model.ts'
import type { Scalar, Tree } from '../tree.ts'
import type { Outcome, Reason, Scope } from './result.ts'

/** One evaluation under way. */
export interface Trace {
  readonly scope: Scope
  /** Evaluates a part; here because facts and texts contain expressions and expressions contain those. */
  readonly evaluatePart: (expression: Expression, trace: Trace) => Value
  readonly reads: Record<string, Tree>
  readonly wanted: FactQuery[]
  readonly calls: GoalCall[]
  readonly errors: Complaint[]
  /** The outcome is decided already: what remains is looked at for its reads only, and asks for nothing. */
  decided: boolean
}

/** The value of one expression. `tree` absent = undefined. */
export interface Value {
  readonly tree?: Tree
  readonly outcome: Outcome
  readonly reasons: readonly Reason[]
}

/** A trace in which nothing is noted yet. */
export function newTrace(scope: Scope, evaluatePart: Trace['evaluatePart']): Trace {
  return { scope, evaluatePart, reads: {}, wanted: [], calls: [], errors: [], decided: false }
}

/** A value that is true or false, or possible when it is not known. */
export function truth(outcome: Outcome, place: Place, text: string | (() => string)): Value {
  return { tree: bools[outcome], outcome, reasons: typeof text === 'string' ? [{ place, text }] : because(place, text) }
}

const bools: Readonly<Record<Outcome, Tree>> = {
  true: { type: 'bool', value: true },
  false: { type: 'bool', value: false },
  possible: { type: 'bool', unknown: true }
}

/** A reason whose text is made when it is read: most are not, and planning evaluates a lot. */
export function because(place: Place, make: () => string): readonly Reason[] {
  return [
    {
      place,
      get text() {
        return make()
      }
    }
  ]
}

/** Not known yet. */
export function unknown(place: Place, text: string): Value {
  return { tree: { unknown: true }, outcome: 'possible', reasons: [{ place, text }] }
}

/** Undefined, which counts as false. */
export function missing(place: Place, text: string): Value {
  return { outcome: 'false', reasons: [{ place, text }] }
}

/** An error: noted, and false. */
export function wrong(trace: Trace, place: Place, message: string): Value {
  if (!trace.decided) trace.errors.push({ place, message })
  return { outcome: 'false', reasons: [{ place, text: message }] }
}

/** The answer to `query`, when it is known; else it is noted as wanted. */
export function ask(trace: Trace, query: FactQuery): Fact | undefined {
  const fact = trace.scope.fact(query)
  if (fact === undefined && !trace.decided) trace.wanted.push(query)
  return fact
}

/** Reads under a name, kept with secrets masked. */
export function noteRead(trace: Trace, path: string, tree: Tree): void {
  trace.reads[path] = tree
}

/** A scalar as text, as it is pasted and compared. */
export function textOfScalar(value: Scalar): string {
  return typeof value === 'string' ? value : String(value)
}
