/** What a decision rested on, short enough for a journal. */
import { showTree } from '../expression/plain.ts'
import type { ExprResult } from '../expression/result.ts'
import type { Grounds } from './events.ts'

/** Most reasons and look-ups kept of one decision: a screenful. */
const ENTRIES_MAX = 12
/** Longest reason, in characters. */
const REASON_CHARS_MAX = 160

/** The reasons and look-ups of an evaluation; undefined when there are none. */
export function groundsOf(result: ExprResult): Grounds | undefined {
  const texts = [...result.errors.map(error => error.message), ...result.reasons.map(reason => reason.text)].filter(text => text !== '')
  const reads = Object.entries(result.reads).slice(0, ENTRIES_MAX)
  if (texts.length === 0 && reads.length === 0) return undefined
  return { reasons: texts.slice(0, ENTRIES_MAX).map(short), reads: Object.fromEntries(reads.map(([path, tree]) => [path, showTree(tree)])) }
}

/** Two of them as one. */
export function joinGrounds(a: Grounds | undefined, b: Grounds | undefined): Grounds | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return { reasons: [...a.reasons, ...b.reasons], reads: { ...a.reads, ...b.reads } }
}

function short(text: string): string {
  return text.length > REASON_CHARS_MAX ? `${text.slice(0, REASON_CHARS_MAX - 1)}…` : text
}
