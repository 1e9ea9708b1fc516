/** What a journal keeps of the values that a step read. */
import type { Tree } from '../tree.ts'

/** Longest text and list of a value that was read, as the journal keeps it: a screenful. */
const READ_CHARS_MAX = 1024
const READ_ITEMS_MAX = 100

/** Values as a journal keeps them: long texts are cut, they are for people and can be found in the output. */
export function brief(reads: Readonly<Record<string, Tree>>): Record<string, Tree> {
  return Object.fromEntries(Object.entries(reads).map(([path, tree]) => [path, cut(tree)]))
}

/** See {@link brief}; of what is short already, just that. */
export function cut(tree: Tree): Tree {
  if (typeof tree.value === 'string' && tree.value.length > READ_CHARS_MAX)
    return { ...tree, value: `${tree.value.slice(0, READ_CHARS_MAX)}…` }
  if (tree.fields !== undefined) return { ...tree, fields: brief(tree.fields) }
  if (tree.items !== undefined) return { ...tree, items: tree.items.slice(0, READ_ITEMS_MAX).map(cut) }
  return tree
}
