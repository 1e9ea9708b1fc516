/** Trees as people and other programs see them: defined or not, true or not, plain JSON, secrets masked. */
import type { Plain, Tree } from '../tree.ts'
import { isSecretType, isTrueScalar } from './convert.ts'

/** What is shown in place of a secret. */
export const MASK = '***'

/** Whether a known tree counts as true: `false`, `False`, `FALSE`, `0`, `no`, empty and undefined do not. */
export function isTrue(tree: Tree | undefined): boolean {
  if (tree === undefined) return false
  if (tree.value !== undefined) return isTrueScalar(tree.value)
  if (tree.items !== undefined) return tree.items.length > 0
  return isDefined(tree) === 'true'
}

/** Whether a tree holds anything; a struct does when any of its fields does, a list even when it is empty. */
export function isDefined(tree: Tree | undefined): 'true' | 'false' | 'possible' {
  if (tree === undefined) return 'false'
  if (tree.unknown) return 'possible'
  if (tree.value !== undefined || tree.sealed !== undefined || tree.ref !== undefined || tree.items !== undefined) return 'true'
  let found: 'false' | 'possible' = 'false'
  for (const field of Object.values(tree.fields ?? {})) {
    const inner = isDefined(field)
    if (inner === 'true') return 'true'
    if (inner === 'possible') found = inner
  }
  return found
}

/** `plain` as a tree; null is undefined. */
export function fromPlain(plain: Plain): Tree {
  if (plain === null) return {}
  if (Array.isArray(plain)) return { items: plain.map(fromPlain) }
  if (typeof plain !== 'object') return { value: plain }
  const fields: [string, Tree][] = Object.entries(plain).map(([name, value]) => [name, fromPlain(value)])
  return { fields: Object.fromEntries(fields) }
}

/** `tree` as JSON: types gone, secrets masked, references followed by `follow` (else shown as `→ path`). */
export function toPlain(tree: Tree | undefined, follow?: (ref: string) => Tree | undefined): Plain {
  if (tree === undefined) return null
  if (tree.unknown) return '?'
  if (isSecret(tree)) return isDefined(tree) === 'true' ? MASK : null
  if (tree.value !== undefined) return tree.value
  if (tree.items !== undefined) return tree.items.map(item => toPlain(item, follow))
  if (tree.fields !== undefined) {
    return Object.fromEntries(Object.entries(tree.fields).map(([name, field]) => [name, toPlain(field, follow)]))
  }
  if (tree.ref === undefined) return null
  return follow === undefined ? `→ ${tree.ref}` : toPlain(follow(tree.ref), follow)
}

/** Whether a tree's own content must never be shown. */
export function isSecret(tree: Tree): boolean {
  return tree.sealed !== undefined || isSecretType(tree.type)
}

/** `tree` with every secret in it replaced by `***`: what may go into journals, gossip and on screens. */
export function maskSecrets(tree: Tree): Tree {
  if (isSecret(tree)) return isDefined(tree) === 'true' ? { type: tree.type ?? 'secret', value: MASK } : tree
  if (tree.items !== undefined) return { ...tree, items: tree.items.map(maskSecrets) }
  if (tree.fields === undefined) return tree
  return { ...tree, fields: Object.fromEntries(Object.entries(tree.fields).map(([name, field]) => [name, maskSecrets(field)])) }
}

/** `tree` on one short line for people: a scalar as it is, anything else as JSON cut at 80 characters. */
export function showTree(tree: Tree | undefined): string {
  const plain = toPlain(tree)
  if (plain === null) return 'undefined'
  const text = typeof plain === 'object' ? JSON.stringify(plain) : String(plain)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
