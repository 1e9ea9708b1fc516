/**
 * What can be done or planned: each kind of step says what it reads, what it would write, what a person would type
 * for it, and how it is done. Reading and doing are apart, so that a plan needs only the first.
 */
import { createHash } from 'node:crypto'
import { evaluate } from '../expression/evaluate.ts'
import { interpolate } from '../expression/interpolate.ts'
import { showPath } from '../expression/path.ts'
import type { Interpolated, Scope } from '../expression/result.ts'
import type { Exit, FactQuery, Finished, World } from '../ports.ts'
import type {
  CheckStatement,
  Complaint,
  Path,
  Place,
  Send,
  ShellStatement,
  StatementBase,
  TempFileStatement,
  UpdateStatement
} from '../program/model.ts'
import { isPlainSsh } from '../program/read-shell.ts'
import type { Tree } from '../tree.ts'
import type { Here } from './call.ts'
import { type StepKind, TAIL_BYTES_MAX, type Write } from './events.ts'
import type { How } from './recall.ts'
import { type Answer, prepareAnswers, withTerminal } from './terminal.ts'
import { describe } from './walk.ts'

/** What a step needs to know before it is done. */
export interface Prepared {
  /** What a person would type, secrets masked, `${path}` for what is not known. */
  readonly show: string
  readonly reads: Readonly<Record<string, Tree>>
  readonly wanted: readonly FactQuery[]
  /** Depends on what is not known yet: plans only. */
  readonly unknown: boolean
  readonly errors: readonly Complaint[]
  /** More lines for people than fit into `show`: the difference that an edit makes. */
  readonly detail?: string
  /** As far as can be seen, there is nothing to do. */
  readonly already?: boolean
  /** Variables that carry values to it. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Performed {
  readonly status: 'completed' | 'failed' | 'in-doubt' | 'stopped'
  readonly exit?: Exit
  readonly writes: readonly { readonly path: Path; readonly value: Tree }[]
  readonly reason?: string
  readonly tail?: string
  /** What it did, in lines for people. */
  readonly note?: string
}

/** How a try of a step is known to the driver. */
export interface Try {
  readonly goalId: string
  readonly step: string
  readonly attempt: number
  /** Fires when a person asks to suspend. */
  readonly signal?: AbortSignal
  /** Epoch milliseconds: when the try began that this one takes up again after an interruption. */
  readonly since?: number
}

export interface Step<P extends Prepared = Prepared> {
  readonly id: string
  readonly kind: StepKind
  /** Policies: retries, onFail, idempotent … */
  readonly statement: StatementBase
  /** Hash of the statement as written: a changed one runs again. */
  readonly key: string
  readonly scope: Scope
  readonly describe?: string
  readonly peer?: string
  /** What the blocks around it want. */
  readonly how?: How
  /** Places it writes when it is done. */
  readonly outputs: readonly Path[]
  /** In a plan: values it would write if they are known already. */
  prepare(): P
  perform(world: World, prepared: P, attempt: Try): Promise<Performed>
  /** Finds out how an interrupted try ended; absent for steps that have no effect outside and are simply done again. */
  recover?(world: World, attempt: Try, beganAt: number): Promise<Performed>
  /** Why what it wrote cannot be kept although it was done: a file that is gone. Absent: it always can. */
  gone?(world: World, writes: readonly Write[]): Promise<string | undefined>
  /** What it writes if that can be told without doing it. */
  foresee?(prepared: P): Tree | undefined
}

/** What keeps a prepared step from being done: values that are not fit, and places that cannot be written. */
export function faultsOf(step: Step, prepared: Prepared): readonly Complaint[] {
  if (prepared.errors.length > 0) return prepared.errors
  const value = step.foresee?.(prepared) ?? { unknown: true as const }
  return step.outputs.flatMap(path => {
    const message = step.scope.misfit(path, value)
    return message === undefined ? [] : [{ place: step.statement.place, message }]
  })
}

interface PreparedCommand extends Prepared {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Prompts that are answered, if the command gets a terminal. */
  readonly answers?: readonly Answer[]
}

/** One command of a `<shell>`: by a local shell, or as the last argument of the prefix. */
export function sendStep(here: Here, shell: ShellStatement, send: Send, id: string): Step<PreparedCommand> {
  const { scope } = here
  const text = describe(send.describe.length > 0 ? send.describe : shell.describe, scope)
  const timeoutS = send.timeoutS ?? shell.timeoutS
  return {
    id,
    kind: 'send',
    statement: send,
    key: `${prefixKey(shell)}:${send.key}`,
    scope,
    ...(text !== undefined && { describe: text }),
    outputs: send.name === undefined ? [] : [['goal', send.name]],
    prepare: () => prepareCommand(shell, send, scope),
    async perform(world, prepared, attempt) {
      const argv =
        shell.reuse === true || (here.frame.run.sshReuse === true && isPlainSsh(shell.prefix ?? []))
          ? sharing(prepared.argv, await world.driver.connections())
          : prepared.argv
      const { answers = [] } = prepared
      const run = answers.length === 0 ? { argv, env: {} } : await withTerminal(world, attempt, argv, answers)
      const { goalId, step } = attempt
      const finished = await world.driver.run({
        key: { goalId, step, attempt: attempt.attempt },
        argv: run.argv,
        env: { ...prepared.env, ...run.env },
        ...(timeoutS !== undefined && { timeoutMs: timeoutS * 1000 }),
        ...(send.label !== undefined && { label: send.label })
      })
      return settled(send, finished)
    },
    async recover(world, attempt, beganAt) {
      return settled(send, await world.driver.recover(attempt, beganAt))
    }
  }
}

