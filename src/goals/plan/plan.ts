/** What would happen: a graph of goals, methods and steps. Made by the same walk that pursues, without any effect. */
import type { Candidate, StepKind } from '../pursuit/events.ts'
import type { Complaint, Place } from '../program/model.ts'
import type { Variables } from '../tree.ts'
import type { PlanBasis } from './basis.ts'

/** `+` will do · `~` will redo · `-` will undo · `?` possible · `=` already true */
export type PlanMark = '+' | '~' | '-' | '?' | '='

export interface Plan {
  readonly version: 1
  readonly goal: string
  readonly program: { readonly name: string; readonly hash: string }
  readonly variables: Variables
  readonly nodes: readonly PlanNode[]
  readonly summary: Readonly<Record<'do' | 'redo' | 'undo' | 'possible' | 'alreadyTrue', number>>
  /** What was looked at, so that a saved plan can be refused once any of it has moved. */
  readonly basis: PlanBasis
  /** What earlier runs of the goal had reached, looked at again; `checked` counts the goals with a post. Only when it was asked for. */
  readonly drift?: { readonly checked: number; readonly drifted: readonly Drifted[] }
  /** How long it would take, by earlier runs, which have done `known` of the `steps` that are to be done. Absent: none has. */
  readonly estimate?: Took & { readonly known: number; readonly steps: number }
  /** Why nothing could be planned further, if so. */
  readonly problems: readonly Complaint[]
}

/** A goal that was reached once and does not hold any more, or of which that cannot be told. */
export interface Drifted {
  readonly goal: string
  readonly instance: string
  /** Id of the run that reached it. */
  readonly run: string
  /** When that run was over, in epoch milliseconds. */
  readonly at: number
  readonly now: 'false' | 'unknown'
  readonly because: string
  readonly place: Place
  /** Absent: the node that plans. */
  readonly peer?: string
}

/** In order of the walk; `parent` and `needs` are ids of other nodes. */
export interface PlanNode {
  readonly id: string
  readonly kind: 'goal' | 'step'
  readonly step?: StepKind
  readonly parent?: string
  readonly needs: readonly string[]
  readonly mark: PlanMark
  /** Goal: its name; step: what a person would type, with `${path}` for what is not known yet. */
  readonly text: string
  /** Why a step that was done would be done again, or one that was not would be left out. */
  readonly because?: string
  /** More lines of it: the difference that an edit would make. */
  readonly detail?: string
  readonly describe?: string
  readonly method?: string
  readonly candidates?: readonly Candidate[]
  readonly peer?: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** Of a sub-goal elsewhere: what that node says about it now. */
  readonly there?: There
  /** How long it took in earlier runs. */
  readonly took?: Took
  /** Within parallel blocks: how many steps may be done at a time. */
  readonly abreast?: number
  readonly place: Place
}

/** What a sub-goal would meet on its node. */
export interface There {
  readonly reachable: boolean
  /** Absent: it could not be asked. */
  readonly permitted?: boolean
  readonly program?: 'there' | 'to send' | 'missing'
  /** Why it cannot be reached or is not permitted. */
  readonly problem?: string
}

/** The fastest and the slowest, in milliseconds. */
export interface Took {
  readonly leastMs: number
  readonly mostMs: number
}
