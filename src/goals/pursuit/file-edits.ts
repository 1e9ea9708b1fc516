/** The edits of an `<editFile>` on a text: pure, and the same again changes nothing. Source: docs/language.md, "editFile". */
import type { FileEdit, Place } from '../program/model.ts'

/** One edit with its values in place. */
export interface Edit {
  readonly kind: FileEdit['kind']
  readonly pattern: string
  readonly text: string
  readonly first: boolean
  readonly place: Place
}

type Result = { readonly text: string } | { readonly problem: string }

/** The text after all `edits`, in order; or why one of them cannot be made. @param onEdit told before each edit, by its index */
export function applyEdits(text: string, edits: readonly Edit[], onEdit?: (at: number) => void): Result {
  let current = text
  for (const [at, edit] of edits.entries()) {
    onEdit?.(at)
    const result = apply(current, edit)
    if ('problem' in result) return { problem: `${edit.place.line}:${edit.place.col}: <${edit.kind}> ${result.problem}` }
    current = result.text
  }
  return { text: current }
}

function apply(text: string, edit: Edit): Result {
  switch (edit.kind) {
    case 'replace':
      return edit.first ? replaceFirst(text, edit) : replaceAll(text, edit)
    case 'remove':
      return { text: removeLines(text, edit) }
    case 'append':
    case 'prepend':
      return { text: addLines(text, edit) }
    case 'insertAfter':
    case 'insertBefore':
      return insert(text, edit)
  }
}

function replaceAll(text: string, edit: Edit): Result {
  const pattern = new RegExp(edit.pattern, 'gm')
  const once = text.replace(pattern, edit.text)
  if (once.replace(pattern, edit.text) !== once)
    return { problem: `would change the file each time: what it puts in matches pattern="${edit.pattern}" again; anchor it with ^ and $` }
  return { text: once }
}

/** What stands before the first match already is taken for what an earlier run put in. */
function replaceFirst(text: string, edit: Edit): Result {
  const pattern = new RegExp(edit.pattern, 'm')
  const match = pattern.exec(text)
  if (match === null) return { text }
  const put = match[0].replace(pattern, edit.text)
  if (put !== '' && put !== match[0] && text.slice(0, match.index).includes(put)) return { text }
  const once = text.replace(pattern, edit.text)
  if (put !== match[0] && pattern.exec(once)?.index === match.index && once.replace(pattern, edit.text) !== once)
    return { problem: `would change the file each time: what it puts in matches pattern="${edit.pattern}" again; anchor it with ^ and $` }
  return { text: once }
}

function removeLines(text: string, { pattern }: Edit): string {
  const expression = new RegExp(pattern)
  return linesOf(text)
    .filter(line => !expression.test(bare(line)))
    .join('')
}

function addLines(text: string, edit: Edit): string {
  const lines = linesOf(text)
  const block = blockOf(edit.text, text)
  if (indexOf(lines, block) !== -1) return text
  return edit.kind === 'append' ? join([...lines, ...block], text) : join([...block, ...lines], text)
}

function insert(text: string, edit: Edit): Result {
  const lines = linesOf(text)
  const block = blockOf(edit.text, text)
  const expression = new RegExp(edit.pattern)
  const at = lines.findIndex(line => expression.test(bare(line)))
  if (at === -1) return indexOf(lines, block) !== -1 ? { text } : { problem: `finds no line that matches ${edit.pattern}` }
  const after = edit.kind === 'insertAfter'
  const there = after ? indexOf(lines.slice(at + 1), block) : indexOf(lines.slice(0, at), block)
  if (there !== -1) return { text }
  const cut = after ? at + 1 : at
  return { text: join([...lines.slice(0, cut), ...block, ...lines.slice(cut)], text) }
}

/** Lines with their ends; the last one may have none. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** The lines to put in, with the line ends of the file. The author's line breaks right behind and before the tags do not count. */
function blockOf(text: string, file: string): string[] {
  const end = /\r\n/.test(file) ? '\r\n' : '\n'
  const trimmed = text.replace(/^[ \t]*\r?\n/, '').replace(/\r?\n[ \t]*$/, '')
  return trimmed.split(/\r?\n/).map(line => line + end)
}

function bare(line: string): string {
  return line.replace(/\r?\n$/, '')
}

/** Where `block` stands in `lines` as whole lines; -1 when it does not. */
function indexOf(lines: readonly string[], block: readonly string[]): number {
  return lines.findIndex((_, at) =>
    block.every((line, offset) => lines[at + offset] !== undefined && bare(lines[at + offset]!) === bare(line))
  )
}

/** Lines as a text in which each but perhaps the last has an end. */
function join(lines: readonly string[], file: string): string {
  const end = /\r\n/.test(file) ? '\r\n' : '\n'
  return lines.map((line, at) => (line.endsWith('\n') || at === lines.length - 1 ? line : line + end)).join('')
}
