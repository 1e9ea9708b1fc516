/**
 * Paths into state: `name ('.' name | '[' int ']')*`. Never evaluated by any host language.
 * Source: docs/language.md, "Scope and paths".
 */
import { CloudburstError } from '../../errors.ts'
import type { Path } from '../program/model.ts'
import type { Tree } from '../tree.ts'

/** Longest path, in characters: a path is typed by people. */
export const PATH_LENGTH_MAX = 512
/** Highest index: lists are held in memory. */
export const PATH_INDEX_MAX = 1_000_000

const NAME = /[\p{L}_][\p{L}\p{N}_-]*/uy
const INDEX = /\[(\d{1,7})\]/y

/** `text` as a path. @throws CloudburstError CB_VALUE_INVALID saying what is wrong and where in the text */
export function parsePath(text: string): Path {
  const path: (string | number)[] = []
  if (text.length > PATH_LENGTH_MAX) throw notPath(text.slice(0, 40), `it is longer than ${PATH_LENGTH_MAX} characters`)
  let at = 0
  while (at < text.length || path.length === 0) {
    if (text[at] === '[' && path.length > 0) {
      INDEX.lastIndex = at
      const index = INDEX.exec(text)
      if (index === null || Number(index[1]) > PATH_INDEX_MAX) throw notPath(text, `expected an index such as [0] at character ${at + 1}`)
      path.push(Number(index[1]))
      at = INDEX.lastIndex
      continue
    }
    if (path.length > 0) {
      if (text[at] !== '.') throw notPath(text, `unexpected '${text[at]}' at character ${at + 1}`)
      at += 1
    }
    NAME.lastIndex = at
    const name = NAME.exec(text)?.[0]
    if (name === undefined || name === '__proto__') throw notPath(text, `expected a name at character ${at + 1}`)
    path.push(name)
    at = NAME.lastIndex
  }
  return path
}

/** `path` as people write it: `agent.seeds[0].ip`. The inverse of {@link parsePath}. */
export function showPath(path: Path): string {
  if (path.length === 1) return String(path[0])
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** The child of `tree` under one part of a path; undefined when there is none. */
export function child(tree: Tree, part: string | number): Tree | undefined {
  if (typeof part === 'number') return tree.items?.[part]
  return tree.fields !== undefined && Object.hasOwn(tree.fields, part) ? tree.fields[part] : undefined
}

/** The node at `path` below `tree`, references not followed. */
export function getIn(tree: Tree | undefined, path: Path): Tree | undefined {
  let node = tree
  for (const part of path) {
    if (node === undefined) return undefined
    node = child(node, part)
  }
  return node
}

/**
 * `tree` with the node at `path` replaced: a new tree that shares everything off the path. Missing fields are made.
 * @throws CloudburstError CB_VALUE_INVALID where a field of a scalar or an element past the end of a list would be written
 */
export function setIn(tree: Tree | undefined, path: Path, value: Tree): Tree {
  const [part, ...rest] = path
  if (part === undefined) return value
  if (tree?.value !== undefined || tree?.sealed !== undefined) throw misfit(`${part} cannot be written: its parent is a plain value`)
  const { unknown: _, ...base } = tree ?? {}
  if (typeof part === 'number') {
    if (tree?.fields !== undefined) throw misfit(`[${part}] cannot be written: its parent is a struct`)
    const items = [...(tree?.items ?? [])]
    if (part > items.length) throw misfit(`[${part}] cannot be written: the list has ${items.length} elements`)
    items[part] = setIn(items[part], rest, value)
    return { ...base, items }
  }
  if (tree?.items !== undefined) throw misfit(`${part} cannot be written: its parent is a list`)
  const before = tree === undefined ? undefined : child(tree, part)
  return { ...base, fields: { ...tree?.fields, [part]: setIn(before, rest, value) } }
}

function notPath(text: string, reason: string): CloudburstError {
  return misfit(`'${text}' is not a path: ${reason}`)
}

function misfit(message: string): CloudburstError {
  return new CloudburstError('CB_VALUE_INVALID', message)
}
