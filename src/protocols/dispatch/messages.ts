/** `/cloudburst/dispatch/1`: hand a configured goal to a peer and follow it to its outcome. Spec: ./README.md */
import type { ErrorData } from '../../errors.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import type { Assignment, GoalEvent } from '../../goals/pursuit/events.ts'

export const DISPATCH = '/cloudburst/dispatch/1'

/** Dispatcher → executor. The first message is `request`, `follow` or `fence`. */
export type FromDispatcher =
  | {
      readonly type: 'request'
      /** ULID chosen by the dispatcher. The same id twice is the same goal: it is answered again, not run again. */
      readonly id: string
      readonly goal: string
      readonly program: { readonly name: string; readonly hash: string }
      readonly agent?: string
      readonly mode: 'pursue' | 'execute'
      readonly assignments: readonly Assignment[]
      /** `<run id>:<goal>` of each caller, root first; a cycle across nodes is found by it. */
      readonly chain: readonly string[]
      /** Epoch milliseconds: not accepted later than this; accept keys are kept until then. */
      readonly acceptBefore: number
      /** E-mail of the person or node that asked at the dispatcher. */
      readonly email?: string
      /** Of the person, as in LANG. */
      readonly locale?: string
      /** A person decides before each step. */
      readonly stepwise?: boolean
      /** Share the connections of plain ssh and scp prefixes. */
      readonly sshReuse?: boolean
      /** The signed asks that it rests on, base64, the last one by the dispatcher. */
      readonly behalf?: readonly string[]
      /** Id of a run that the dispatcher has asked for, which is over: what it has done is taken back, unless others keep it. */
      readonly undoes?: string
    }
  /** The program that the executor said it lacks. Needs program:load. */
  | { readonly type: 'program'; readonly files: readonly SourceFile[] }
  /** Go on with a goal accepted earlier: events from number `from`, output from where `have` ends. Never makes a goal. */
  | { readonly type: 'follow'; readonly id: string; readonly from: number; readonly have?: readonly OutputHead[] }
  /** The goal was given up by its dispatcher, who may have sent it elsewhere: it must not go on by itself. */
  | { readonly type: 'fence'; readonly id: string; readonly why?: string }
  /** With `takes`, as the first message: which messages this end understands besides those that every version does. Others pass it over. */
  | { readonly type: 'heartbeat'; readonly takes?: readonly 'events'[] }

/** How many bytes of one output the dispatcher holds. */
export interface OutputHead {
  readonly step: string
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: number
}

/** Most events in one message, and most bytes of their text: usually about as long as what is encrypted as one. */
export const EVENTS_TOGETHER_MAX = 128
export const EVENTS_TEXT_BYTES_MAX = 256 * 1024

/** Executor → dispatcher. Before `accepted`, `refused` means that the goal was not accepted; after it, only that following ends. */
export type FromExecutor =
  /** Also the first answer to `follow`. The receipt is the same each time: see receipt.ts. */
  | { readonly type: 'accepted'; readonly id: string; readonly receipt: Uint8Array }
  | { readonly type: 'need-program'; readonly hash: string }
  | { readonly type: 'refused'; readonly error: ErrorData }
  /** The answer to `fence`: the goal rests, or is over. */
  | { readonly type: 'fenced'; readonly id: string }
  /** In order of `seq`, no gap, no repeat within one stream. Durable at the executor before it is sent. */
  | { readonly type: 'event'; readonly event: GoalEvent }
  /** Several of them, as JSON text of the list, which is how both ends keep them: only to a dispatcher that `takes` them. */
  | { readonly type: 'events'; readonly events: Uint8Array }
  | {
      readonly type: 'output'
      readonly step: string
      readonly attempt: number
      readonly stream: 'stdout' | 'stderr'
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly type: 'heartbeat' }
