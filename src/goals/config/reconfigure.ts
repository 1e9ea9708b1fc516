/**
 * reconfigure(): where a missing value may be found. State of the same type first, then what is known of the machine,
 * the last completed run of the goal, the environment and the default. Source: docs/language.md, "Auto-configuration".
 */
import { convert, isScalarType, isSecretType } from '../expression/convert.ts'
import { getIn, parsePath } from '../expression/path.ts'
import { isDefined, isSecret, showTree, toPlain } from '../expression/plain.ts'
import type { Program } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'

/** Most candidates offered for one value: a person chooses among them. */
export const CANDIDATES_MAX = 20
/** Deepest nodes of state that are offered. */
const DEPTH_MAX = 4
/** Types of which every program has many values that mean different things: offered only under the same name. */
const COMMON = new Set(['int', 'bool', 'boolean', 'string'])
/** Variables of every environment, which mean something else than a goal's variable of that name. */
const EVERYWHERE = new Set([
  'PATH',
  'HOME',
  'PWD',
  'OLDPWD',
  'SHELL',
  'TERM',
  'LANG',
  'MAIL',
  'EDITOR',
  'DISPLAY',
  'TMPDIR',
  'SHLVL',
  'NAME'
])

/** A value to type, and where it was found. */
export interface Suggestion {
  readonly value: string
  /** `state, clusters.xml:12`. */
  readonly source: string
}

/** A value that is wanted. */
export interface Wanted {
  /** `goal.config`. */
  readonly path: string
  readonly type?: string | undefined
  /** What the declaration starts as, when something else was given and does not do. */
  readonly fallback?: Suggestion | undefined
}

/** What may be searched. */
export interface Known {
  readonly program: Program
  readonly instances: ReadonlyMap<string, Tree>
  readonly agent: Variables
  /** What is known of the machine. */
  readonly host: Variables
  /** Variables of the inventory agent. */
  readonly inventory?: Variables | undefined
  /** What the goal's last completed run was configured with. */
  readonly last?: { readonly variables: Variables; readonly source: string } | undefined
  /** A variable of the environment; undefined when there is none, or when it is not known yet. */
  readonly env: (name: string) => string | undefined
}

/** Values for what is wanted, each once, the nearest source first. Secrets only for the very same secret type, and only by name. */
export function reconfigure(wanted: Wanted, known: Known): readonly Suggestion[] {
  const all = [
    ...fromState(wanted, known),
    ...fromMachine(wanted, known),
    ...fromLastRun(wanted, known),
    ...fromEnvironment(wanted, known),
    ...(wanted.fallback === undefined ? [] : [wanted.fallback])
  ]
  const distinct = new Map<string, Suggestion>()
  for (const each of all) if (!distinct.has(each.value)) distinct.set(each.value, each)
  return [...distinct.values()].slice(0, CANDIDATES_MAX)
}

/** Names under which the environment may hold `path`: `goal.clusterName` is CB_CLUSTER_NAME or CLUSTER_NAME. */
export function environmentNames(path: string): readonly string[] {
  const name = path
    .replace(/^(goal|agent)\./, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
  return EVERYWHERE.has(name) ? [`CB_${name}`] : [`CB_${name}`, name]
}

/** Nodes of the program's state and the agent's with the same type name. */
function fromState({ path, type }: Wanted, { program, instances, agent }: Known): Suggestion[] {
  if (type === undefined) return []
  const found: Suggestion[] = []
  for (const [instance, tree] of instances) {
    const place = program.instances.get(instance)?.place
    visit(found, { path, type }, tree, instance, instance, place === undefined ? 'state' : `state, ${place.file}:${place.line}`)
  }
  for (const [variable, tree] of Object.entries(agent)) visit(found, { path, type }, tree, `agent.${variable}`, variable, 'agent')
  return found
}

function visit(
  found: Suggestion[],
  wanted: { readonly path: string; readonly type: string },
  tree: Tree,
  at: string,
  last: string,
  source: string,
  depth = 0
): void {
  if (depth > DEPTH_MAX || found.length >= CANDIDATES_MAX) return
  const { path, type } = wanted
  const named = !COMMON.has(type) || last === lastName(path)
  if (tree.type === type && at !== path && named && isDefined(tree) === 'true') found.push({ value: nameOrValue(tree, at), source })
  for (const [field, inner] of Object.entries(tree.fields ?? {})) visit(found, wanted, inner, `${at}.${field}`, field, source, depth + 1)
  for (const [index, item] of (tree.items ?? []).entries()) visit(found, wanted, item, `${at}[${index}]`, last, source, depth + 1)
}

/** A scalar is offered as it is, a struct or a secret by its name. */
function nameOrValue(tree: Tree, at: string): string {
  if (isSecretType(tree.type) || !isScalarType(tree.type) || tree.value === undefined) return at
  const text = showTree(tree)
  return text === String(tree.value) ? text : at
}

/** Facts of the machine and its inventory under the same name, and its address for an address. */
function fromMachine({ path, type }: Wanted, { host, inventory = {} }: Known): Suggestion[] {
  const name = lastName(path)
  const facts: [Tree | undefined, string][] = [
    [host[name], `inventory, host.${name}`],
    [type === 'usa.darpa.rfc971.ipv4address' ? host['hostip'] : undefined, 'inventory, host.hostip'],
    [inventory[name], `inventory, ${name}`]
  ]
  return facts.flatMap(([tree, source]) => scalarSuggestion(tree, type, source))
}

function fromLastRun({ path, type }: Wanted, { last }: Known): Suggestion[] {
  if (last === undefined || !path.startsWith('goal.')) return []
  const tree = getIn({ fields: last.variables }, parsePath(path).slice(1))
  if (tree === undefined || isDefined(tree) !== 'true' || holdsSecret(tree)) return []
  if (tree.ref !== undefined) return [{ value: tree.ref, source: last.source }]
  if (tree.value !== undefined) return scalarSuggestion(tree, type, last.source)
  return [{ value: JSON.stringify(toPlain(tree)), source: last.source }]
}

/** Scalars only; a secret by the variable's name, so that its value is not looked at. */
function fromEnvironment({ path, type }: Wanted, { program, env }: Known): Suggestion[] {
  if (type !== undefined && (program.types.has(type) || !isScalarType(type))) return []
  return environmentNames(path).flatMap(name => {
    const value = env(name)
    if (value === undefined || value === '') return []
    return isSecretType(type)
      ? [{ value: `@env:${name}`, source: `environment, ${name}` }]
      : scalarSuggestion({ value }, type, `environment, ${name}`)
  })
}

function scalarSuggestion(tree: Tree | undefined, type: string | undefined, source: string): Suggestion[] {
  if (tree?.value === undefined || isSecret(tree) || isSecretType(type)) return []
  const fitting = convert(tree.value, type)
  return 'value' in fitting && !/[\n\0]/.test(String(fitting.value)) ? [{ value: String(fitting.value), source }] : []
}

function holdsSecret(tree: Tree): boolean {
  return isSecret(tree) || [...Object.values(tree.fields ?? {}), ...(tree.items ?? [])].some(holdsSecret)
}

function lastName(path: string): string {
  return path.split('.').at(-1) ?? path
}
