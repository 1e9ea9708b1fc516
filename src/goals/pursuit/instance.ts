/**
 * How goals and steps are called within a run. Names come from the program (method, statement name or the hash of
 * its text, value of the item), never from positions, so that an edited program keeps what was done.
 *
 *   site                              the goal that was asked for
 *   site/apache/copy[web1]            step `copy` of method `apache`, for item `web1` of a find
 *   site/apache/#3fa2b1c0.2           the second statement with that text
 *   site/apache>user                  the sub-goal `user`, called from that method
 */
import { createHash } from 'node:crypto'
import type { StatementBase } from '../program/model.ts'
import { toPlain } from '../expression/plain.ts'
import type { Tree } from '../tree.ts'

/** Longest text of an item that is used as it is; longer ones are hashed. */
const ITEM_CHARS_MAX = 48

export function rootInstance(goal: string): string {
  return goal
}

/** Name of a statement within its method. */
export function labelOf(statement: StatementBase): string {
  return statement.name ?? `#${statement.key.slice(0, 8)}`
}

/** Name of an item of a list: its text when that is short and plain, its hash otherwise. */
export function itemName(item: Tree): string {
  const plain = toPlain(item)
  const text = typeof plain === 'object' ? JSON.stringify(plain) : String(plain)
  if (text.length <= ITEM_CHARS_MAX && /^[\w.:@%+=,/-]+$/.test(text)) return text
  return `~${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
}

/** `site/files>folder.2` → folder */
export function goalOfInstance(instance: string): string {
  return instance.slice(instance.lastIndexOf('>') + 1).replace(/\.\d+$/, '')
}

/** Hands out names below one method walk; the same name again gets `.2`, `.3` … */
export class Names {
  readonly #taken = new Map<string, number>()

  next(name: string): string {
    const count = (this.#taken.get(name) ?? 0) + 1
    this.#taken.set(name, count)
    return count === 1 ? name : `${name}.${count}`
  }
}

/** The goal from whose method `instance` was called: the longest beginning of its name that is one. Undefined for the first goal. */
export function callerOf(instance: string, isGoal: (instance: string) => boolean): string | undefined {
  const end = Math.max(instance.lastIndexOf('>'), 0)
  for (let at = end; at > 0; at = instance.lastIndexOf('/', at - 1)) {
    const above = instance.slice(0, at)
    if (isGoal(above)) return above
  }
  return undefined
}
