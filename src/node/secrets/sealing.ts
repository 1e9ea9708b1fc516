/** Secrets that people and callers give: typed by the program, kept in the vault, and out of everything that is written down. */
import { CloudburstError } from '../../errors.ts'
import { type Assignable, assigned } from '../../goals/config/assignment.ts'
import { holdsSealed, sealSecrets } from '../../goals/expression/secrets.ts'
import type { Vault } from '../../goals/ports.ts'
import type { Program } from '../../goals/program/model.ts'
import type { Assignment } from '../../goals/pursuit/events.ts'
import type { Tree } from '../../goals/tree.ts'

/** Whose values these are: only people of this node may refer to its environment, files and commands. */
export type Giver = 'own' | 'peer'

/**
 * `assignments` with references in place of secrets; the secrets are kept for `owner`, durable on return.
 * @throws CloudburstError CB_VALUE_INVALID when a peer refers to secrets of this node
 */
export function sealAssignments(
  vault: Vault,
  owner: string,
  program: Program,
  to: Assignable,
  assignments: readonly Assignment[],
  giver: Giver
): readonly Assignment[] {
  return assignments.map(each => {
    const tree = treeOf(program, to, each)
    if (tree === undefined) return each
    if (holdsSealed(tree) && giver === 'peer')
      throw new CloudburstError('CB_VALUE_INVALID', `${each.path} refers to a secret of this node, which only its own people may`, {
        path: each.path
      })
    const sealed = sealSecrets(tree, secret => vault.seal(owner, secret))
    return holdsSealed(sealed) ? { ...each, value: sealed } : each
  })
}

/** `assignments` as they go over an encrypted connection: with their secrets, since references mean nothing elsewhere. */
export async function revealAssignments(vault: Vault, assignments: readonly Assignment[]): Promise<readonly Assignment[]> {
  return await Promise.all(
    assignments.map(async each =>
      typeof each.value === 'string' ? each : { ...each, value: await revealed(vault, each.path, each.value) }
    )
  )
}

async function revealed(vault: Vault, path: string, tree: Tree): Promise<Tree> {
  if (tree.sealed !== undefined) {
    const value = await vault.open(tree.sealed)
    if (value === undefined) throw new CloudburstError('CB_VALUE_INVALID', `the secret ${path} cannot be had now`, { path })
    return { ...(tree.type !== undefined && { type: tree.type }), value }
  }
  if (tree.items !== undefined) return { ...tree, items: await Promise.all(tree.items.map(item => revealed(vault, path, item))) }
  if (tree.fields === undefined) return tree
  const fields = Object.entries(tree.fields).map(async ([name, field]) => [name, await revealed(vault, `${path}.${name}`, field)] as const)
  return { ...tree, fields: Object.fromEntries(await Promise.all(fields)) }
}

/** What the program makes of a value; undefined for what it knows nothing of. */
function treeOf(program: Program, to: Assignable, assignment: Assignment): Tree | undefined {
  try {
    return assigned(program, to, assignment)
  } catch (error) {
    if (error instanceof CloudburstError) return typeof assignment.value === 'string' ? undefined : assignment.value
    throw error
  }
}
