import type { Tree } from '../../goals/tree.ts'
import type { Origin } from './origin.ts'
import type { Explained } from './contract.ts'

const ROOT = 'nodes'

/**
 * The tree at a path of the state of all nodes; undefined where nothing is. Of two origins with one name, one that this node
 * knows by itself is shown, and of two such the one with the smaller peer id, everywhere.
 */
export function readTree(origins: readonly Origin[], path: string, known: (peer: string) => boolean = () => true): Tree | undefined {
  const byName = named(origins, known)
  if (path === '' || path === ROOT) {
    const fields = Object.fromEntries(
      [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, state]) => [name, below(state, '') ?? {}])
    )
    return Object.keys(fields).length === 0 ? undefined : { fields }
  }
  // Names may hold dots, so the name is looked for in the path, not the other way round.
  const [name, state] = [...byName].find(([each]) => path === `${ROOT}.${each}` || path.startsWith(`${ROOT}.${each}.`)) ?? []
  return state === undefined || name === undefined ? undefined : below(state, path.slice(ROOT.length + name.length + 2))
}

function named(origins: readonly Origin[], known: (peer: string) => boolean): ReadonlyMap<string, Origin> {
  const byName = new Map<string, Origin>()
  const rank = ({ origin }: Origin): number => (known(origin) ? 0 : 1)
  for (const state of [...origins].sort((a, b) => rank(a) - rank(b) || (a.origin < b.origin ? -1 : 1))) {
    if (state.values.size > 0 && !byName.has(state.name)) byName.set(state.name, state)
  }
  return byName
}

/** Where the values at, below and right above a path come from, the newest first. */
export function explain(origins: readonly Origin[], path: string, known: (peer: string) => boolean): readonly Explained[] {
  const all: Explained[] = []
  for (const [name, { origin, boot, seq, values }] of named(origins, known)) {
    for (const [below, { value, revision, at, goal }] of values) {
      const full = `${ROOT}.${name}.${below}`
      const within = path === '' || full === path || full.startsWith(`${path}.`) || path.startsWith(`${full}.`)
      if (within) all.push({ path: full, value, revision, at, origin, boot, seq, ...(goal !== undefined && { goal }) })
    }
  }
  return all.sort((a, b) => b.at - a.at || (a.path < b.path ? -1 : 1))
}

/** What an origin has at `path`: all values below it, or a part of the value above it. */
function below(state: Origin, path: string): Tree | undefined {
  const root: Branch = { branches: new Map() }
  let found = false
  for (const [at, { value }] of state.values) {
    if (path === '' || at === path || at.startsWith(`${path}.`)) {
      const rest = path === '' ? at : at.slice(path.length + 1)
      insert(root, rest === '' ? [] : rest.split('.'), value)
      found = true
    } else if (path.startsWith(`${at}.`)) {
      const part = descend(value, path.slice(at.length + 1).split('.'))
      if (part !== undefined) return part
    }
  }
  return found ? grown(root) : undefined
}

interface Branch {
  tree?: Tree
  readonly branches: Map<string, Branch>
}

function insert(branch: Branch, [name, ...rest]: readonly string[], tree: Tree): void {
  if (name === undefined) {
    branch.tree = tree
    return
  }
  const next = branch.branches.get(name) ?? { branches: new Map() }
  branch.branches.set(name, next)
  insert(next, rest, tree)
}

function grown({ tree, branches }: Branch): Tree {
  if (branches.size === 0) return tree ?? {}
  const fields = Object.fromEntries([...branches].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, branch]) => [name, grown(branch)]))
  return { ...tree, fields: { ...tree?.fields, ...fields } }
}

function descend(tree: Tree | undefined, names: readonly string[]): Tree | undefined {
  const [name, ...rest] = names
  if (name === undefined || tree === undefined) return tree
  const fields = tree.fields
  if (fields !== undefined && Object.hasOwn(fields, name)) return descend(fields[name], rest)
  return /^\d+$/.test(name) ? descend(tree.items?.[Number(name)], rest) : undefined
}
