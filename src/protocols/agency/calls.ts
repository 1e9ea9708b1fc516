/**
 * Everything one can ask of a node, as one table: what a request and its reply look like and which
 * capability it needs. The control API (HTTP) and `/cloudburst/agency/1` (libp2p) both serve exactly this
 * table, so a call works the same on this node and on a peer. Spec: ./README.md
 */
import type { Capability } from '../../crypto/capability.ts'
import type { ErrorData } from '../../errors.ts'
import type { PlanBasis } from '../../goals/plan/basis.ts'
import type { Plan } from '../../goals/plan/plan.ts'
import type { Complaint, SourceFile } from '../../goals/program/model.ts'
import type { ConfigVariable } from '../../goals/config/config.ts'
import type { Assignment, Candidate, GoalEvent, Principal, StepDecision } from '../../goals/pursuit/events.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { Tree, Variables } from '../../goals/tree.ts'
import type { Explained } from '../state/replica.ts'

export const AGENCY = '/cloudburst/agency/1'

/** A call with one reply. */
export interface Calls {
  hello: { request: Record<string, never>; reply: NodeInfo }
  programs: { request: Record<string, never>; reply: readonly ProgramInfo[] }
  program: { request: { readonly program: string }; reply: { readonly files: readonly SourceFile[]; readonly info: ProgramInfo } }
  load: { request: { readonly files: readonly SourceFile[] }; reply: ProgramInfo }
  list: { request: { readonly program?: string; readonly locale?: string }; reply: readonly GoalInfo[] }
  agents: { request: Record<string, never>; reply: readonly AgentInfo[] }
  start: {
    request: { readonly program: string; readonly agent?: string; readonly name?: string; readonly assignments: readonly Assignment[] }
    reply: AgentInfo
  }
  examine: { request: { readonly agent: string }; reply: AgentDetail }
  suspend: { request: { readonly agent: string }; reply: AgentInfo }
  resume: { request: { readonly agent: string }; reply: AgentInfo }
  /** `now`: steps that run are ended. */
  stop: { request: { readonly agent: string; readonly now?: boolean }; reply: AgentInfo }
  plan: { request: GoalRequest; reply: Plan }
  /** What a goal sent here would meet, asked by a node that thinks of sending it; has no effect. */
  anticipate: {
    request: GoalRequest & { readonly program: string }
    /** `would`: absent when the program is not here. */
    reply: { readonly holds: boolean; readonly would?: Plan['summary']; readonly problem?: string }
  }
  /** `planned`: what the plan rests on that is executed; refused with CB_PLAN_STALE when any of it has moved. */
  pursue: {
    request: GoalRequest & { readonly id?: string; readonly mode?: 'pursue' | 'execute'; readonly planned?: PlanBasis }
    reply: { readonly id: string }
  }
  /** `explained`: each suspension as `goal` tells it. */
  goals: {
    request: { readonly suspended?: boolean; readonly explained?: boolean; readonly limit?: number }
    reply: readonly RunInfo[]
  }
  goal: { request: { readonly id: string }; reply: RunInfo }
  repair: { request: RepairRequest; reply: RunInfo }
  /** What the repair would keep, do again and do anew; changes nothing. */
  preview: { request: PreviewRequest; reply: Plan }
  /**
   * With undo: false what was done stays done. `leave`: only the caller gives it up, who has asked for it; while others have asked for
   * it too it goes on (`kept`).
   */
  cancel: {
    request: { readonly id: string; readonly why?: string; readonly undo?: false; readonly leave?: true }
    reply: RunInfo & { readonly kept?: true }
  }
  /** Lets a goal rest at its next step; answers within a second, naming steps that still run. */
  suspendgoal: { request: { readonly id: string; readonly why?: string }; reply: RunInfo }
  /** Lets go on what was suspended by `suspendgoal`, or with its agent. */
  resumegoal: { request: { readonly id: string; readonly why?: string }; reply: RunInfo }
  state: { request: { readonly path: string }; reply: { readonly value?: Tree } }
  /** Who says that a path is so, and since when; nodes of which nothing is believed because two publish as one. */
  explain: { request: { readonly path: string }; reply: { readonly values: readonly Explained[]; readonly forks: readonly Forked[] } }
  /** The latest changes at or below a path, oldest first, as far as this node remembers. */
  history: { request: { readonly path: string }; reply: { readonly changes: readonly StateChange[] } }
  /** Changes this node's own state, all or nothing; one with a `revision` only if the path is still at it (0: not there). */
  update: {
    request: { readonly changes: readonly { readonly path: string; readonly value?: string | Tree; readonly revision?: number }[] }
    reply: { readonly changes: readonly { readonly path: string; readonly revision: number }[] }
  }
  /** Another node is gone for good: its state disappears here, and wherever this node may say so. */
  forget: { request: { readonly node: string; readonly why?: string }; reply: { readonly peer: string; readonly name: string } }
  /** Trusts a node again of which two have published, from its next start on. */
  acceptfork: { request: { readonly node: string }; reply: { readonly peer: string; readonly name: string } }
  /** Which release the node runs, and whether it is well. */
  release: { request: Record<string, never>; reply: ReleaseInfo }
  /**
   * Takes the artefact with this hash from whoever asks, puts it beside the release that runs, verifies it, and answers; then
   * the daemon ends and the new one is tried. Unless it is kept within `withinMs`, the node goes back by itself.
   */
  upgrade: { request: { readonly artifact: string; readonly release: string; readonly withinMs: number }; reply: ReleaseInfo }
  /** The release on trial is found well: it is the one that is started from now on. */
  keeprelease: { request: { readonly release: string }; reply: ReleaseInfo }
  inventory: { request: Record<string, never>; reply: { readonly at?: number; readonly variables?: Variables } }
}

