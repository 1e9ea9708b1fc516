/** Where a missing value may be found: state of the same type. Source: docs/language.md, "Auto-configuration". */
import { isScalarType, isSecretType } from '../expression/convert.ts'
import { isDefined, showTree } from '../expression/plain.ts'
import type { Program } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'

/** Most candidates offered for one value: a person chooses among them. */
export const CANDIDATES_MAX = 20
/** Deepest nodes of state that are offered. */
const DEPTH_MAX = 4
/** Types of which every program has many values that mean different things: offered only under the same name. */
const COMMON = new Set(['int', 'bool', 'boolean', 'string'])

/** A value to type, and where it was found. */
export interface Suggestion {
  readonly value: string
  /** `state, clusters.xml:12`. */
  readonly source: string
}

/** Values for `path` in the program's state and the agent's: nodes of the same type name, secrets only for the very same secret type. */
export function candidatesFor(
  program: Program,
  path: string,
  type: string | undefined,
  instances: ReadonlyMap<string, Tree>,
  agent: Variables
): readonly Suggestion[] {
  if (type === undefined) return []
  const name = path.split('.').at(-1)!
  const found: Suggestion[] = []
  const visit = (tree: Tree, at: string, last: string, source: string, depth: number): void => {
    if (depth > DEPTH_MAX || found.length >= CANDIDATES_MAX) return
    if (tree.type === type && at !== path && isDefined(tree) === 'true' && (!COMMON.has(type) || last === name))
      found.push({ value: suggestedValue(tree, at), source })
    for (const [field, child] of Object.entries(tree.fields ?? {})) visit(child, `${at}.${field}`, field, source, depth + 1)
    for (const [index, item] of (tree.items ?? []).entries()) visit(item, `${at}[${index}]`, last, source, depth + 1)
  }
  for (const [instance, tree] of instances) {
    const place = program.instances.get(instance)?.place
    visit(tree, instance, instance, place === undefined ? 'state' : `state, ${place.file}:${place.line}`, 0)
  }
  for (const [variable, tree] of Object.entries(agent)) visit(tree, `agent.${variable}`, variable, 'agent', 0)
  return found
}

/** A scalar is offered as it is, a struct or a secret by its name. */
function suggestedValue(tree: Tree, at: string): string {
  if (isSecretType(tree.type) || !isScalarType(tree.type) || tree.value === undefined) return at
  const text = showTree(tree)
  return text === String(tree.value) ? text : at
}
