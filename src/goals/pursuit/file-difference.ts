/** What changed in a file, as people read it: a unified difference without context. */
import { structuredPatch } from 'diff'
import { MASK } from '../expression/plain.ts'

/** Most lines that are told: more is read in the file and its backup. */
const LINES_MAX = 200
/** Longest line that is told, in characters. */
const LINE_CHARS_MAX = 500

/**
 * The difference between two texts of one file. Lines that stay are left out, so that no more of the file is told than changes.
 * @param secret a secret goes in: what it replaces is not told either
 */
export function difference(
  path: string,
  before: string,
  after: string,
  secret: boolean
): { readonly text: string; readonly added: number; readonly removed: number } {
  const { hunks } = structuredPatch(path, path, before, after, '', '', { context: 0 })
  const lines = hunks.flatMap(hunk => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines.filter(line => !line.startsWith('\\')).map(line => (secret && line.startsWith('-') ? `-${MASK}` : shorten(line)))
  ])
  const count = (sign: string): number => hunks.flatMap(hunk => hunk.lines).filter(line => line.startsWith(sign)).length
  const told = lines.length > LINES_MAX ? [...lines.slice(0, LINES_MAX), `… ${lines.length - LINES_MAX} more lines`] : lines
  const text = told.length === 0 ? '' : [`--- ${path}`, `+++ ${path}`, ...told].join('\n')
  return { text, added: count('+'), removed: count('-') }
}

function shorten(line: string): string {
  return line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)}…` : line
}
