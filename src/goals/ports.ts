/**
 * What planning and pursuing need of the world. Implemented in src/node, faked in test/fakes;
 * test/compliance holds one suite per port that both must pass.
 */
import type { FileTest } from './program/model.ts'
import type { Circuits } from './pursuit/circuits.ts'
import type { EditedText, FileEdits } from './pursuit/edited-text.ts'
import type { GoalEvent, GoalEventBody, Principal } from './pursuit/events.ts'
import type { Turns } from './pursuit/turns.ts'
import type { Tree, Variables } from './tree.ts'

/** The truth about every run: an append-only, gap-free, hash-chained record per goal. */
export interface Journal {
  /**
   * Appends in the order of calls; the sequence number is taken at the call.
   * Resolves once the record and all before it are on disk (fdatasync); concurrent calls share one sync.
   * Writes to `agent.…` in a step's outcome go to the agent's state in the same atomic batch.
   * @throws CloudburstError CB_STORE_DEGRADED when the store cannot write: nothing may be acknowledged then
   */
  append(goalId: string, body: GoalEventBody): Promise<GoalEvent>
  /** Every event of one goal, oldest first, the ones not yet synced included. Empty for an unknown goal. */
  read(goalId: string): Promise<readonly GoalEvent[]>
}

/** One execution of one command, named so that it can be found again after a restart of the daemon. */
export interface CommandKey {
  readonly goalId: string
  readonly step: string
  /** 1 for the first try of the step. */
  readonly attempt: number
}

export interface Command {
  readonly key: CommandKey
  /** Tries of one group are one request to whoever the command talks to. Absent: 0. */
  readonly group?: number
  /** Program and arguments, each to be passed as it is; no shell looks at them unless argv[0] is one. */
  readonly argv: readonly string[]
  /** Added to the daemon's own environment. Never written to disk. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Then the whole process group gets SIGTERM, and SIGKILL 5 s later. */
  readonly timeoutMs?: number
  /** Name under which the output files of this step are also found, if given. */
  readonly label?: string
}

/** How a command ended. A non-zero exit is data, not an error. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  /** It could not be started, e.g. no such program. */
  | { readonly kind: 'not-started'; readonly message: string }
  /** Ended on request (stop --now). */
  | { readonly kind: 'stopped' }
  /** It was started, or may have been, and nobody knows how it ended: host crash, or the runner was killed with the daemon. */
  | { readonly kind: 'lost' }

export interface Finished {
  readonly exit: Exit
  readonly durationMs: number
  /** First OUTPUT_VALUE_BYTES_MAX of it, decoded as UTF-8 with replacement. */
  readonly stdout: string
  readonly stderr: string
  /** True when the command printed more than is kept. */
  readonly truncated: boolean
}

/** Longest stdout or stderr that becomes a value of the goal, in bytes: larger results belong into files. */
export const OUTPUT_VALUE_BYTES_MAX = 256 * 1024

/** Does steps: starts commands so that the daemon's death is not theirs. */
export interface Driver {
  /**
   * Runs one command to its end. Called only after the step's intent is durable.
   * Never throws for a failed command.
   */
  run(command: Command): Promise<Finished>
  /**
   * Finds a command whose intent is in the journal without an outcome: waits for it when it still runs,
   * returns how it ended when that is on record, `lost` otherwise. Never starts anything.
   * @param beganAt epoch milliseconds of the intent; with it, a command that certainly never started is `not-started`, and never will be
   */
  recover(key: CommandKey, beganAt?: number): Promise<Finished>
  /** Ends the process group of a running command; resolves when it is gone. */
  stop(key: CommandKey): Promise<void>
  /** Writes a private (0600) file that lives until {@link dropFiles}; returns its absolute path. The same name again replaces it. */
  writeFile(goalId: string, name: string, text: string): Promise<string>
  /** What is in such a file now; undefined when it is gone. @throws when it is longer than {@link TEXT_BYTES_MAX} */
  readFile(goalId: string, name: string): Promise<string | undefined>
  /** Removes all files made by {@link writeFile} for this goal. */
  dropFiles(goalId: string): Promise<void>
  /** Text files of the machine where steps run. */
  readonly files: Files
  /** Programs that run blocks of code, as argv[0]. */
  readonly interpreters: Readonly<Record<'javascript' | 'python', string>>
  /** A private directory (0700) with a path short enough for sockets, for connections that steps share. */
  connections(): Promise<string>
}

/** Longest text file that is read as a whole, in bytes: what is edited by patterns is written by people. */
export const TEXT_BYTES_MAX = 4 * 1024 * 1024

/** A text file as it was found. */
export type FoundText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  /** Not readable as text, and why: `it is a directory`. */
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface Files {
  /** Follows symbolic links; never throws. */
  readText(path: string): Promise<FoundText>
  /**
   * Puts `text` in the place of a file, whole or not at all, with the mode and owner of the old one, which is kept
   * beside it as `<path>.cb-backup`. A symbolic link stays one: its target is replaced. Durable on return.
   * @throws Error with the system's reason
   */
  replaceText(path: string, text: string): Promise<void>
}

