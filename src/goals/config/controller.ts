/** ConfigController: what to type so that a goal can be pursued. Source: docs/language.md, "Auto-configuration". */
import { isSecret } from '../expression/plain.ts'
import { getIn, parsePath } from '../expression/path.ts'
import { shellQuote } from '../expression/shell-text.ts'
import type { Assignment } from './assignment.ts'
import type { Bound, Requirement } from './bind.ts'

/** What was typed, and what came of it. */
export interface Incomplete {
  /** `plan`, `pursue`. */
  readonly command: string
  readonly goal: string
  readonly assignments: readonly Assignment[]
  readonly bound: Bound
  /** Words between the goal and the assignments: files, options. */
  readonly words?: readonly string[]
}

/** Lines for a person: each requirement with its candidates, then one whole command to paste into a POSIX shell. Empty when nothing is missing. */
export function suggest(incomplete: Incomplete): readonly string[] {
  const { missing } = incomplete.bound
  if (missing.length === 0) return []
  return [...requirementsText(missing), 'Suggested:', `  ${suggestedCommand(incomplete)}`]
}

/** Each requirement with its candidates, aligned. */
export function requirementsText(missing: readonly Requirement[]): readonly string[] {
  const width = Math.max(...missing.map(each => each.path.length))
  return missing.flatMap(each => requirementLines(each, width))
}

/** Words that would configure what is missing: the first candidate of each, `path=` where there is none. */
export function proposedWords(missing: readonly Requirement[]): readonly string[] {
  return missing.map(each => `${each.path}=${each.candidates[0]?.value ?? ''}`)
}

/** The suggestions to take when there is just one for each missing value; undefined when a person has to choose. */
export function onlySuggestions(missing: readonly Requirement[]): readonly Assignment[] | undefined {
  const taken: Assignment[] = []
  for (const { path, state, candidates } of missing) {
    const [only, another] = candidates
    if (only === undefined || another !== undefined || state === 'wrong') return undefined
    taken.push({ path, value: only.value, source: only.source })
  }
  return taken
}

/** The command with the first candidate of each requirement; `path=` where there is none. */
export function suggestedCommand({ command, goal, assignments, bound, words = [] }: Incomplete): string {
  const asked = new Set(bound.missing.map(each => each.path))
  const kept = assignments.filter(each => !asked.has(each.path)).map(each => word(each.path, shownValue(bound, each)))
  const proposed = proposedWords(bound.missing).map(each => (each.endsWith('=') ? each : quoteWord(each)))
  return ['cloudburst', command, quoteWord(goal), ...words.map(quoteWord), ...kept, ...proposed].join(' ')
}

/** `text` as one word of a POSIX shell, bare where that is safe. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : shellQuote(text)
}

/** Paths that were given secrets: what was typed there is not printed back. */
export function secretPaths(bound: Bound, assignments: readonly Assignment[]): readonly string[] {
  return assignments.filter(each => isSecretAt(bound, each.path)).map(each => each.path)
}

function requirementLines(requirement: Requirement, width: number): string[] {
  const { path, state, candidates, reason } = requirement
  const type = requirement.type ?? ''
  const first =
    `${state === 'choose' ? '?' : '!'} ${path.padEnd(width)}   ${state.padEnd(7)}   ${state === 'wrong' ? reason : type}`.trimEnd()
  const words = candidates.map(candidate => word(path, candidate.value))
  const most = Math.max(0, ...words.map(each => each.length))
  return [first, ...words.map((each, index) => `      ${each.padEnd(most)}   # ${candidates[index]!.source}`)]
}

function word(path: string, value: string): string {
  return value === '' ? `${path}=` : quoteWord(`${path}=${value}`)
}

/** A secret that was typed is not printed back, a reference to one is. */
function shownValue(bound: Bound, { path, value }: Assignment): string {
  if (isSecretAt(bound, path)) return typeof value === 'string' && /^@(env|file|command):/.test(value) ? value : ''
  return typeof value === 'string' ? value : (value.ref ?? String(value.value ?? ''))
}

function isSecretAt(bound: Bound, path: string): boolean {
  const tree = getIn({ fields: bound.variables }, parsePath(path).slice(1))
  return tree !== undefined && isSecret(tree)
}
