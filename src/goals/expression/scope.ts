/** Where names are looked up while one goal is pursued. Source: docs/language.md, "Scope and paths". */
import { factKey } from './fact-key.ts'
import { CloudburstError } from '../../errors.ts'
import type { Fact, FactQuery, Surroundings } from '../ports.ts'
import type { GoalCall, Path } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import { child, parsePath, setIn, showPath } from './path.ts'
import type { Origin, Scope } from './result.ts'
import { keepType } from './typed.ts'

/** Longest chain of references: longer ones are taken for a cycle. */
export const REFERENCES_MAX = 32

/** What a scope is made of. */
export interface ScopeInput {
  /** The goal's variables; written in place. */
  readonly variables: Record<string, Tree>
  readonly surroundings: Surroundings
  /** The program's state, by name. */
  readonly instances: ReadonlyMap<string, Tree>
  /** Known answers, by the JSON of the query. */
  readonly facts: ReadonlyMap<string, Fact>
  readonly completed: (call: GoalCall) => boolean | undefined
  /** Writes `agent.…` (the whole path) so that `surroundings.agent()` has it on return. Absent: such writes stay in this scope. */
  readonly writeAgent?: (path: Path, value: Tree) => void
  readonly inPlan: boolean
  /** Where values came from, by path: what `bind` gives. Absent: nothing is known to be the program's own but its state. */
  readonly sources?: Readonly<Record<string, string>>
  readonly unseal?: (tree: Tree) => string | undefined
  readonly locale?: string | undefined
  /** Absent: unless in a plan. */
  readonly reveals?: boolean
}

/** A scope over `input`; writing changes `input.variables`. */
export function makeScope(input: ScopeInput): Scope {
  return new GoalScope(input, { agent: {}, written: new Set() })
}

/** Writes of one goal, shared by a scope and those made by `with`. */
interface Shared {
  /** Agent variables written without a way to the agent. */
  readonly agent: Record<string, Tree>
  /** Variables of the goal that are no longer what the configuration said. */
  readonly written: Set<string>
}

interface Symbol {
  readonly name: string
  item: Tree
  readonly outer: Symbol | undefined
}

class GoalScope implements Scope {
  private readonly input: ScopeInput
  private readonly shared: Shared
  private readonly symbol: Symbol | undefined

  constructor(input: ScopeInput, shared: Shared, symbol?: Symbol) {
    this.input = input
    this.shared = shared
    this.symbol = symbol
  }

  get inPlan(): boolean {
    return this.input.inPlan
  }

  get reveals(): boolean {
    return this.input.reveals ?? !this.input.inPlan
  }

  get locale(): string | undefined {
    return this.input.locale
  }

  read(path: Path): Tree | undefined {
    return this.follow(path, 0)
  }

  place(path: Path): Path {
    return this.placeOf(path, 0)
  }

  write(path: Path, value: Tree): void {
    this.change(path, value)()
  }

  misfit(path: Path, value: Tree): string | undefined {
    try {
      this.change(path, value)
      return undefined
    } catch (error) {
      if (error instanceof CloudburstError) return error.message
      throw error
    }
  }

  /** All that can go wrong with a write, and then the write. */
  private change(path: Path, value: Tree): () => void {
    const target = this.place(path)
    const [top, name, ...rest] = target
    const symbol = this.symbolOf(target)
    if (symbol !== undefined) {
      const item = setIn(symbol.item, target.slice(symbol.name.split('.').length), value)
      return () => {
        symbol.item = item
      }
    }
    if (typeof name !== 'string') throw unwritable(target, 'it is not a variable')
    const before = top === 'agent' ? this.agentVariable(name) : own(this.input.variables, name)
    const typed = keepType(target, getOld(before, rest), value)
    const after = setIn(before, rest, typed)
    return () => {
      if (top === 'goal') {
        this.input.variables[name] = after
        this.shared.written.add(name)
      } else if (this.input.writeAgent !== undefined) this.input.writeAgent(target, typed)
      else this.shared.agent[name] = after
    }
  }

  with(symbol: string, item: Tree): Scope {
    return new GoalScope(this.input, this.shared, { name: symbol, item, outer: this.symbol })
  }

  fact(query: FactQuery): Fact | undefined {
    return this.input.facts.get(factKey(query))
  }

  completed(call: GoalCall): boolean | undefined {
    return this.input.completed(call)
  }

  unseal(tree: Tree): string | undefined {
    if (this.input.unseal !== undefined || tree.sealed === undefined) return this.input.unseal?.(tree)
    const fact = this.fact({ kind: 'secret', sealed: tree.sealed })
    return fact?.kind === 'text' ? fact.value : undefined
  }

  names(): readonly string[] {
    const symbols: string[] = []
    for (let symbol = this.symbol; symbol !== undefined; symbol = symbol.outer) symbols.push(symbol.name)
    return ['goal', 'agent', 'host', 'peer', 'nodes', ...symbols, ...this.input.instances.keys(), ...Object.keys(this.input.variables)]
  }

  origin(path: Path): Origin {
    let target: Path
    try {
      target = this.placeOf(path, 0, true)
    } catch {
      return { own: false, text: 'unknown' }
    }
    const [top, name] = target
    if (top === 'goal' && typeof name === 'string') return this.goalOrigin(target, name)
    if (this.symbolOf(target) !== undefined) return { own: false, text: 'item of a list' }
    if (typeof top === 'string' && this.input.instances.has(top)) return { own: true, text: 'state of the program' }
    return { own: false, text: top === 'agent' ? 'state of the agent' : `${top}` }
  }