/** A call whose reply is a sequence of items. */
export interface StreamCalls {
  /** Events from `from` on, output in between; with `follow` until the goal has come to rest (completed, cancelled or suspended). */
  events: {
    request: { readonly id: string; readonly from?: number; readonly follow?: boolean; readonly output?: boolean }
    item: EventItem
  }
  /** The value now, then every change of it. */
  watch: {
    /** `cursor`: of an earlier item; the whole value is given again only if what came since is not remembered. */
    request: { readonly path: string; readonly cursor?: string }
    item: StateChange & { readonly cursor?: string }
  }
}

export type CallName = keyof Calls
export type StreamName = keyof StreamCalls

/** What each call needs. Every entry of Calls and StreamCalls has a row: the compiler insists. */
export const callCapability: Readonly<Record<CallName | StreamName, Capability>> = {
  hello: 'agency:hello',
  programs: 'agency:inspect',
  program: 'agency:inspect',
  load: 'program:load',
  list: 'agency:inspect',
  agents: 'agency:inspect',
  start: 'agent:start',
  examine: 'agency:inspect',
  suspend: 'agent:control',
  resume: 'agent:control',
  stop: 'agent:control',
  plan: 'goal:plan',
  anticipate: 'goal:dispatch',
  pursue: 'goal:dispatch',
  goals: 'agency:inspect',
  goal: 'agency:inspect',
  repair: 'goal:repair',
  preview: 'goal:repair',
  cancel: 'goal:repair',
  suspendgoal: 'goal:repair',
  resumegoal: 'goal:repair',
  state: 'state:read',
  explain: 'state:read',
  history: 'state:read',
  update: 'agent:control',
  forget: 'permission:admin',
  acceptfork: 'permission:admin',
  release: 'agency:inspect',
  upgrade: 'node:deliver',
  keeprelease: 'node:deliver',
  inventory: 'inventory:read',
  events: 'agency:inspect',
  watch: 'state:read'
}

/**
 * The calls as methods. Implemented by node/agency.ts (this node), protocols/agency/client.ts (a peer)
 * and cli/control-client.ts (over the socket); served by protocols/agency/server.ts and node/control.
 */
