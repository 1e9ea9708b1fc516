/**
 * What a program says, after reading and before anything is known of the world.
 * Every part keeps its place, so that any complaint can be file:line:col.
 */
/** 1-based, as editors count. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly col: number
}

/** A name, then fields and indexes: `agent.seeds[0].ip` is `['agent', 'seeds', 0, 'ip']`. */
export type Path = readonly (string | number)[]

/** A closed namespace: a root file with its includes, or several files in order. */
export interface Program {
  readonly name: string
  /** SHA-256, hex, over names and texts of all files in order. */
  readonly hash: string
  readonly files: readonly SourceFile[]
  /** Untyped top-level structs: field declarations by type name. */
  readonly types: ReadonlyMap<string, Declaration>
  /** Typed top-level structs, variables and lists: instances in agency state. */
  readonly instances: ReadonlyMap<string, Declaration>
  readonly goals: ReadonlyMap<string, GoalProto>
  /** Global methods, in order of definition. */
  readonly methods: readonly Method[]
  readonly agents: ReadonlyMap<string, AgentProto>
  readonly warnings: readonly Complaint[]
  /** What `--verbose` tells: definitions that replaced earlier ones. */
  readonly notes?: readonly Complaint[]
}

export interface SourceFile {
  readonly name: string
  readonly text: string
}

export interface Complaint {
  readonly place: Place
  /** Lower-case sentence naming the element, e.g. `<goalProto> needs a name`. */
  readonly message: string
}

export interface Description {
  readonly locale?: string
  readonly text: Template
}

/** `<variable>`, `<struct>` or `<list>`: a name, a type, and what it starts as. */
export interface Declaration {
  readonly kind: 'variable' | 'struct' | 'list'
  readonly name: string
  readonly type?: string
  /** variable: its content. Empty = undefined. */
  readonly value: Template
  /** struct: fields; list: elements, in order. */
  readonly members: readonly Declaration[]
  /** struct: a bare `<get>` = start from a copy of that node. */
  readonly copyOf?: Path
  readonly place: Place
}

export interface GoalProto {
  readonly name: string
  readonly describe: readonly Description[]
  readonly docs: readonly string[]
  readonly parameters: readonly Declaration[]
  readonly pre: readonly Expression[]
  readonly post: readonly Expression[]
  readonly methods: readonly Method[]
  /** Of all its methods, after their own. */
  readonly correct?: readonly Correction[]
  /** Agent in whose `<agent>` element this goal stands, if any. */
  readonly agent?: string
  /** What its requirements, its post and the guards of its methods rest on is told at any verbosity. */
  readonly debug?: true
  readonly place: Place
}

export interface Method {
  /** Its name, or `method@LINE` when it has none. */
  readonly name: string
  readonly target: string
  readonly priority: number
  readonly describe: readonly Description[]
  readonly docs?: readonly string[]
  readonly pre: readonly Expression[]
  readonly body: readonly Statement[]
  readonly correct?: readonly Correction[]
  /** Takes back what it has done. */
  readonly undo?: readonly Statement[]
  /** What its guards rest on, and its steps, are told at any verbosity. */
  readonly debug?: true
  readonly place: Place
}

export interface AgentProto {
  readonly name: string
  /** Name of the goal that is pursued when the agent is stopped. */
  readonly onStop?: string
  readonly describe: readonly Description[]
  readonly variables: readonly Declaration[]
  readonly pre: readonly Expression[]
  readonly goals: ReadonlyMap<string, GoalProto>
  readonly methods: readonly Method[]
  readonly place: Place
}

/** Text and expressions to be concatenated; white space is kept. */
export type Template = readonly Expression[]

export type Expression =
  | { readonly kind: 'text'; readonly text: string; readonly place: Place }
  | { readonly kind: 'get'; readonly path: Path; readonly quote?: 'shell' | 'none'; readonly as?: 'env'; readonly place: Place }
  | { readonly kind: 'set'; readonly path: Path; readonly place: Place }
  | { readonly kind: 'string'; readonly parts: Template; readonly place: Place }
  | { readonly kind: 'convert'; readonly to: 'int' | 'bool'; readonly parts: Template; readonly place: Place }
  | { readonly kind: 'op'; readonly name: OpName; readonly operands: readonly Expression[]; readonly place: Place }
  | { readonly kind: 'defined'; readonly of: Expression; readonly place: Place }
  | { readonly kind: 'fileTest'; readonly test: FileTest; readonly path: Template; readonly place: Place }
  | {
      readonly kind: 'shell'
      readonly value: 'returnCode' | 'isZero' | 'stdout'
      readonly pure: boolean
      readonly shell: ShellStatement
      readonly place: Place
    }
  | { readonly kind: 'completed'; readonly call: GoalCall; readonly place: Place }
  | { readonly kind: 'env'; readonly name: string; readonly place: Place }
  | { readonly kind: 'secret'; readonly from: 'env' | 'file' | 'command'; readonly parts: Template; readonly place: Place }
  | { readonly kind: 'now' | 'uuid'; readonly place: Place }
  | { readonly kind: 'urlEncode'; readonly parts: Template; readonly place: Place }

export type OpName =
  | 'eq'
  | 'ne'
  | 'gt'
  | 'lt'
  | 'ge'
  | 'le'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'and'
  | 'or'
  | 'not'
  | 'isZero'
  | 'isNotZero'
export type FileTest = 'exists' | 'file' | 'directory' | 'executable'

