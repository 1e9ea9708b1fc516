/** The one place that phrases errors. */
import { atHome, CloudburstError, type ErrorCode, type ErrorDetails, errors, toProblem } from '../errors.ts'
import { escapeTerminal } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import { commands } from './commands.ts'
import type { Io } from './io.ts'
import { remedy } from './remedy.ts'
import { withTypedCommand } from './suggested.ts'

/** About what a node has; the command that follows takes `--peer` too. */
const AT_PEER: ReadonlySet<ErrorCode> = new Set([
  'CB_PROGRAM_UNKNOWN',
  'CB_GOAL_UNKNOWN',
  'CB_AGENT_UNKNOWN',
  'CB_AGENT_EXISTS',
  'CB_RUN_UNKNOWN',
  'CB_RUN_COMPACTED',
  'CB_NOT_SUSPENDED',
  'CB_GOAL_SUSPENDED'
])
const MANY_PEERS: ReadonlySet<string> = new Set(['dispatch', 'run', 'inventory'])

/** Prints `error: …` and `next: …`, or problem details as JSON when the words ask for `-o json`; returns the exit status. */
export function complain(error: unknown, words: readonly string[], io: Io): number {
  const known = io.interrupted.aborted && isAbort(error) ? interruption() : withTypedCommand(asTyped(error, words), words)
  const plain = toProblem(known)
  const problem = {
    ...plain,
    next: remedy(known, words) ?? helpOf(known, words) ?? atHome(atPeer(plain.next, known, words), homeOf(words))
  }
  if (wantsJson(words)) io.stderr.write(`${JSON.stringify(problem)}\n`)
  else io.stderr.write(`error: ${escapeTerminal(problem.detail)}\n${linesOf(problem.details)}${adviceOf(known, problem.next)}`)
  if (io.env['CLOUDBURST_DEBUG'] && error instanceof Error) io.stderr.write(`${error.stack}\n`)
  return errors[problem.code].exit
}

/** What can be typed for a configuration, and all complaints about a program: more than one line says. */
function linesOf({ lines, complaints, proposed }: ErrorDetails): string {
  // What can be typed stands at the margin, as one would type it.
  if (Array.isArray(proposed) && Array.isArray(lines)) return lines.map(line => `${escapeTerminal(line)}\n`).join('')
  const more = Array.isArray(lines) ? lines : Array.isArray(complaints) && complaints.length > 1 ? complaints : []
  return more.map(line => `  ${escapeTerminal(line)}\n`).join('')
}

/** What to type next, unless the lines above end with it. */
function adviceOf(error: unknown, next: string): string {
  if (!(error instanceof CloudburstError)) return ''
  if (Array.isArray(error.details['proposed'])) return ''
  return `next: ${escapeTerminal(next)}\n`
}

/** A usage error that cannot be put right here is answered by the help of the command. */
function helpOf(error: unknown, [first = '']: readonly string[]): string | undefined {
  if (!(error instanceof CloudburstError) || error.code !== 'CB_USAGE') return undefined
  const { command = Object.hasOwn(commands, first) ? first : undefined } = error.details
  return typeof command === 'string' ? `cloudburst help ${command}` : undefined
}

function interruption(): CloudburstError {
  return new CloudburstError('CB_INTERRUPTED', 'interrupted')
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' ||
      (error instanceof CloudburstError && error.code === 'CB_INTERRUPTED' && error.details['id'] === undefined))
  )
}

/** A program names its files without their directories; a person wants the file where it was said to be. */
function asTyped(error: unknown, words: readonly string[]): unknown {
  if (!(error instanceof CloudburstError)) return error
  const { code, message, details, cause } = error
  const { file } = details
  const typed = words.find(word => word.endsWith(`/${file}`))
  if (typeof file !== 'string' || typed === undefined) return error
  const placed = message.startsWith(`${file}:`) ? typed + message.slice(file.length) : message
  return new CloudburstError(code, placed, { ...details, file: typed }, cause)
}

/** What was not found at a peer is looked for at that peer. Commands for several peers say themselves where. */
function atPeer(next: string, error: unknown, words: readonly string[]): string {
  const ofPeer = error instanceof CloudburstError && AT_PEER.has(error.code) && !MANY_PEERS.has(words[0] ?? '')
  const [peer, another] = valuesOf('--peer', words)
  if (!ofPeer || peer === undefined || another !== undefined || next.includes(' --peer ')) return next
  return `${next} --peer ${shellWord(peer)}`
}

function homeOf(words: readonly string[]): string | undefined {
  const [home] = valuesOf('--home', words)
  return home === undefined ? undefined : shellWord(home)
}

function valuesOf(option: string, words: readonly string[]): readonly string[] {
  const own = ownWords(words)
  return own.flatMap((word, at) =>
    word === option ? own.slice(at + 1, at + 2) : word.startsWith(`${option}=`) ? [word.slice(option.length + 1)] : []
  )
}

/** Words before `--`: what follows may be somebody else's. */
function ownWords(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  return end < 0 ? words : words.slice(0, end)
}

function wantsJson(words: readonly string[]): boolean {
  return ownWords(words).some(
    (word, at) => word === '-ojson' || word === '--output=json' || ((word === '-o' || word === '--output') && words[at + 1] === 'json')
  )
}
