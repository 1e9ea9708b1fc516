/** What has to be said again before each step, since each is a process of its own: settings, directory, functions, variables. */
import { expandable, readsOf } from './words.ts'

/** Text, and values of the goal's that are pasted. */
export type Piece = string | { readonly path: string }

/** One line or more of it. */
export interface Item {
  readonly pieces: readonly Piece[]
  /** Needed where this variable or function is; absent: needed always. */
  readonly name?: string
  readonly function?: true
}

/** Variables that commands look at without being told. */
const ambient = /^(?:PATH|IFS|LANG|LANGUAGE|LC_\w+|TZ|HOME|TMPDIR|PS4|CDPATH)$/

/** Whether a variable is for all commands. */
export function isAmbient(name: string): boolean {
  return ambient.test(name)
}

/** The script's text of `pieces`, values left out. */
export function textOf(pieces: readonly Piece[]): string {
  return pieces.map(piece => (typeof piece === 'string' ? piece : '')).join('')
}

/** The items that `text` needs, and those that they need, in the order of the script. */
export function neededBy(text: string, items: readonly Item[]): Item[] {
  const chosen = new Set<Item>()
  const texts = [text]
  const choose = (item: Item): void => {
    if (chosen.has(item)) return
    chosen.add(item)
    texts.push(textOf(item.pieces))
  }
  for (const item of items) if (item.name === undefined) choose(item)
  for (let at = 0; at < texts.length; at += 1) {
    const reads = readsOf(texts[at]!)
    const shown = expandable(texts[at]!)
    for (const item of items) {
      if (item.name === undefined) continue
      if (item.function ? mentions(shown, item.name) : reads.has(item.name)) choose(item)
    }
  }
  return items.filter(item => chosen.has(item))
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, '\\$&')}(?![\\w-])`).test(text)
}
