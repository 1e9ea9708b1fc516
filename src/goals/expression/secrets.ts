/**
 * Secrets as references: what goes into journals, plans and state is `{type, sealed}`, never the secret.
 * `sealed` is `kept:…` (a vault's entry), `env:NAME`, `file:PATH` or `command:TEXT`. Source: docs/language.md, "Secrets".
 */
import type { FactQuery } from '../ports.ts'
import type { Tree, Variables } from '../tree.ts'
import { isSecretType } from './convert.ts'
import { MASK } from './plain.ts'
import { ask, type Trace } from './trace.ts'

/** `tree` with each secret in it replaced by the reference that `seal` gives; the same object when there is none. */
export function sealSecrets(tree: Tree, seal: (secret: string) => string): Tree {
  if (tree.value !== undefined) return isSecretType(tree.type) ? { type: tree.type!, sealed: seal(String(tree.value)) } : tree
  if (tree.fields !== undefined) {
    const fields = sealVariables(tree.fields, seal)
    return fields === tree.fields ? tree : { ...tree, fields }
  }
  if (tree.items === undefined) return tree
  const items = tree.items.map(item => sealSecrets(item, seal))
  return items.every((item, at) => item === tree.items![at]) ? tree : { ...tree, items }
}

/** {@link sealSecrets} of each. */
export function sealVariables(variables: Variables, seal: (secret: string) => string): Variables {
  const sealed = Object.entries(variables).map(([name, tree]) => [name, sealSecrets(tree, seal)] as const)
  return sealed.every(([name, tree]) => tree === variables[name]) ? variables : Object.fromEntries(sealed)
}

/** Whether `tree` holds a reference that somebody would have to resolve. */
export function holdsSealed(tree: Tree): boolean {
  return tree.sealed !== undefined || [...Object.values(tree.fields ?? {}), ...(tree.items ?? [])].some(holdsSealed)
}

/** `tree` without references: those of other nodes mean nothing here, and must not be resolved here. */
export function withoutSealed(tree: Tree): Tree {
  if (tree.sealed !== undefined) return tree.type === undefined ? {} : { type: tree.type }
  if (tree.fields !== undefined)
    return { ...tree, fields: Object.fromEntries(Object.entries(tree.fields).map(([name, field]) => [name, withoutSealed(field)])) }
  return tree.items === undefined ? tree : { ...tree, items: tree.items.map(withoutSealed) }
}

/** `value` with the secret types of what it replaces: a secret stays one when a step gives it anew. */
export function keepSecretTypes(before: Tree | undefined, value: Tree): Tree {
  if (before === undefined || value.sealed !== undefined) return value
  if (value.value !== undefined) return isSecretType(before.type) ? { ...value, type: before.type! } : value
  if (value.fields === undefined || before.fields === undefined) return value
  const fields = Object.entries(value.fields).map(([name, field]) => [name, keepSecretTypes(before.fields![name], field)])
  return { ...value, fields: Object.fromEntries(fields) }
}

/** `value` with every text that repeats one of `secrets` made a secret itself. */
export function markSecrets(value: Tree, secrets: ReadonlySet<string>): Tree {
  if (secrets.size === 0) return value
  if (typeof value.value === 'string')
    return repeatsSecret(value.value, secrets) ? { ...value, type: isSecretType(value.type) ? value.type! : 'secret' } : value
  if (value.items !== undefined) return { ...value, items: value.items.map(item => markSecrets(item, secrets)) }
  if (value.fields === undefined) return value
  return { ...value, fields: Object.fromEntries(Object.entries(value.fields).map(([name, field]) => [name, markSecrets(field, secrets)])) }
}

/** `text` with every one of `secrets` in it as `***`. */
export function maskText(text: string, secrets: ReadonlySet<string>): string {
  let masked = text
  for (const secret of secrets) if (isTelling(secret)) masked = masked.replaceAll(secret, MASK)
  return masked
}

function repeatsSecret(text: string, secrets: ReadonlySet<string>): boolean {
  for (const secret of secrets) if (isTelling(secret) && text.includes(secret)) return true
  return false
}

/** Shorter secrets are found in any text by chance. */
function isTelling(secret: string): boolean {
  return secret.length >= 4
}

/** The question whose answer is the secret. */
export function secretQuery(sealed: string): FactQuery {
  return { kind: 'secret', sealed }
}

/** The secret behind a sealed tree, asked for when it is not known yet. A plan resolves none: it says `later`. */
export function reveal(tree: Tree, trace: Trace): { readonly secret: string } | { readonly later: true } | { readonly why: string } {
  const known = trace.scope.unseal(tree)
  if (known !== undefined) return { secret: known }
  if (!trace.scope.reveals || tree.sealed === undefined) return trace.scope.reveals ? { why: 'it is empty' } : { later: true }
  const fact = ask(trace, secretQuery(tree.sealed))
  if (fact === undefined && !trace.decided) return { later: true }
  return { why: whence(tree.sealed) }
}

/** Where a secret that is not there should have come from. */
function whence(sealed: string): string {
  const [kind, ...rest] = sealed.split(':')
  switch (kind) {
    case 'env':
      return `there is no environment variable ${rest.join(':')}`
    case 'file':
      return `${rest.join(':')} cannot be read`
    case 'command':
      return 'its command failed'
    default:
      return 'it is not kept on this node any more: set it again'
  }
}
