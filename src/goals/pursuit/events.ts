/**
 * The event stream of a goal: what the journal stores, dispatch carries, the control API streams,
 * and the CLI renders. Human text is a pure function of it. Numbered from 1 without gaps.
 * Output is not in it: it is addressed by {step, stream, offset} ({@link OutputChunk}).
 */
import type { Place } from '../program/model.ts'
import type { Announced } from '../plan/conformance.ts'
import type { Exit } from '../ports.ts'
import type { Tree, Variables } from '../tree.ts'

/** Raised when an event changes so that an older reader would misread it. */
export const EVENT_VERSION = 1

export interface GoalEvent {
  readonly goalId: string
  /** 1, 2, 3 … within the goal. */
  readonly seq: number
  /** Epoch milliseconds, by the clock of the node that pursues. */
  readonly at: number
  readonly body: GoalEventBody
}

/** Who asked: a person at the control socket, or a peer on behalf of the links before it. */
export interface Principal {
  /** Peer id of the node that carried the request, e.g. `12D3KooW…`; the node's own for a local person. */
  readonly peer: string
  /** Name of that node in this neighborhood. */
  readonly node: string
  readonly email?: string
  /** Signed asks that led here, base64, the first one's first: protocols/behalf.ts. Absent: the node asks for itself. */
  readonly behalf?: readonly string[]
}

/** A value given by a person or a caller: `goal.site=blue` or an argument of a sub-goal. */
export interface Assignment {
  readonly path: string
  /** Text is converted to the type of the variable, or names a state node; a tree is taken as it is. */
  readonly value: string | Tree
  /** Where it was found, when it is a suggestion that was taken: `state, clusters.xml:12`. */
  readonly source?: string
}

/** What a decision rested on, kept short: the journal holds it at every verbosity, so that `-v` can show it later too. */
export interface Grounds {
  /** Outermost last; secrets masked. */
  readonly reasons: readonly string[]
  /** What was looked up, by path, as people read it. */
  readonly reads: Readonly<Record<string, string>>
}

