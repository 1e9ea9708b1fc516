/** How a stretch of the walk ended. Data, not an exception: it must survive a restart. */
import type { Variables } from '../tree.ts'
import type { Candidate, SuspendCode } from './events.ts'

/** Why something did not come true, with the innermost step that failed. */
export interface Failure {
  readonly code: SuspendCode
  readonly reason: string
  /** Id of the step that failed, when one did. */
  readonly step?: string
  readonly instance: string
  readonly candidates: readonly Candidate[]
  /** Alternatives must not be tried: a person asked to stop, or the author said onFail="suspend". */
  readonly final: boolean
  /** Path of the block whose time is over. */
  readonly limit?: string
  /** How many more have failed beside it, of what is done at a time. */
  readonly beside?: number
  /** It is the failure of an earlier stretch, met again: trying once more is not for the program. */
  readonly known?: boolean
  /** What the program says a person is to do, and the values to supply. */
  readonly help?: { readonly instance: string; readonly instructions: string; readonly values: Variables }
}

/** A statement or a method: went well, or why not. */
export type Walked = { readonly ok: true } | { readonly ok: false; readonly failure: Failure }

/** A goal that came true, or in a plan may: `instance` is where it was walked, for a shared one not where it was asked for. */
export interface Achieved {
  readonly outcome: 'completed' | 'already-true' | 'possible'
  readonly instance: string
  readonly results: Variables
}

export type Ended = Achieved | { readonly outcome: 'failed'; readonly failure: Failure }

export const went: Walked = { ok: true }

/** A failed walk; what is not given is empty. */
export function failed(
  instance: string,
  code: SuspendCode,
  reason: string,
  more: Partial<Failure> = {}
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { code, reason, instance, candidates: [], final: false, ...more } }
}