/** The arguments of ssh or scp with connections shared and kept for a minute after the last use. Source: ssh_config(5). */
function sharing([program = '', ...rest]: readonly string[], directory: string): readonly string[] {
  return [program, '-o', 'ControlMaster=auto', '-o', `ControlPath=${directory}/%C`, '-o', 'ControlPersist=60', ...rest]
}

const prefixKeys = new WeakMap<ShellStatement, string>()

/** What of a `<shell>` its sends share: editing one of them does not change the others. */
function prefixKey(shell: ShellStatement): string {
  let key = prefixKeys.get(shell)
  if (key === undefined) {
    const shared = JSON.stringify([shell.shell, shell.prefix], (name, value: unknown) => (name === 'place' ? undefined : value))
    key = createHash('sha256').update(shared).digest('hex').slice(0, 12)
    prefixKeys.set(shell, key)
  }
  return key
}

function prepareCommand(shell: ShellStatement, send: Send, scope: Scope): PreparedCommand {
  const last = interpolate(send.text, scope, shell.prefix === undefined ? 'shell' : 'prefixed')
  const prefix = shell.prefix?.map(argument => interpolate(argument, scope, 'argument'))
  const { answers, texts } = prepareAnswers(send.receive ?? [], scope)
  const all = [...(prefix ?? []), last]
  return {
    ...joined([...all, ...texts]),
    show: all.map(each => each.show.trim()).join(' '),
    argv: prefix === undefined ? [shell.shell, '-c', last.text] : all.map(each => each.text),
    env: Object.assign({}, ...all.map(each => each.env)),
    ...(answers.length > 0 && { answers })
  }
}

/** What several texts together need to be known. */
export function joined(all: readonly Interpolated[]): Omit<Prepared, 'show'> {
  return {
    reads: Object.assign({}, ...all.map(each => each.reads)),
    wanted: all.flatMap(each => each.wanted),
    unknown: all.some(each => each.unknown),
    errors: all.flatMap(each => each.errors)
  }
}

/** An exit as a step's outcome, with the results stored under the statement's name. */
export function settled(statement: StatementBase, finished: Finished): Performed {
  const { exit, stdout, stderr } = finished
  const ok = exit.kind === 'exited' && exit.code === 0
  const fields = {
    stdout: { value: stdout.replace(/\n$/, '') },
    stderr: { value: stderr.replace(/\n$/, '') },
    rc: { value: exit.kind === 'exited' ? exit.code : -1 }
  }
  return {
    status: ok ? 'completed' : exit.kind === 'lost' ? 'in-doubt' : exit.kind === 'stopped' ? 'stopped' : 'failed',
    exit,
    writes: statement.name === undefined ? [] : [{ path: ['goal', statement.name], value: { fields } }],
    ...(!ok && { reason: explain(exit, finished.durationMs), tail: tail(stderr.trim() === '' ? stdout : stderr) })
  }
}