export interface Agency {
  call<N extends CallName>(name: N, request: Calls[N]['request'], by: Principal, signal?: AbortSignal): Promise<Calls[N]['reply']>
  stream<N extends StreamName>(
    name: N,
    request: StreamCalls[N]['request'],
    by: Principal,
    signal?: AbortSignal
  ): AsyncIterable<StreamCalls[N]['item']>
}

export interface NodeInfo {
  readonly peer: string
  readonly name: string
  readonly version: string
  readonly labels: Readonly<Record<string, string>>
  /** Multiaddrs with /p2p/. */
  readonly addresses: readonly string[]
  readonly startedAt: number
  readonly state: 'ready' | 'degraded'
  readonly host: {
    readonly platform: string
    readonly arch: string
    readonly hostname: string
    readonly cpus: number
    readonly memoryBytes: number
  }
  readonly counts: { readonly programs: number; readonly agents: number; readonly running: number; readonly suspended: number }
}

/** What a node runs, as an upgrade sees it. */
export interface ReleaseInfo {
  /** `VERSION-HASH`; absent: the node was not delivered as a release, and cannot be upgraded. */
  readonly release?: string
  /** What artefacts for it are for, e.g. `linux-x64`. */
  readonly target: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** It goes back to the release before unless it is kept in time. */
  readonly trial?: true
  /** How the last upgrade ended, when the node went back by itself. */
  readonly returned?: { readonly release: string; readonly why: string; readonly at: number }
  /** What does not work there, in words. */
  readonly wrong: readonly string[]
}

export interface ProgramInfo {
  readonly name: string
  readonly hash: string
  readonly goals: readonly string[]
  readonly agents: readonly string[]
  readonly loadedAt?: number
  readonly shipped: boolean
  readonly warnings: readonly Complaint[]
}

/** A change of a path; an absent value removes it. */
export interface StateChange {
  readonly path: string
  readonly value?: Tree
  /** Epoch milliseconds at the owner; 0 for a whole value. */
  readonly at: number
}

/** Two machines publish under one key. */
export interface Forked {
  readonly origin: string
  readonly name: string
}

/** One row of `list`: what class Tabulator prints. */
export interface GoalInfo {
  readonly program: string
  readonly goal: string
  readonly agent?: string
  readonly describe?: string
  readonly docs: readonly string[]
  readonly parameters: readonly { readonly name: string; readonly type?: string; readonly required: boolean }[]
  readonly methods: readonly string[]
}

export interface AgentInfo {
  readonly name: string
  readonly program: { readonly name: string; readonly hash: string }
  /** Name of the `<agent>` element; the program's own name when it has none. */
  readonly proto: string
  readonly status: 'running' | 'suspended' | 'stopped'
  readonly startedAt: number
  readonly goals: { readonly running: number; readonly suspended: number }
  /** After suspend and stop: steps that still run. Their goals rest once they have ended. */
  readonly inFlight?: readonly StepInFlight[]
  /** After stop: id of the goal that its program wants pursued then. */
  readonly stopGoal?: string
}

/** A step that runs although its goal was asked to rest. */
export interface StepInFlight {
  /** Id of the goal. */
  readonly goal: string
  readonly step: string
  /** What a person would type, secrets masked. */
  readonly show: string
}

export interface AgentDetail extends AgentInfo {
  readonly variables: Variables
  readonly runs: readonly RunInfo[]
}

