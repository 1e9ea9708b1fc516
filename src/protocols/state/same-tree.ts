import type { Tree } from '../../goals/tree.ts'

/**
 * Whether two values are the same to whoever is told of them: the order of fields does not count, nor do fields that are
 * undefined. A node asks this of all that it publishes each time that anything of it changes, so nothing is encoded for it.
 */
export function sameTree(a: Tree | undefined, b: Tree | undefined): boolean {
  return same(a, b)
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [one, other] = [a as Fields, b as Fields]
  const names = namesOf(one)
  return names.length === namesOf(other).length && names.every(name => Object.hasOwn(other, name) && same(one[name], other[name]))
}

type Fields = Readonly<Record<string, unknown>>

function namesOf(fields: Fields): readonly string[] {
  return Object.keys(fields).filter(name => fields[name] !== undefined)
}
