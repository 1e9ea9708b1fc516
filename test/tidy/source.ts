import { posix } from 'node:path'

/** One file of the repository: its path from the root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Something untidy: where it is (line from 1) and what to do about it. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** One import of a file, of any kind. `target` is a path from the root for our own files, else the specifier as written. */
export interface Import {
  readonly kind: 'value' | 'type' | 'dynamic'
  readonly target: string
  readonly ours: boolean
  readonly offset: number
}

export function findingAt(file: SourceFile, offset: number, message: string): Finding {
  return { path: file.path, line: file.text.slice(0, offset).split('\n').length, message }
}

/** A finding for every match of `pattern` (global) in `text`, which is as long as the file's own text. */
export function findingsOf(file: SourceFile, text: string, pattern: RegExp, message: (match: RegExpMatchArray) => string): Finding[] {
  return [...text.matchAll(pattern)].map(match => findingAt(file, match.index, message(match)))
}

/**
 * The text with comments and the insides of strings, templates and regular expressions turned into spaces,
 * so a search finds code only. Same length, same line breaks: an offset in one is an offset in the other.
 * Code inside `${}` stays. Not a full TypeScript lexer: enough for code that a formatter has passed over.
 */
export function codeOf(text: string): string {
  const out = text.split('')
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at++) if (out[at] !== '\n') out[at] = ' '
  }
  // One entry per open `${`: how many braces are open inside it.
  const templates: number[] = []
  let at = 0
  while (at < text.length) {
    const here = text[at]!
    const end = literalEnd(text, at)
    if (end !== undefined) {
      const comment = text.startsWith('//', at) || text.startsWith('/*', at)
      blank(comment ? at : at + 1, comment ? end : end - 1)
      at = end
    } else if (here === '`') {
      at = template(at + 1)
    } else {
      const depth = templates.length - 1
      if (here === '{' && depth >= 0) templates[depth]!++
      if (here === '}' && depth >= 0 && templates[depth]!-- === 0) {
        templates.pop()
        at = template(at + 1)
      } else {
        at++
      }
    }
  }
  return out.join('')

  /** Blanks template text from `from` to the closing backtick or the next `${`, and returns where code goes on. */
  function template(from: number): number {
    let to = from
    while (to < text.length && text[to] !== '`' && !text.startsWith('${', to)) to += text[to] === '\\' ? 2 : 1
    blank(from, Math.min(to, text.length))
    if (text[to] === '`') return to + 1
    if (to < text.length) templates.push(0)
    return to + 2
  }
}

/** Where the comment, string or regular expression that starts at `at` ends; undefined if none starts there. */
function literalEnd(text: string, at: number): number | undefined {
  const here = text[at]
  if (here === "'" || here === '"') return closing(text, at, here)
  if (here !== '/') return at === 0 && text.startsWith('#!') ? lineEnd(text, at) : undefined
  if (text[at + 1] === '/') return lineEnd(text, at)
  if (text[at + 1] === '*') return indexOr(text, '*/', at + 2, text.length - 2) + 2
  return startsRegex(text, at) ? closing(text, at, '/') : undefined
}

/** A slash divides after a value, and opens a regular expression elsewhere. */
function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 200), at).trimEnd()
  if (before === '' || /(?:^|[^.\w$])(?:return|typeof|case|in|of|do|else|void|delete|await|yield|throw)$/.test(before)) return true
  return /[^\w$)\]}'"`<]$/.test(before)
}

/** Just after the quote or slash that closes what opens at `at`; no further than the line. */
function closing(text: string, at: number, mark: string): number {
  let inClass = false
  for (let to = at + 1; to < text.length && text[to] !== '\n'; to++) {
    if (text[to] === '\\') to++
    else if (mark === '/' && text[to] === '[') inClass = true
    else if (mark === '/' && text[to] === ']') inClass = false
    else if (text[to] === mark && !inClass) return to + 1
  }
  return at + 1
}

function lineEnd(text: string, at: number): number {
  return indexOr(text, '\n', at, text.length)
}

function indexOr(text: string, search: string, from: number, otherwise: number): number {
  const found = text.indexOf(search, from)
  return found === -1 ? otherwise : found
}

const statement = /\b(?:import|export)\b(\s+type\b(?!\s+from\b))?(?:(?!\b(?:import|export)\b)[^'"`;()])*?\bfrom\s*(['"])/g
const sideEffect = /\bimport\s*(['"])/g
const call = /(\btypeof\s+)?(?<![.\w$])(?:import|require)\s*\(\s*(['"])/g

/** Every import and re-export of a file, in order. */
export function importsOf(file: SourceFile): Import[] {
  const code = codeOf(file.text)
  const found: Import[] = []
  const add = (match: RegExpMatchArray, kind: Import['kind']): void => {
    const open = match.index! + match[0].length
    const close = code.indexOf(code[open - 1]!, open)
    const specifier = file.text.slice(open, close)
    const ours = specifier.startsWith('.')
    found.push({ kind, ours, target: ours ? posix.join(posix.dirname(file.path), specifier) : specifier, offset: match.index! })
  }
  for (const match of code.matchAll(statement)) add(match, match[1] === undefined ? 'value' : 'type')
  for (const match of code.matchAll(sideEffect)) add(match, 'value')
  for (const match of code.matchAll(call)) add(match, match[1] === undefined ? 'dynamic' : 'type')
  return found.sort((a, b) => a.offset - b.offset)
}