  private goalOrigin(target: Path, name: string): Origin {
    if (this.shared.written.has(name)) return { own: false, text: 'result of a step' }
    const sources = this.input.sources ?? {}
    for (let length = target.length; length >= 2; length -= 1) {
      const key = showPath(target.slice(0, length))
      if (Object.hasOwn(sources, key)) return { own: sources[key]!.startsWith('default'), text: sources[key]! }
    }
    return { own: false, text: 'result of a step' }
  }

  /** The node at `path`, every reference on the way and at the end followed. */
  private follow(path: Path, depth: number): Tree | undefined {
    let [node, at] = this.start(path)
    for (;;) {
      if (node?.ref !== undefined && depth < REFERENCES_MAX) node = this.follow(pathOf(node.ref), depth + 1)
      else if (node?.ref !== undefined) return undefined
      if (node === undefined || at >= path.length) return node
      if (node.unknown) return node
      node = child(node, path[at]!)
      at += 1
    }
  }

  /** The node that the beginning of `path` names, and how many parts that took. */
  private start(path: Path): [node: Tree | undefined, taken: number] {
    const top = path[0]!
    const symbol = this.symbolOf(path)
    if (symbol !== undefined) return [symbol.item, symbol.name === top ? 1 : 2]
    switch (top) {
      case 'goal':
        return path.length === 1 ? [{ fields: { ...this.input.variables } }, 1] : [own(this.input.variables, path[1]!), 2]
      case 'agent':
        return path.length === 1
          ? [{ fields: { ...this.input.surroundings.agent(), ...this.shared.agent } }, 1]
          : [this.agentVariable(path[1]!), 2]
      case 'host':
        return path.length === 1 ? [{ fields: this.input.surroundings.host }, 1] : [own(this.input.surroundings.host, path[1]!), 2]
      case 'peer':
        return path.length === 1 ? [{ fields: this.input.surroundings.peer }, 1] : [own(this.input.surroundings.peer, path[1]!), 2]
      default:
        // older programs name a step's result without `goal.`
        return [typeof top === 'string' ? (this.input.instances.get(top) ?? own(this.input.variables, top)) : undefined, 1]
    }
  }

  private symbolOf(path: Path): Symbol | undefined {
    for (let symbol = this.symbol; symbol !== undefined; symbol = symbol.outer) {
      if (symbol.name === path[0] || (path[0] === 'goal' && symbol.name === `goal.${path[1]}`)) return symbol
    }
    return undefined
  }

  private agentVariable(name: string | number): Tree | undefined {
    return own(this.shared.agent, name) ?? own(this.input.surroundings.agent(), name)
  }

  private placeOf(path: Path, depth: number, anywhere = false): Path {
    if (depth >= REFERENCES_MAX) throw unwritable(path, 'its references lead in a circle')
    let [node, at] = this.start(path)
    for (; at <= path.length; at += 1) {
      if (node?.ref !== undefined) {
        const target = [...pathOf(node.ref), ...path.slice(at)]
        // a variable that refers to what cannot be written is bound anew, as a whole
        if (at === path.length && !anywhere && !this.isWritable(target)) break
        return this.placeOf(target, depth + 1, anywhere)
      }
      if (at < path.length) node = node === undefined ? undefined : child(node, path[at]!)
    }
    if (anywhere || this.isWritable(path)) return this.inGoal(path)
    throw unwritable(
      path,
      path[0] === 'goal' || path[0] === 'agent'
        ? 'it is not a variable'
        : `${path[0]} cannot be changed here; copy it with <struct><get>…</get></struct>`
    )
  }

  /** A step's result written without `goal.` is the goal's variable all the same. */
  private inGoal(path: Path): Path {
    const top = path[0]
    const bare =
      typeof top === 'string' &&
      this.symbolOf(path) === undefined &&
      !this.input.instances.has(top) &&
      own(this.input.variables, top) !== undefined
    return bare && top !== 'goal' && top !== 'agent' ? ['goal', ...path] : path
  }

  private isWritable(path: Path): boolean {
    if (this.symbolOf(path) !== undefined) return true
    const top = this.inGoal(path)[0]
    return (top === 'goal' || top === 'agent') && this.inGoal(path).length > 1
  }
}

function getOld(before: Tree | undefined, rest: Path): Tree | undefined {
  let node = before
  for (const part of rest) node = node === undefined ? undefined : child(node, part)
  return node
}

function own(variables: Variables, name: string | number): Tree | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined
}

const parsed = new Map<string, Path>()
/** Most references whose parsed form is kept: one program has fewer. */
const PARSED_MAX = 10_000

function pathOf(ref: string): Path {
  const known = parsed.get(ref)
  if (known !== undefined) return known
  if (parsed.size >= PARSED_MAX) parsed.clear()
  const path = parsePath(ref)
  parsed.set(ref, path)
  return path
}

function unwritable(path: Path, reason: string): CloudburstError {
  return new CloudburstError('CB_VALUE_INVALID', `${showPath(path)} cannot be written: ${reason}`, { path: showPath(path) })
}