/** An exit in words: `exited with 2`, `killed by SIGKILL`, `timed out after 3 s`. */
export function explain(exit: Exit, durationMs: number): string {
  switch (exit.kind) {
    case 'exited':
      return `exited with ${exit.code} after ${seconds(durationMs)}`
    case 'signalled':
      return `killed by ${exit.signal} after ${seconds(durationMs)}`
    case 'timed-out':
      return `timed out after ${seconds(exit.afterMs)}`
    case 'not-started':
      return `could not be started: ${exit.message}`
    case 'stopped':
      return 'stopped on request'
    case 'lost':
      return 'was interrupted, and nobody knows how it ended'
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

function tail(text: string): string {
  const end = text.trimEnd()
  if (end.length <= TAIL_BYTES_MAX) return end
  const cut = end.slice(-TAIL_BYTES_MAX)
  return cut.slice(cut.indexOf('\n') + 1)
}

interface PreparedFile extends Prepared {
  readonly text: string
  readonly version: string | undefined
}

/**
 * `<tempFile>`: interpolated text in a private file, its path in `goal.<name>`. Another text is another path, so that what read
 * the file before is done again.
 */
export function tempFileStep(here: Here, statement: TempFileStatement, id: string): Step<PreparedFile> {
  const { scope } = here
  const name = statement.name ?? statement.key.slice(0, 8)
  return {
    id,
    kind: 'tempFile',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [['goal', name]],
    prepare() {
      const text = interpolate(statement.text, scope, 'text')
      return {
        ...joined([text]),
        show: `write temporary file ${name} (${text.show.length} characters)`,
        text: text.text,
        version: versionOf(text)
      }
    },
    async perform(world, prepared, attempt) {
      const path = await world.driver.writeFile(
        attempt.goalId,
        privateName(name, attempt.step, prepared.version ?? String(attempt.attempt)),
        prepared.text
      )
      return { status: 'completed', writes: [{ path: ['goal', name], value: { type: 'localFilePath', value: path } }] }
    },
    async gone(world, writes) {
      const path = writes.find(write => write.path === `goal.${name}`)?.value.value
      if (typeof path !== 'string') return undefined
      return (await world.driver.files.readText(path)).kind === 'absent' ? 'its file is gone' : undefined
    }
  }
}

/** A file's name that only this step has; a step may be called anything, so a hash stands for it. */
function privateName(name: string, step: string, version: string): string {
  return `f.${name.replace(/[^\w-]/g, '_').slice(0, 40)}.${createHash('sha256').update(step).digest('hex').slice(0, 16)}.${version}`
}

/** Tells texts apart; none of a text with a secret, which one could be guessed by. */
function versionOf({ text, show }: Interpolated): string | undefined {
  return text === show ? createHash('sha256').update(text).digest('hex').slice(0, 12) : undefined
}

interface PreparedUpdate extends Prepared {
  readonly value: Tree | undefined
}

/** `<update>`: assigns a value to a place. */
export function assignStep(here: Here, statement: UpdateStatement, id: string): Step<PreparedUpdate> {
  const { scope } = here
  return {
    id,
    kind: 'update',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [statement.target],
    prepare() {
      const result = evaluate(statement.value, scope)
      const value = result.tree?.unknown === true ? undefined : result.tree
      const undefinedValue = result.tree === undefined && result.errors.length === 0 && result.wanted.length === 0
      const errors = undefinedValue
        ? [{ place: statement.place, message: `the value for ${showPath(statement.target)} is undefined` }]
        : result.errors
      return {
        show: `${showPath(statement.target)} = ${showTree(value)}`,
        reads: result.reads,
        wanted: result.wanted,
        unknown: result.tree?.unknown === true,
        errors,
        value
      }
    },
    perform: (_world, prepared) => Promise.resolve(assigned(scope, statement.target, prepared.value)),
    foresee: prepared => prepared.value
  }
}

/** Gives a result of a sub-goal back to the agent. */
export function updateStep(here: Here, id: string, path: Path, value: Tree, place: Place): Step<PreparedUpdate> {
  const { scope } = here
  const statement: StatementBase = { key: id, describe: [], onFail: 'stop', retries: 0, backoffS: 0, idempotent: true, place }
  const from = { [`goal.${String(path.at(-1))}`]: value }
  return {
    id,
    kind: 'update',
    statement,
    key: JSON.stringify(value),
    scope,
    outputs: [path],
    prepare: () => ({
      show: `${showPath(path)} = ${showTree(value)}`,
      reads: from,
      wanted: [],
      unknown: value.unknown === true,
      errors: [],
      value
    }),
    perform: () => Promise.resolve(assigned(scope, path, value)),
    foresee: () => value
  }
}

function assigned(scope: Scope, path: Path, value: Tree | undefined): Performed {
  if (value === undefined) return { status: 'failed', writes: [], reason: `the value for ${showPath(path)} is undefined` }
  return { status: 'completed', writes: [{ path: scope.place(path), value }] }
}

/** An expression among statements: it must hold. */
export function checkStep(
  here: Here,
  statement: CheckStatement,
  id: string
): Step<Prepared & { readonly outcome: string; readonly why: string }> {
  const { scope } = here
  return {
    id,
    kind: 'check',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [],
    prepare() {
      const result = evaluate(statement.expression, scope)
      const why = result.reasons.map(reason => reason.text).join('; ')
      return {
        show: `check ${why || statement.expression.kind}`,
        reads: result.reads,
        wanted: result.wanted,
        unknown: result.outcome === 'possible',
        errors: result.errors,
        outcome: result.outcome,
        why
      }
    },
    perform: (_world, prepared) =>
      Promise.resolve(
        prepared.outcome === 'true'
          ? { status: 'completed', writes: [] }
          : { status: 'failed', writes: [], reason: prepared.why || 'the expression does not hold' }
      )
  }
}

/** The narration of a step, when it has one. */
export function described(statement: StatementBase, scope: Scope): { readonly describe?: string } {
  const text = describe(statement.describe, scope)
  return text === undefined ? {} : { describe: text }
}

/** A value in a line: long ones cut, structs as their field names. */
function showTree(tree: Tree | undefined): string {
  if (tree === undefined) return '(not known yet)'
  if (tree.type === 'secret' || tree.type === 'password') return '***'
  if (tree.value !== undefined) return shorten(String(tree.value))
  if (tree.fields !== undefined) return `{${Object.keys(tree.fields).join(', ')}}`
  if (tree.items !== undefined) return `[${tree.items.length} items]`
  return tree.ref ?? '(undefined)'
}

function shorten(text: string): string {
  const line = text.split('\n', 1)[0] ?? ''
  return line.length > 60 || line.length < text.length ? `${line.slice(0, 60)}…` : line
}
