/** Values: what counts as a number or as true, how text fits a type, and trees as plain JSON and back. */
import type { Plain, Scalar, Tree } from '../tree.ts'

/** Types whose values are checked. All other type names are nominal: they name structs, or nothing. */
export const scalarTypes = [
  'int',
  'bool',
  'boolean',
  'string',
  'localFilePath',
  'secret',
  'password',
  'usa.darpa.rfc971.ipv4address',
  'username'
] as const

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i
const INTEGER = /^[-+]?\d{1,15}$/
const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/
/** Portable user names; upper case because directories of other systems have them. */
const USERNAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/
const FALSE = new Set(['false', 'False', 'FALSE', '0', 'no', ''])
const MASK = '***'

/** A value that fits its type, or why it does not. */
export type Conversion = { readonly value: Scalar } | { readonly misfit: string }

/** Whether values of this type are scalars that {@link convert} checks. */
export function isScalarType(type: string | undefined): boolean {
  return type !== undefined && (scalarTypes as readonly string[]).includes(type)
}

/** Whether values of this type are never printed. */
export function isSecretType(type: string | undefined): boolean {
  return type === 'secret' || type === 'password'
}

/** `value` in the form of `type`. Of nominal types anything fits. The misfit never repeats a secret. */
export function convert(value: Scalar, type: string | undefined): Conversion {
  const text = String(value)
  switch (type) {
    case 'int':
      return INTEGER.test(text.trim()) ? { value: Number(text) } : { misfit: `'${text}' is not an int` }
    case 'bool':
    case 'boolean':
      return convertBool(value)
    case 'localFilePath':
      return text.trim() !== '' && !text.includes('\0') ? { value: text.trim() } : { misfit: 'a localFilePath cannot be empty' }
    case 'usa.darpa.rfc971.ipv4address':
      return IPV4.test(text.trim()) ? { value: text.trim() } : { misfit: `'${text}' is not an IPv4 address` }
    case 'username':
      return USERNAME.test(text.trim()) ? { value: text.trim() } : { misfit: `'${text}' is not a user name` }
    case 'string':
    case 'secret':
    case 'password':
      return { value: text }
    default:
      return { value }
  }
}

function convertBool(value: Scalar): Conversion {
  if (typeof value === 'boolean') return { value }
  const text = String(value).trim()
  if (FALSE.has(text)) return { value: false }
  return /^(true|yes|1)$/i.test(text) ? { value: true } : { misfit: `'${text}' is neither true nor false` }
}

/** `value` as a number when it is one or reads like one. */
export function asNumber(value: Scalar): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return undefined
  const text = value.trim()
  return NUMBER.test(text) ? Number(text) : undefined
}

/** Whether a known tree counts as true: `false`, `False`, `FALSE`, `0`, `no`, empty and undefined do not. */
export function isTrue(tree: Tree | undefined): boolean {
  if (tree === undefined) return false
  if (tree.value !== undefined) {
    return typeof tree.value === 'string' ? !FALSE.has(tree.value) : Boolean(tree.value)
  }
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
