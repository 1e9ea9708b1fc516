/** The program's own state: top-level typed structs, variables and lists, evaluated. */
import { declaredOne } from '../expression/declared.ts'
import { isDefined } from '../expression/plain.ts'
import { makeScope } from '../expression/scope.ts'
import type { Fact, Surroundings } from '../ports.ts'
import type { Program } from '../program/model.ts'
import type { Tree } from '../tree.ts'

/** Nothing is known of the machine while only the program is looked at. */
export const nowhere: Surroundings = { agent: () => ({}), host: {}, peer: {} }

const NO_FACTS: ReadonlyMap<string, Fact> = new Map()
const known = new WeakMap<Program, ReadonlyMap<string, Tree>>()

/**
 * The state that `program` defines, by name, in order of definition. One may be made of another, whatever their order;
 * one that needs itself, or a fact that is not in `facts` (its environment, for one), is undefined.
 */
export function instancesOf(program: Program, facts: ReadonlyMap<string, Fact> = NO_FACTS): ReadonlyMap<string, Tree> {
  const before = facts.size === 0 ? known.get(program) : undefined
  if (before !== undefined) return before
  const lazy = new LazyInstances(program, facts)
  const trees = new Map([...program.instances.keys()].map(name => [name, lazy.get(name) ?? {}] as const))
  if (facts.size === 0) known.set(program, trees)
  return trees
}

/** Evaluates an instance when another one reads it. */
class LazyInstances extends Map<string, Tree> {
  private readonly program: Program
  private readonly facts: ReadonlyMap<string, Fact>
  private readonly busy = new Set<string>()

  constructor(program: Program, facts: ReadonlyMap<string, Fact>) {
    super()
    this.program = program
    this.facts = facts
  }

  override get(name: string): Tree | undefined {
    const done = super.get(name)
    const declaration = this.program.instances.get(name)
    if (done !== undefined || declaration === undefined || this.busy.has(name)) return done
    this.busy.add(name)
    const scope = makeScope({
      variables: {},
      surroundings: nowhere,
      instances: this,
      facts: this.facts,
      completed: () => undefined,
      inPlan: true
    })
    const { tree } = declaredOne(declaration, scope, { types: this.program.types, references: true })
    const settled = isDefined(tree) === 'possible' ? withoutUnknown(tree) : tree
    this.set(name, settled)
    this.busy.delete(name)
    return settled
  }

  override has(name: string): boolean {
    return this.program.instances.has(name)
  }

  override keys(): MapIterator<string> {
    return new Map(this.program.instances).keys()
  }
}

/** State cannot be unknown later on: what could not be evaluated is undefined. */
export function withoutUnknown(tree: Tree): Tree {
  const { unknown, ...rest } = tree
  if (unknown) return tree.type === undefined ? {} : { type: tree.type }
  if (rest.items !== undefined) return { ...rest, items: rest.items.map(withoutUnknown) }
  if (rest.fields === undefined) return tree
  return { ...rest, fields: Object.fromEntries(Object.entries(rest.fields).map(([name, field]) => [name, withoutUnknown(field)])) }
}
