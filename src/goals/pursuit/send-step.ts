/** `<send>`: one command, by a local shell or behind a prefix. Source: docs/language.md, "shell". */
import { createHash } from 'node:crypto'
import { interpolate } from '../expression/interpolate.ts'
import type { Scope } from '../expression/result.ts'
import type { Send, ShellStatement } from '../program/model.ts'
import { isPlainSsh } from '../program/read-shell.ts'
import type { Here } from './call.ts'
import { settled } from './exit-outcome.ts'
import { joined, type Prepared, type Step, timeoutOf } from './step.ts'
import { type Answer, prepareAnswers, withTerminal } from './terminal.ts'
import { describe } from './walk.ts'

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
        ...(attempt.group !== undefined && { group: attempt.group }),
        argv: run.argv,
        env: { ...prepared.env, ...run.env },
        ...timeoutOf(timeoutS, attempt, world.clock),
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