export interface GoalRequest {
  readonly goal: string
  /** Name or hash; absent: the one loaded or shipped program that has this goal. */
  readonly program?: string
  readonly agent?: string
  readonly assignments: readonly Assignment[]
  /** Take what is suggested where there is just one suggestion for each missing value. */
  readonly acceptSuggestions?: boolean
  /** As in LANG: chooses among descriptions. */
  readonly locale?: string
  /** Wait for a decision before each step. */
  readonly stepwise?: boolean
  /** Share the connections of plain ssh and scp prefixes. */
  readonly sshReuse?: boolean
  /** Steps that may be done at a time, from 1; absent: as many as the program says. */
  readonly abreast?: number
  /** Begin where the goal `id` was at its snapshot, or at its last one; needs the right to repair it. */
  readonly from?: { readonly id: string; readonly snapshot?: string }
  /** Of a plan: start no process to look at the machine, not even a pure shell. */
  readonly probe?: false
  /** Undo what the goal has done here, the last first, instead of pursuing it; where that is not clear, the assignments say which. */
  readonly destroy?: true
  /** Of a plan: look again at what earlier runs of the goal had reached, also on other nodes. */
  readonly refresh?: true
  /** Pursue nothing: write down what earlier runs of the goal here had reached and is no longer true. */
  readonly refreshOnly?: true
  /** Only up to this step or goal: its id in the plan, or the end of that. */
  readonly target?: string
}

export interface RepairRequest {
  readonly id: string
  readonly assignments: readonly Assignment[]
  readonly why?: string
  /** Number of the last event the person saw; a repair of anything newer is refused. */
  readonly seq?: number
  /** What to do with the step that waits for a decision; absent: go on without asking. */
  readonly stepwise?: 'step' | 'skip' | 'look'
  /** What a person has decided about single steps: docs/recovery.md */
  readonly decisions?: readonly StepDecision[]
  /** Method to be tried first, `INSTANCE:METHOD` or a method of the goal that failed. */
  readonly method?: string
  /** Hash of an edited program to go on with; it must be loaded here and have the goal. Needs program:load. */
  readonly program?: string
}

/** What a repair would do, or giving the goal up. */
export interface PreviewRequest extends RepairRequest {
  /** What its methods would undo of what it has done, also while it is pursued. */
  readonly cancel?: true
}

/** A run as this node knows it: its own, or one it dispatched. */
export interface RunInfo extends RunSummary {
  /** Name of the node that pursues it, when that is not this one. */
  readonly on?: string
  /** Of a goal sent to another node: what is to be said besides its events. */
  readonly dispatch?: DispatchInfo
  /** Why it is to rest, while its step still runs: `suspended by ada@example.org`. */
  readonly toRest?: string
  /** Sub-goals on other nodes that it has to wait for, each with why: `part on n3: n3 is away: …, since …`. */
  readonly waitsFor?: readonly string[]
  /** After suspendgoal: steps that still run. The goal rests once they have ended. */
  readonly inFlight?: readonly StepInFlight[]
  /** Each variable of its configuration; of single goals only. */
  readonly config?: readonly ConfigVariable[]
  /** Which methods were chosen or rejected, and why; of single goals and of those of an examined agent. */
  readonly methods?: readonly MethodChoice[]
}

/** How it stands with a goal that was sent to another node, when it is not simply pursued there. */
export interface DispatchInfo {
  /** queued: its turn has not come · sent: no answer yet · accepted: pursued there · in-doubt: the node has forgotten it · abandoned: the node was given up · refused: never accepted */
  readonly state: 'queued' | 'sent' | 'accepted' | 'in-doubt' | 'abandoned' | 'refused'
  /** Why nothing is heard of it, or why not accepted. */
  readonly why?: string
  /** Of refused. */
  readonly error?: ErrorData
}

/** The candidates of one goal or sub-goal, as last classified. */
export interface MethodChoice {
  readonly instance: string
  readonly candidates: readonly Candidate[]
}

export type EventItem =
  | { readonly type: 'event'; readonly event: GoalEvent }
  | {
      readonly type: 'output'
      readonly step: string
      readonly attempt: number
      readonly stream: 'stdout' | 'stderr'
      readonly offset: number
      readonly text: string
    }
  /** The peer that pursues cannot be reached right now; `follow` goes on waiting. */
  | { readonly type: 'waiting'; readonly reason: string }

/** A line of `logs -o json` and of the streams of the control API: the version first, then items. schema/events.schema.json */
export type StreamItem = { readonly type: 'version'; readonly version: 1 } | EventItem
