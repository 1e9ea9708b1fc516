/** Words of the command line → an invocation. */
import { parseArgs } from 'node:util'
import { CloudburstError } from '../errors.ts'
import type { CommandSpec } from './commands.ts'
import { closest } from '../goals/render/suggest.ts'
import type { Io } from './io.ts'
import { commonOptions, type OptionName, type OptionSpec, type Options, optionSpecs } from './options.ts'

/** A command with its words sorted by what they are. */
export interface Invocation {
  readonly command: string
  readonly options: Options
  /** Neither file nor assignment. */
  readonly words: readonly string[]
  /** Words that end in `.xml`. */
  readonly files: readonly string[]
  /** Words `path=value`, and `--set`. */
  readonly assignments: readonly { readonly path: string; readonly value: string }[]
  /** Of a command that runs another one: what follows `--`, untouched. */
  readonly rest: readonly string[]
  readonly io: Io
}

const assignmentWord = /^[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*=/

/**
 * @param words those after the command's name
 * @throws CloudburstError CB_USAGE
 */
export function parseInvocation(command: string, spec: CommandSpec, words: readonly string[], io: Io): Invocation {
  const { given, rest } = split(words, spec)
  const { values, positionals } = parsed(command, spec, given)
  const files: string[] = []
  const plain: string[] = []
  const assignments = (values.set ?? []).map(word => readAssignment(word, '--set', command))
  for (const word of positionals) {
    if (assignmentWord.test(word)) assignments.push(readAssignment(word, 'the word', command))
    else if (word.endsWith('.xml')) files.push(word)
    else plain.push(word)
  }
  return { command, options: values, words: plain, files, assignments, rest, io }
}

/**
 * The one word that a command takes, e.g. an id.
 * @throws CloudburstError CB_USAGE when there is none, or more
 */
export function onlyWord({ command, words }: Invocation, what: string): string {
  const [word, more] = words
  if (word === undefined || word === '') throw new CloudburstError('CB_USAGE', `${command} needs ${what}`, { command })
  if (more !== undefined) throw new CloudburstError('CB_USAGE', `${command} takes one word, ${what}; ${more} is too many`, { command })
  return word
}

/** @throws CloudburstError CB_USAGE for any word */
export function noWords({ command, words, files }: Invocation): void {
  const word = words[0] ?? files[0]
  if (word !== undefined) throw new CloudburstError('CB_USAGE', `${command} takes no word ${word}`, { command })
}

/** Peers of `--peer`: repeated, or separated by commas; a label selector `os=linux,role=web` stays one. */
export function peersOf(options: Options): string[] {
  return (options.peer ?? []).flatMap(value => {
    const peers: string[] = []
    for (const part of value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '')) {
      const last = peers.at(-1)
      if (last?.includes('=') && part.includes('=')) peers[peers.length - 1] = `${last},${part}`
      else peers.push(part)
    }
    return peers
  })
}

/**
 * `30m`, `10s`, `2h`, `1d` or milliseconds.
 * @throws CloudburstError CB_USAGE
 */
export function milliseconds(text: string, option: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (digits === undefined) throw new CloudburstError('CB_USAGE', `--${option} takes a time such as 30s or 2h, not ${text}`)
  const factors: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return Number(digits) * (factors[unit ?? 'ms'] ?? 1)
}

function split(words: readonly string[], spec: CommandSpec): { given: readonly string[]; rest: readonly string[] } {
  if (spec.raw !== true) return { given: words, rest: [] }
  const at = words.indexOf('--')
  return at < 0 ? splitRaw(words, spec) : { given: words.slice(0, at), rest: words.slice(at + 1) }
}

/** `run --peer node2 ls -l` without `--`: the first word that is no option, nor an option's value, begins the command. */
function splitRaw(words: readonly string[], spec: CommandSpec): { given: readonly string[]; rest: readonly string[] } {
  const accepted = optionsOf(spec)
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-')) return { given: words.slice(0, at), rest: words.slice(at) }
    const option = Object.entries(accepted).find(
      ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`)
    )
    if (option?.[1].type === 'string') at++
  }
  return { given: words, rest: [] }
}

function optionsOf(spec: CommandSpec): Record<string, OptionSpec> {
  const names: readonly OptionName[] = [...commonOptions, ...spec.options]
  return Object.fromEntries(names.map(name => [name, optionSpecs[name]]))
}

function parsed(command: string, spec: CommandSpec, words: readonly string[]): { values: Options; positionals: readonly string[] } {
  const accepted = optionsOf(spec)
  try {
    const options = Object.fromEntries(
      Object.entries(accepted).map(([name, { type, short, multiple }]) => [
        name,
        { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) }
      ])
    )
    const { values, positionals } = parseArgs({ args: withoutValue(words, accepted), options, allowPositionals: true, strict: true })
    return { values: values as Options, positionals }
  } catch (error) {
    throw usage(command, accepted, error)
  }
}

/** An option that nothing follows, where that means another one. */
function withoutValue(words: readonly string[], accepted: Record<string, OptionSpec>): string[] {
  return words.map((word, at) => {
    const bare = word.startsWith('--') ? accepted[word.slice(2)]?.bare : undefined
    return bare === undefined || !/^(--.*)?$/.test(words[at + 1] ?? '') ? word : `--${bare}`
  })
}

function usage(command: string, accepted: Record<string, OptionSpec>, error: unknown): CloudburstError {
  const [text = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  const unknown = /Unknown option '(-[^']+)'/.exec(text)?.[1]
  if (unknown === undefined)
    return new CloudburstError('CB_USAGE', `${command}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`, { command }, error)
  const near = closest(
    unknown,
    Object.keys(accepted).map(name => `--${name}`)
  )
  return new CloudburstError(
    'CB_USAGE',
    `${command} has no option ${unknown}${near === undefined ? '' : `; did you mean ${near}?`}`,
    { command },
    error
  )
}

/** `PATH=VALUE`. @throws CloudburstError CB_USAGE */
export function readAssignment(word: string, where: string, command?: string): { path: string; value: string } {
  const at = word.indexOf('=')
  if (at <= 0 || !assignmentWord.test(word))
    throw new CloudburstError('CB_USAGE', `${where} ${word} is not PATH=VALUE`, command === undefined ? {} : { command })
  return { path: word.slice(0, at), value: word.slice(at + 1) }
}