/** `goalCompleted`: a sub-goal and its arguments, evaluated in the caller's scope. */
export interface GoalCall {
  readonly goal: string
  readonly arguments: readonly Declaration[]
  readonly again: boolean
  /** Pursue it on another node. */
  readonly peer?: Template
  readonly where?: string
  /** Of a prerequisite: what it says about failures and time. A statement says so itself. */
  readonly policy?: StatementBase
  readonly place: Place
}

/** What every statement may carry. */
export interface StatementBase {
  readonly name?: string
  /** First 12 hex digits of SHA-256 over what the statement says, its layout left out: its identity when it has no name. */
  readonly key: string
  readonly describe: readonly Description[]
  readonly onFail: 'stop' | 'ignore' | 'suspend' | 'retry'
  /** How many times more to try before it counts as failed. */
  readonly retries: number
  /** Wait before the next try, in seconds, doubled each time. */
  readonly backoffS: number
  /** Seconds; then the whole process group ends. */
  readonly timeoutS?: number
  readonly idempotent: boolean
  /** It, and all that is in it, is told with what it reads and writes, at any verbosity. */
  readonly debug?: true
  readonly place: Place
}

export type Statement =
  | DoStatement
  | FindStatement
  | RepeatStatement
  | ShellStatement
  | TempFileStatement
  | UpdateStatement
  | CheckStatement
  | CallStatement
  | CodeStatement
  | EditFileStatement
  | WaitStatement
  | SnapshotStatement

export interface DoStatement extends StatementBase {
  readonly kind: 'do'
  readonly body: readonly Statement[]
  readonly parallel: number
}

export interface FindStatement extends StatementBase {
  readonly kind: 'find'
  readonly symbol: string
  readonly in: readonly Expression[]
  readonly body: readonly Statement[]
  readonly parallel: number
}

export interface RepeatStatement extends StatementBase {
  readonly kind: 'repeat'
  readonly count: Expression
  readonly body: readonly Statement[]
}

export interface ShellStatement extends StatementBase {
  readonly kind: 'shell'
  /** The explicit prefix, already split into arguments; each is a template. Absent: a local shell. */
  readonly prefix?: readonly Template[]
  /** Program that runs the sends when there is no prefix. */
  readonly shell: string
  readonly sends: readonly Send[]
  /** Share connections of a plain ssh or scp prefix. */
  readonly reuse?: boolean
}

/** One command of a `<shell>`; a step of its own. */
export interface Send extends StatementBase {
  readonly text: Template
  /** Names the log file of this and the steps that follow. */
  readonly label?: string
  /** Prompts that are answered: the command gets a terminal. */
  readonly receive?: readonly Receive[]
}

/** A prompt and what is typed when it appears. */
export interface Receive {
  /** Regular expression of JavaScript; values in it are taken literally. */
  readonly prompt: Template
  readonly answer: Template
  readonly place: Place
}

export interface TempFileStatement extends StatementBase {
  readonly kind: 'tempFile'
  readonly text: Template
}

export interface UpdateStatement extends StatementBase {
  readonly kind: 'update'
  readonly target: Path
  readonly value: Expression
}

/** An expression that must hold. */
export interface CheckStatement extends StatementBase {
  readonly kind: 'check'
  readonly expression: Expression
}

export interface CallStatement extends StatementBase {
  readonly kind: 'call'
  readonly call: GoalCall
}

/** A block of code in a process of its own. */
export interface CodeStatement extends StatementBase {
  readonly kind: 'code'
  readonly language: 'javascript' | 'python'
  /** Each `get` stands for a value, each `set` for a place that the code assigns to. */
  readonly text: Template
  /** Older `<python>`: values are pasted as literals. */
  readonly pasted: boolean
}

export interface EditFileStatement extends StatementBase {
  readonly kind: 'editFile'
  readonly path: Template
  /** Begin with an empty file when there is none. */
  readonly create: boolean
  readonly edits: readonly FileEdit[]
}

/** One change of a text file. Patterns are regular expressions of JavaScript, `^` and `$` match at lines; values in them are taken literally. */
export type FileEdit =
  | {
      readonly kind: 'replace'
      readonly pattern: Template
      readonly text: Template
      /** Only the first match. */
      readonly first: boolean
      readonly place: Place
    }
  | { readonly kind: 'insertAfter' | 'insertBefore'; readonly pattern: Template; readonly text: Template; readonly place: Place }
  | { readonly kind: 'append' | 'prepend'; readonly text: Template; readonly place: Place }
  | { readonly kind: 'remove'; readonly pattern: Template; readonly place: Place }

/** A place at which later goals may begin. */
export interface SnapshotStatement extends StatementBase {
  readonly kind: 'snapshot'
  readonly name: string
}

/** Waits a time, or until all of `until` hold. */
export interface WaitStatement extends StatementBase {
  readonly kind: 'wait'
  readonly seconds?: Template
  readonly until: readonly Expression[]
  /** Seconds between two looks. */
  readonly everyS: number
}

/** How a failure is put right before the next try. */
export interface Correction {
  readonly mode: 'manual' | 'auto'
  /** Most corrections of one walk; manual: 0. */
  readonly limit: number
  /** auto: statements before the next try. */
  readonly body: readonly Statement[]
  /** manual: what a person is to do. */
  readonly instructions: Template
  /** manual: places whose values a person is asked for. */
  readonly ask: readonly Path[]
  readonly place: Place
}