export type GoalEventBody =
  /** Accepted: from here on the goal is this node's duty. */
  | {
      readonly type: 'proposed'
      readonly version: typeof EVENT_VERSION
      readonly goal: string
      readonly program: { readonly name: string; readonly hash: string }
      readonly agent?: string
      readonly mode: 'pursue' | 'execute'
      readonly assignments: readonly Assignment[]
      readonly by: Principal
      /** The chain of sub-goals across nodes that led here, root run first: `<run id>:<goal>`. */
      readonly chain: readonly string[]
      /** Of the person who asked, as in LANG: chooses among descriptions. */
      readonly locale?: string
      /** A person decides before each step. */
      readonly stepwise?: boolean
      /** Share the connections of plain ssh and scp prefixes. */
      readonly sshReuse?: boolean
      /** Steps that may be done at a time; absent: as many as the program says. */
      readonly abreast?: number
      /** Where another run of the goal was that this one begins at: the number of the event that says so, and the name of the snapshot. */
      readonly from?: { readonly run: string; readonly snapshot: string; readonly seq: number }
      /** Runs of the same goal, the newest first, that it undoes instead of pursuing it. */
      readonly undoes?: readonly string[]
      /** Runs of the same goal that it checks again instead of pursuing it: what they had reached, and is no longer true. */
      readonly checks?: readonly string[]
      /** What the plan that is executed says may be done. */
      readonly planned?: Announced
      /** Step or goal after which it is to rest. */
      readonly target?: string
    }
  /** The configuration is complete: what each variable of the goal starts as. */
  | { readonly type: 'configured'; readonly variables: Variables; readonly sources: Readonly<Record<string, string>> }
  /** A stretch of work begins: first, after a repair, or after a restart of the daemon. */
  | {
      readonly type: 'started'
      readonly stretch: number
      readonly cause: 'first' | 'repair' | 'resume' | 'restart'
      /** What is going to be done, or may be. Absent: a saved plan has said it, nothing is, or it is more than is written down. */
      readonly planned?: Announced
    }
  | {
      readonly type: 'goal-began'
      readonly instance: string
      readonly goal: string
      readonly describe?: string
      readonly place: Place
      readonly arguments?: Variables
      /** Paths of the goal that needs it: what its arguments are made of, and where it gives something back. Absent: there are none. */
      readonly reads?: readonly string[]
      readonly writes?: readonly string[]
      /** The program says that what is decided about it is told at any verbosity. */
      readonly debug?: true
      /** Hash of the arguments as they are written: while nothing that they read has changed, they stay what they were. */
      readonly call?: string
      /** Why all of its own steps that were begun before this event are done again. */
      readonly again?: string
    }
  | {
      readonly type: 'goal-ended'
      readonly instance: string
      readonly outcome: 'completed' | 'already-true' | 'shared' | 'failed'
      readonly results?: Variables
      readonly reason?: string
      /** When no method could be chosen: what became of each. */
      readonly candidates?: readonly Candidate[]
      /** All was done, and yet the post does not hold: one who says no more than "go on" has its own steps done again. */
      readonly lost?: true
      /** Why it was already true, or cannot become so. */
      readonly grounds?: Grounds
    }
  | {
      readonly type: 'method-chosen'
      readonly instance: string
      readonly method: string
      readonly describe?: string
      readonly place: Place
      readonly candidates: readonly Candidate[]
      /** Requirements and post of the goal. */
      readonly grounds?: Grounds
      /** The program says that what was decided about it is told at any verbosity. */
      readonly debug?: true
    }
  | { readonly type: 'method-failed'; readonly instance: string; readonly method: string; readonly reason: string }
  /** The first step within a block, loop or sub-goal that has a `timeout` is about to be done: its time begins. */
  | { readonly type: 'block-began'; readonly block: string; readonly timeoutS: number; readonly place: Place }
  | { readonly type: 'block-ended'; readonly block: string; readonly outcome: 'completed' | 'failed' | 'timed-out' }
  /**
   * The list of a `find` or the count of a `repeat` that is made of what may change while the goal is pursued: the agent's variables,
   * what the machine says. It stays what it was while nothing that it reads is changed before it.
   */
  | {
      readonly type: 'evaluated'
      /** The statement: its place among those of its goal, as in the ids of steps. */
      readonly path: string
      readonly instance: string
      readonly value: Tree
      /** Hash of the expressions as written. */
      readonly key: string
    }
  /** The intent: on disk before the step has any effect. */
  | {
      readonly type: 'step-began'
      readonly step: string
      readonly instance: string
      readonly attempt: number
      readonly kind: StepKind
      /** Hash of the statement as written; a step whose text was edited runs again. */
      readonly key: string
      /** What a person would type, secrets masked. */
      readonly show: string
      readonly describe?: string
      readonly place: Place
      /** Values that were read, by path, secrets masked. */
      readonly reads: Readonly<Record<string, Tree>>
      /** Of a sub-goal elsewhere: its run there, its arguments, and their hash as they are written. */
      readonly run?: string
      readonly arguments?: Variables
      readonly call?: string
      /** The program says that what it reads and writes is told at any verbosity. */
      readonly debug?: true
      /** Why a step that was done before runs again. */
      readonly again?: string
      /** How often it was begun for another reason than that a try of it had failed: these are not the same request. Absent: 0. */
      readonly group?: number
      /** Names of variables that carry values to it, besides those that every step gets. */
      readonly env?: readonly string[]
      readonly peer?: string
    }
  /** The outcome: on disk before anyone is told. */
  | {
      readonly type: 'step-ended'
      readonly step: string
      readonly attempt: number
      readonly status: 'completed' | 'failed' | 'ignored' | 'in-doubt' | 'stopped'
      readonly exit?: Exit
      readonly durationMs: number
      readonly writes: readonly Write[]
      readonly reason?: string
      /** What it did, in lines for people: the difference that an edit made. */
      readonly note?: string
      /** Last lines of its output, at most TAIL_BYTES_MAX; only when it failed. */
      readonly tail?: string
    }
  /** Waits for a person or a correction, with everything achieved kept. */
  | {
      readonly type: 'suspended'
      readonly code: SuspendCode
      readonly reason: string
      readonly step?: string
      readonly instance?: string
      /** Paths that the failed step read: what a person may want to change. */
      readonly values?: Readonly<Record<string, Tree>>
      /** What the program says a person is to do: `<correct mode="manual">`. */
      readonly instructions?: string
    }
  | {
      readonly type: 'repaired'
      readonly by: Principal
      /** step, skip: of the step that waits for a decision · look: offer it again · retry: go on without asking. */
      readonly verb: 'retry' | 'resume' | 'step' | 'skip' | 'look'
      /** Of step and skip. */
      readonly step?: string
      readonly assignments: readonly Assignment[]
      readonly decisions?: readonly StepDecision[]
      /** The method that is tried first from here on. */
      readonly method?: { readonly instance: string; readonly method: string }
      /** The edited program that is pursued from here on. */
      readonly program?: { readonly name: string; readonly hash: string }
      readonly why?: string
    }
  | { readonly type: 'completed'; readonly outcome: 'completed' | 'already-true'; readonly results: Variables }
  /** From here on what was done is taken back; then the goal is cancelled. */
  | { readonly type: 'undoing'; readonly by: Principal; readonly why?: string }
  | { readonly type: 'cancelled'; readonly by: Principal; readonly why?: string }

export type StepKind = 'send' | 'tempFile' | 'update' | 'check' | 'remote' | 'code' | 'editFile' | 'wait' | 'snapshot'

/**
 * What a person has decided about a step, instead of what its journal says.
 * skip: it need not be done, and wrote nothing · done: it was done outside, with these results · again: it is done again though
 * nothing it read has changed · from: it and all that was begun after it is done again · failed: what nobody knew, how it ended:
 * it has failed, and what the program says about failures is done.
 */
export interface StepDecision {
  readonly step: string
  readonly verdict: 'skip' | 'done' | 'again' | 'from' | 'failed'
  /** Of done. */
  readonly writes?: readonly Write[]
}

export interface Write {
  /** Absolute within the goal: `goal.node.ip`, `agent.count`. */
  readonly path: string
  readonly value: Tree
}

export interface Candidate {
  readonly method: string
  readonly verdict: 'selected' | 'queued' | 'rejected' | 'failed'
  readonly reason?: string
  readonly grounds?: Grounds
}

export type SuspendCode =
  | 'step-failed'
  /** The time of a block around the step is over. */
  | 'timed-out'
  | 'in-doubt'
  | 'config-incomplete'
  | 'no-method'
  | 'post-not-true'
  | 'requested'
  | 'stepping'
  | 'stopped'
  | 'journal-damaged'
  | 'program-missing'
  /** Its dispatcher gave it up while this node was away. */
  | 'abandoned'
  /** An error of ours: the goal waits for a better version. */
  | 'internal'
  | 'denied'

/** Part of what a step printed. `offset` counts bytes from the start of that stream. */
export interface OutputChunk {
  readonly goalId: string
  readonly step: string
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr'
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Last lines kept with a failure, in bytes: a screenful. */
export const TAIL_BYTES_MAX = 2048
