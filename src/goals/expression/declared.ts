/** What declarations start as: defaults of goals, variables of agents, state of programs, arguments of sub-goals. */
import type { FactQuery } from '../ports.ts'
import type { Complaint, Declaration, Expression } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import { isArtifact } from './artifacts.ts'
import { convert, isSecretType } from './convert.ts'
import { evaluate } from './evaluate.ts'
import { showPath } from './path.ts'
import { isDefined } from './plain.ts'
import type { Scope } from './result.ts'

/** Types defined by the program: their members are the fields of an instance. */
export type Types = ReadonlyMap<string, Declaration>

/** Deepest nesting of types in types: one that contains itself would have no end. */
export const TYPE_DEPTH_MAX = 16

/** What some declarations start as. */
export interface Declared {
  readonly variables: Variables
  readonly wanted: readonly FactQuery[]
  readonly errors: readonly Complaint[]
  /** By name: paths that its value was made of. */
  readonly reads: Readonly<Record<string, readonly string[]>>
}

/** What one declaration starts as. */
export interface DeclaredOne {
  readonly tree: Tree
  readonly wanted: readonly FactQuery[]
  readonly errors: readonly Complaint[]
  /** Paths that its value was made of. */
  readonly reads: readonly string[]
}

/** `declarations` by value, in the caller's scope: arguments of a sub-goal. Undefined ones are empty trees. */
export function declared(declarations: readonly Declaration[], scope: Scope): Declared {
  const all = declarations.map(declaration => [declaration.name, declaredOne(declaration, scope)] as const)
  return {
    variables: Object.fromEntries(all.map(([name, one]) => [name, one.tree])),
    wanted: all.flatMap(([, one]) => one.wanted),
    errors: all.flatMap(([, one]) => one.errors),
    reads: Object.fromEntries(all.map(([name, one]) => [name, one.reads]))
  }
}

/** How values are taken over. */
export interface DeclareOptions {
  readonly types?: Types
  /** A variable that is a single `<get>` of state becomes a reference to that node. */
  readonly references?: boolean
}

/** One declaration: a variable's value in the form of its type, a struct's fields, a list's elements. */
export function declaredOne(declaration: Declaration, scope: Scope, options: DeclareOptions = {}): DeclaredOne {
  return new Declarer(scope, options).declare(declaration)
}

/** A field keeps the type that the struct's type, or the struct it is a copy of, gives it. */
function withType(member: Declaration, inherited: Readonly<Record<string, Tree>>): Declaration {
  const type = member.type ?? inherited[member.name]?.type
  return type === undefined ? member : { ...member, type }
}

class Declarer {
  private readonly scope: Scope
  private readonly options: DeclareOptions
  private readonly wanted: FactQuery[] = []
  private readonly errors: Complaint[] = []
  private readonly reads = new Set<string>()

  constructor(scope: Scope, options: DeclareOptions) {
    this.scope = scope
    this.options = options
  }

  declare(declaration: Declaration): DeclaredOne {
    const tree = this.treeOf(declaration, 0)
    return { tree, wanted: this.wanted, errors: this.errors, reads: [...this.reads] }
  }

  private treeOf(declaration: Declaration, depth: number): Tree {
    const { type, kind, members } = declaration
    const typed = type === undefined ? {} : { type }
    if (kind === 'list') return members.length === 0 ? typed : { ...typed, items: members.map(member => this.treeOf(member, depth + 1)) }
    if (kind === 'variable') return declaration.value.length === 0 ? typed : this.valueOf(declaration)
    const inherited = { ...this.fieldsOfType(type, depth), ...this.copied(declaration) }
    return {
      ...typed,
      fields: {
        ...inherited,
        ...this.fields(
          members.map(member => withType(member, inherited)),
          depth
        )
      }
    }
  }

  private fields(members: readonly Declaration[], depth: number): Record<string, Tree> {
    return Object.fromEntries(members.map(member => [member.name, this.treeOf(member, depth + 1)]))
  }

  private fieldsOfType(type: string | undefined, depth: number): Record<string, Tree> {
    const definition = type === undefined ? undefined : this.options.types?.get(type)
    return definition === undefined || depth >= TYPE_DEPTH_MAX ? {} : this.fields(definition.members, depth)
  }

  private copied(declaration: Declaration): Record<string, Tree> {
    if (declaration.copyOf === undefined) return {}
    const place = declaration.place
    const { tree } = this.evaluate({ kind: 'get', path: declaration.copyOf, place })
    if (tree === undefined || tree.fields !== undefined || tree.unknown) return { ...tree?.fields }
    this.errors.push({ place, message: `${showPath(declaration.copyOf)} is not a struct and cannot be copied into ${declaration.name}` })
    return {}
  }

  private valueOf(declaration: Declaration): Tree {
    const { type, value, place } = declaration
    const typed = type === undefined ? {} : { type }
    const only = value.length === 1 ? value[0]! : undefined
    const tree = this.evaluate(only ?? { kind: 'string', parts: value, place }).tree
    if (this.options.references && only?.kind === 'get' && this.isState(only)) return { ...typed, ref: showPath(only.path) }
    if (tree === undefined) return typed
    if (tree.value === undefined) return tree.type === undefined ? { ...typed, ...tree } : tree
    if (type === 'localFilePath' && isArtifact(tree)) return tree
    const result = convert(tree.value, type)
    if ('value' in result) return { ...(type === undefined && tree.type !== undefined ? { type: tree.type } : typed), value: result.value }
    this.errors.push({
      place: only?.place ?? place,
      message: `${declaration.name}: ${isSecretType(type) ? 'does not fit' : result.misfit}`
    })
    return typed
  }

  /** Whether a get denotes a node of state that stays where it is: of the program or of the agent. */
  private isState(get: Extract<Expression, { kind: 'get' }>): boolean {
    const [top] = get.path
    if (top === 'host' || top === 'peer' || top === 'nodes') return false
    return isDefined(this.scope.read(get.path)) === 'true'
  }

  private evaluate(expression: Expression): { readonly tree?: Tree } {
    const result = evaluate(expression, this.scope)
    this.wanted.push(...result.wanted)
    this.errors.push(...result.errors)
    for (const path of Object.keys(result.reads)) this.reads.add(path)
    return result
  }
}