/** A question about the machine whose answer evaluation needs. Its JSON is its key. */
export type FactQuery =
  | { readonly kind: 'file'; readonly test: FileTest; readonly path: string }
  | { readonly kind: 'env'; readonly name: string }
  /** What edits make of a text file. */
  | { readonly kind: 'edited'; readonly edits: FileEdits }
  /** A digest of a text file, when what its edits would make of it cannot be told yet; undefined when there is none to be read. */
  | { readonly kind: 'contents'; readonly path: string }
  /** Read-only command, declared pure by the author. */
  | { readonly kind: 'shell'; readonly argv: readonly string[]; readonly timeoutMs: number }
  /** What this node knows about a node: `nodes.web1.host.os`. */
  | { readonly kind: 'state'; readonly path: string }
  /** Time or identifier, fixed for one place in one run. */
  | { readonly kind: 'now' | 'uuid'; readonly at: string }
  /** Where the file with this `sha256:…` is on this machine; `fetch`: it is got from another node when it is not here. */
  | { readonly kind: 'artifact'; readonly reference: string; readonly fetch: boolean }
  /** The secret behind a reference (`sealed` of a tree); answered by the {@link Vault}, and never written down. */
  | { readonly kind: 'secret'; readonly sealed: string }

export type Fact =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string | undefined }
  | { readonly kind: 'edited'; readonly edited: EditedText }
  | { readonly kind: 'shell'; readonly code: number; readonly stdout: string }
  | { readonly kind: 'artifact'; readonly path: string }
  | { readonly kind: 'artifact'; readonly why: string }
  | { readonly kind: 'tree'; readonly value: Tree | undefined }

export interface Probe {
  /** Answers in the order of the queries. A query that cannot be answered is an undefined fact, not an error. */
  gather(queries: readonly FactQuery[]): Promise<readonly Fact[]>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** @throws AbortError once `signal` fires */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Random {
  /** A fresh ULID. */
  id(): string
}

/** Sub-goals on other nodes. */
export interface Messenger {
  /**
   * Pursues a goal on another node and waits for its outcome, through restarts of either side.
   * The same request id again is the same run. When `signal` fires the run is cancelled, and has failed; when it fires with
   * {@link GIVEN_UP}, it is only waited for no more.
   */
  dispatch(request: RemoteGoal, signal: AbortSignal): Promise<RemoteOutcome>
  /**
   * On which node a goal is pursued, and as which run: the one that was asked before, while that has not refused. Absent: whoever
   * pursues does not tell before it is asked.
   * @param runOn the run that a node with this peer id would have of it
   * @param anew what it was asked for last has failed: it is asked for under another id
   * @throws CloudburstError CB_PEER_UNKNOWN
   */
  locate?(request: RemoteGoal, runOn: (node: string) => string, anew: boolean): Promise<Located>
  /**
   * Ends a goal that was asked for, and has taken back what it has done, where it was done, unless others have asked for the same and
   * keep it. Resolves when that is so, through restarts of either side. Absent: nobody does.
   */
  takeBack?(request: TakingBack, signal: AbortSignal): Promise<RemoteOutcome>
}

/** Why a signal fires whose goal was given up itself: what it has asked for is seen to by whoever gave it up. */
export const GIVEN_UP = 'given up'

/** A run on a node, by peer id. */
export interface Located {
  readonly id: string
  readonly node: string
}

export interface RemoteGoal {
  readonly id: string
  /** Name, label selector, id prefix or multiaddr. */
  readonly peer: string
  /** Hash of the program that the caller runs: the same is pursued there. */
  readonly program: string
  readonly goal: string
  readonly arguments: Variables
  /** `<run id>:<goal>` of the goals that led here, root first, the caller included. */
  readonly chain: readonly string[]
  /** Whose wish it is; added by whoever drives the goal. */
  readonly by?: Principal
  /** Peer id of the node that was {@link Messenger.locate}d. */
  readonly node?: string
}

/** A goal that was asked for, and is not wanted any more. */
export interface TakingBack extends Omit<RemoteGoal, 'arguments' | 'node'> {
  /** Id of the run that takes back what `id` has done, if that is over. */
  readonly as: string
  /** What it has done stays done: its program has nothing that takes it back. */
  readonly undo?: false
  readonly why?: string
}

export type RemoteOutcome =
  | { readonly kind: 'completed'; readonly results: Variables }
  /** Nobody waits for it any more. */
  | { readonly kind: 'left' }
  | { readonly kind: 'failed'; readonly message: string }

/** What top names other than `goal` hold while a goal is pursued. */
export interface Surroundings {
  /** The agent's variables, live. */
  agent(): Variables
  /** uname, platform, arch, hostname, hostip, cpus, memory of the machine where steps run. */
  readonly host: Variables
  /** id, name, labels of the node that pursues. */
  readonly peer: Variables
}

/** Secrets, outside of everything that is written down or sent. */
export interface Vault {
  /**
   * Keeps `secret` for a goal or agent; durable on return.
   * @returns the reference to put in its place; the same secret of the same owner has the same one
   */
  seal(owner: string, secret: string): string
  /** The secret behind a reference, looked up anew each time; undefined when it cannot be had now. */
  open(sealed: string): Promise<string | undefined>
  /** Forgets what was kept for an owner. */
  drop(owner: string): void
}

/** All ports together, as the pursuit loop takes them. */
export interface World {
  readonly journal: Journal
  readonly driver: Driver
  readonly probe: Probe
  readonly messenger: Messenger
  readonly vault: Vault
  readonly clock: Clock
  readonly random: Random
  readonly surroundings: Surroundings
  /**
   * Keeps a copy of a file of this machine, for other nodes too. Durable on return; the same file again is the same.
   * Absent: nobody can have files from here.
   * @returns its `sha256:…`
   * @throws CloudburstError CB_USAGE, CB_STORE_DEGRADED
   */
  keepFile?(path: string): Promise<string>
  /** Which automatic corrections have not helped lately, in any goal of this node. Absent: each is tried. */
  readonly circuits?: Circuits
  /** Whose step begins next, of all goals of this node. Absent: each begins when it can. */
  readonly turns?: Turns
  /** Why the goal may not go on, if so: asked before each step, for whoever it is pursued for may have lost the right to it. */
  whyDenied?(): string | undefined
}
