/** The main path of the CLI. */
import { CloudburstError } from '../errors.ts'
import { type Invocation, parseInvocation } from './arguments.ts'
import { closest } from '../goals/render/suggest.ts'
import { commands } from './commands.ts'
import { complain } from './complaint.ts'
import type { Io } from './io.ts'

/** Runs one command; resolves with the exit status of docs/cli.md. Never throws. */
export async function cli(words: readonly string[], io: Io): Promise<number> {
  try {
    const [first = '--help', ...others] = commandFirst(words)
    if (first === '--help' || first === '-h') return await runCommand('help', others, io)
    if (first === '--version' || first === '-V') return await runCommand('version', others, io)
    return await runCommand(first, others, io)
  } catch (error) {
    return complain(error, words, io)
  }
}

async function runCommand(name: string, words: readonly string[], io: Io): Promise<number> {
  const spec = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (spec === undefined) throw unknownCommand(name)
  const invocation = parseInvocation(name, spec, words, io)
  if (invocation.options.help) return await runCommand('help', [name], io)
  const { run } = await spec.load()
  return await run(await filesKept(invocation))
}

/** Loaded only when a value says so: most commands keep no file. */
async function filesKept(invocation: Invocation): Promise<Invocation> {
  if (!invocation.assignments.some(({ value }) => value.startsWith('@artifact:'))) return invocation
  const { withFilesKept } = await import('./kept-files.ts')
  return await withFilesKept(invocation)
}

function unknownCommand(name: string): CloudburstError {
  const near = closest(name, Object.keys(commands))
  return new CloudburstError('CB_USAGE', `there is no command ${name}${near === undefined ? '' : `; did you mean ${near}?`}`)
}

/** `cloudburst --home DIR goals`: what every command takes may also stand before it. */
function commandFirst(words: readonly string[]): readonly string[] {
  let at = 0
  for (let word = words[at]; word !== undefined; word = words[at]) {
    if (['--home', '--output', '-o'].includes(word)) at += 2
    else if (/^(--home=|--output=|--verbose$|-o.|-v+$)/.test(word)) at += 1
    else break
  }
  return words[at] === undefined ? words : [...words.slice(at, at + 1), ...words.slice(0, at), ...words.slice(at + 1)]
}
