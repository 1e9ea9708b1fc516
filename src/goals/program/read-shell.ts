/** `<shell>`: commands to run, with or without an explicit prefix. */
import { hash } from 'node:crypto'
import type { Send, ShellStatement, StatementBase, Template } from './model.ts'
import { withoutLayout } from './layout.ts'
import type { Reading } from './reading.ts'
import { attribute, choice, count, debugOf, fail, flag, isName, noteWrite, parts, seconds, unexpected, warn } from './reading.ts'
import { readPattern } from './read-pattern.ts'
import { readDescriptions, readTemplate } from './read-template.ts'
import { splitWords } from './split-words.ts'
import { elementsOf } from './xml.ts'
import type { XmlElement } from './xml.ts'

/** Runs the sends of a `<shell>` that has no prefix. */
export const DEFAULT_SHELL = '/bin/bash'
/** Wait before the next try, in seconds, unless backoff= says otherwise. */
export const BACKOFF_S = 1

/** Statements that are done at once: there is nothing to end. */
const TIMELESS: ReadonlySet<string> = new Set(['tempFile', 'update', 'editFile'])

/** What every statement may carry. */
export function readBase(reading: Reading, element: XmlElement): StatementBase {
  const name = attribute(element, 'name')
  const timeoutS = seconds(reading, element, 'timeout')
  if (timeoutS !== undefined && TIMELESS.has(element.name))
    warn(reading, element.attributes.get('timeout')!.place, `timeout has no effect on <${element.name}>, which is done at once`)
  const retries = count(reading, element, 'retries', 0)
  if (name !== undefined && !isName(name)) {
    fail(reading, element.attributes.get('name')!.place, `name="${name}" cannot be part of a path: use letters, digits, _ and -`)
  }
  // on <goalCompleted> it is the goal's
  if (name !== undefined && element.name !== 'goalCompleted') noteWrite(reading, ['goal', name])
  return {
    ...(name === undefined ? {} : { name }),
    key: keyOf(element),
    describe: readDescriptions(reading, element),
    onFail: choice(reading, element, 'onFail', ['stop', 'ignore', 'suspend', 'retry']) ?? 'stop',
    retries,
    backoffS: seconds(reading, element, 'backoff') ?? BACKOFF_S,
    ...(timeoutS === undefined ? {} : { timeoutS }),
    idempotent: flag(reading, element, 'idempotent'),
    ...debugOf(element),
    place: element.place
  }
}

/** Identity of a statement that has no name: what it says, whatever its layout. */
function keyOf(element: XmlElement): string {
  return hash('sha256', withoutLayout(element), 'hex').slice(0, 12)
}

/** `<shell>` as a statement or inside an expression. `timeout` and `idempotent` hold for each send that has none of its own. */
export function readShell(reading: Reading, element: XmlElement): ShellStatement {
  const base = readBase(reading, element)
  let prefix: readonly Template[] | undefined
  const sends: Send[] = []
  reading.label = attribute(element, 'label') ?? reading.label
  const stray = element.children.find(child => child.kind === 'text' && child.text.trim() !== '')
  if (stray !== undefined) fail(reading, stray.place, 'text in <shell> is not run: put it into <send>')
  for (const part of parts(reading, element)) {
    if (part.name === 'send') sends.push(readSend(reading, part, base))
    else if (part.name === 'receive') receive(reading, part, sends)
    else if (part.name === 'command') {
      if (prefix !== undefined) fail(reading, part.place, 'a <shell> has one <command>')
      prefix = readPrefix(reading, part) ?? []
    } else if (part.name !== 'describe') unexpected(reading, part, 'shell', ['command', 'send', 'receive', 'describe'])
  }
  if (sends.length === 0 && stray === undefined && !elementsOf(element).some(part => /^send/.test(part.name))) {
    fail(
      reading,
      element.place,
      prefix === undefined ? '<shell> needs a <send>' : '<shell> has a <command> but no <send>: what is to be sent?'
    )
  } else if (sends.length === 0 && stray === undefined) warn(reading, element.place, 'all sends of this <shell> are switched off')
  return {
    ...base,
    kind: 'shell',
    ...(prefix === undefined ? {} : { prefix }),
    shell: attribute(element, 'shell') ?? DEFAULT_SHELL,
    sends,
    ...readReuse(reading, element, prefix)
  }
}

function readSend(reading: Reading, element: XmlElement, shell: StatementBase): Send {
  const base = readBase(reading, element)
  const text = readTemplate(reading, element, ['describe'])
  const timeoutS = base.timeoutS ?? shell.timeoutS
  reading.label = attribute(element, 'label') ?? reading.label
  if (text.every(part => part.kind === 'text' && part.text.trim() === '')) fail(reading, element.place, '<send> is empty')
  return {
    ...base,
    ...inherited(element, shell),
    ...(timeoutS === undefined ? {} : { timeoutS }),
    idempotent: base.idempotent || shell.idempotent,
    ...(shell.debug === true && { debug: true }),
    text,
    ...(reading.label === undefined ? {} : { label: reading.label })
  }
}

/** What the shell says about failures holds for each send that says nothing itself. */
function inherited(element: XmlElement, { onFail, retries, backoffS }: StatementBase): Partial<StatementBase> {
  const silent = (name: string): boolean => attribute(element, name) === undefined
  return { ...(silent('onFail') && { onFail }), ...(silent('retries') && { retries }), ...(silent('backoff') && { backoffS }) }
}

/** `<receive>`: belongs to the send before it. */
function receive(reading: Reading, element: XmlElement, sends: Send[]): void {
  const prompt = readPattern(reading, element, 'prompt')
  const answer = readTemplate(reading, element)
  const last = sends.at(-1)
  if (last === undefined) fail(reading, element.place, '<receive> answers a prompt of the <send> before it, and there is none')
  else if (prompt !== undefined)
    sends[sends.length - 1] = { ...last, receive: [...(last.receive ?? []), { prompt, answer, place: element.place }] }
}

/** Only a prefix that is ssh or scp itself has connections that we know how to share. */
function readReuse(reading: Reading, element: XmlElement, prefix: readonly Template[] | undefined): { readonly reuse?: true } {
  if (!flag(reading, element, 'reuse')) return {}
  if (prefix !== undefined && isPlainSsh(prefix)) return { reuse: true }
  return fail(reading, element.attributes.get('reuse')!.place, 'reuse= is for a <command> that begins with ssh or scp') ?? {}
}

/** Whether the program of a prefix is ssh or scp itself, as everybody finds it. */
export function isPlainSsh([program]: readonly Template[]): boolean {
  const only = program?.length === 1 ? program[0] : undefined
  return only?.kind === 'text' && (only.text === 'ssh' || only.text === 'scp')
}

function readPrefix(reading: Reading, element: XmlElement): readonly Template[] | undefined {
  const words = splitWords(readTemplate(reading, element, ['describe']))
  if ('message' in words) return fail(reading, words.place, `<command>: ${words.message}`)
  if (words.length === 0) return fail(reading, element.place, '<command> is empty')
  return words
}
