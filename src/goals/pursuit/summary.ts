/** What is known about one run at a glance. Read off its events by a pure fold; never the truth by itself. */
import type { Exit } from '../ports.ts'
import type { Place } from '../program/model.ts'
import type { Variables } from '../tree.ts'
import type { Assignment, Candidate, GoalEvent, Principal, SuspendCode } from './events.ts'

export type RunStatus = 'proposed' | 'pursuing' | 'suspended' | 'completed' | 'cancelled'

export interface RunSummary {
  readonly id: string
  readonly goal: string
  readonly program: { readonly name: string; readonly hash: string }
  readonly agent?: string
  readonly status: RunStatus
  /** Number of the last event. */
  readonly seq: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly by: Principal
  readonly assignments: readonly Assignment[]
  /** What waits for it, outermost first: `<run id>:<goal>` of each run that led here. Absent when nothing does. */
  readonly chain?: readonly string[]
  /** Runs that this one undoes, the newest first. */
  readonly undoes?: readonly string[]
  readonly steps: { readonly done: number; readonly failed: number; readonly running: number }
  /** Present while suspended. */
  readonly suspended?: Suspension
  /** Present once completed: the goal's variables. */
  readonly results?: Variables
}

/** Why a run waits, and what it would take. */
export interface Suspension {
  readonly code: SuspendCode
  readonly reason: string
  readonly step?: StepReport
  readonly candidates: readonly Candidate[]
  /** Completed steps, kept: they will not run again. */
  readonly kept: readonly string[]
  /** What the program says a person is to do. */
  readonly instructions?: string
  /** Values that the failed step read: what a person may want to change. */
  readonly values: Readonly<Record<string, unknown>>
}

export interface StepReport {
  readonly step: string
  readonly show: string
  readonly place: Place
  readonly attempt: number
  readonly exit?: Exit
  readonly tail?: string
  readonly durationMs: number
  /** Names of variables that the step gets in its environment besides those that every step gets. */
  readonly env?: readonly string[]
}

/** @returns undefined for an empty stream. Implemented by fold, so that a prefix of the stream gives the summary of that moment. */
export type Summarise = (events: readonly GoalEvent[]) => RunSummary | undefined
