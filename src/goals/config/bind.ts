/** The configuration of a goal: defaults < arguments < command line, and what is still missing. Source: docs/language.md, "Auto-configuration". */
import { factKey } from '../expression/fact-key.ts'
import { CloudburstError } from '../../errors.ts'
import { isArtifact } from '../expression/artifacts.ts'
import { convert, isSecretType } from '../expression/convert.ts'
import { declaredOne } from '../expression/declared.ts'
import { evaluate } from '../expression/evaluate.ts'
import { parsePath, setIn, showPath } from '../expression/path.ts'
import { isDefined } from '../expression/plain.ts'
import type { ExprResult, Scope } from '../expression/result.ts'
import { makeScope } from '../expression/scope.ts'
import type { Fact, FactQuery, Surroundings } from '../ports.ts'
import type { AgentProto, Complaint, Declaration, GoalProto, Path, Place, Program } from '../program/model.ts'
import type { Tree, Variables } from '../tree.ts'
import { type Assigned, type Assignment, sourceOf, understand } from './assignment.ts'
import { environmentNames, type Known, reconfigure, type Suggestion } from './reconfigure.ts'

/** What a configuration is made of. */
export interface BindInput {
  readonly assignments: readonly Assignment[]
  /** From the caller of a sub-goal, by name of the parameter. */
  readonly arguments?: Variables
  readonly surroundings: Surroundings
  readonly facts: ReadonlyMap<string, Fact>
  readonly instances: ReadonlyMap<string, Tree>
  readonly agent?: AgentProto
  /** Secrets may be looked up. */
  readonly reveals?: boolean
  /** Where else suggestions may come from. */
  readonly known?: Pick<Known, 'inventory' | 'last'>
}

/** A value that a `<pre>` of the goal needs. */
export interface Requirement {
  /** `goal.config`. */
  readonly path: string
  readonly type?: string
  /** missing: type a value · choose: one of the candidates · wrong: what is there does not do. */
  readonly state: 'missing' | 'choose' | 'wrong'
  readonly reason: string
  readonly place: Place
  readonly candidates: readonly Suggestion[]
}

/** A goal's variables, where each came from, and what keeps it from being pursued. */
export interface Bound {
  readonly variables: Record<string, Tree>
  /** By path: `default, f.xml:3`, `computed from …`, `argument`, `command line`. */
  readonly sources: Record<string, string>
  readonly missing: readonly Requirement[]
  readonly errors: readonly Complaint[]
  /** Facts to gather before binding again. */
  readonly wanted: readonly FactQuery[]
}

/** The configuration of one goal. Never throws for anything that a person, a caller or the program gave. */
export function bind(program: Program, proto: GoalProto, input: BindInput): Bound {
  return new Binder(program, proto, input).bind()
}

class Binder {
  private readonly program: Program
  private readonly proto: GoalProto
  private readonly input: BindInput
  private readonly scope: Scope
  private readonly variables: Record<string, Tree> = {}
  private readonly sources: Record<string, string> = {}
  private readonly errors: Complaint[] = []
  private readonly wanted: FactQuery[] = []

  constructor(program: Program, proto: GoalProto, input: BindInput) {
    this.program = program
    this.proto = proto
    this.input = input
    const { surroundings, instances, facts } = input
    this.scope = makeScope({
      variables: this.variables,
      surroundings,
      instances,
      facts,
      completed: () => undefined,
      inPlan: true,
      reveals: input.reveals ?? false,
      sources: this.sources
    })
  }

  bind(): Bound {
    const given = this.understood()
    for (const parameter of this.proto.parameters)
      this.variables[parameter.name] = parameter.type === undefined ? {} : { type: parameter.type }
    this.takeArguments()
    for (const { path, tree, source } of given) if (path.length === 2) this.set(path, tree, source ?? 'command line')
    for (const parameter of this.proto.parameters) this.takeDefault(parameter)
    for (const { path, tree, source } of given) if (path.length > 2) this.setField(path, tree, source ?? 'command line')
    const missing = this.requirements()
    return { variables: this.variables, sources: this.sources, missing, errors: this.errors, wanted: distinct(this.wanted) }
  }

  private understood(): Assigned[] {
    const agentVariables = this.input.surroundings.agent()
    const to = { proto: this.proto, agentVariables, ...(this.input.agent === undefined ? {} : { agent: this.input.agent }) }
    return this.input.assignments.flatMap(assignment => {
      const found = this.attempt(() => understand(this.program, to, assignment))
      return found === undefined || found.path[0] !== 'goal' ? [] : [found]
    })
  }

  private takeArguments(): void {
    for (const [name, tree] of Object.entries(this.input.arguments ?? {})) {
      // a name from a peer may be anything; this one would change what the record is
      if (isDefined(tree) === 'false' || name === '__proto__') continue
      this.set(['goal', name], this.fitted(name, tree), 'argument')
    }
  }

  private fitted(name: string, tree: Tree): Tree {
    const type = this.variables[name]?.type
    if (type === undefined) return tree
    if (tree.value === undefined) return { type, ...tree }
    if (type === 'localFilePath' && isArtifact(tree)) return tree
    const result = convert(tree.value, type)
    if ('value' in result) return { ...tree, type, value: result.value }
    this.errors.push({ place: this.placeOf(name), message: `goal.${name}: ${result.misfit}` })
    return { type }
  }

  private takeDefault(parameter: Declaration): void {
    const path = `goal.${parameter.name}`
    if (this.sources[path] !== undefined) return
    const { tree, wanted, errors, reads } = declaredOne(parameter, this.scope, { types: this.program.types, references: true })
    this.wanted.push(...wanted)
    this.errors.push(...errors)
    this.variables[parameter.name] = tree
    if (isDefined(tree) === 'false') return
    const foreign = tree.ref === undefined ? reads.filter(read => !this.scope.origin(parsePath(read)).own) : []
    this.sources[path] = foreign.length === 0 ? sourceOf('default', parameter) : `computed from ${foreign.join(', ')}`
  }

  private set(path: Path, tree: Tree, source: string): void {
    this.variables[String(path[1])] = tree
    this.sources[showPath(path)] = source
  }

  /** A field of what the goal refers to is set in the goal's own copy: configuring a goal changes no state. */
  private setField(path: Path, tree: Tree, source: string): void {
    const name = String(path[1])
    const { ref: _, ...base } = this.variables[name] ?? {}
    const whole = this.variables[name]?.ref === undefined ? base : { ...this.scope.read(['goal', name]), ...base }
    this.attempt(() => {
      this.variables[name] = setIn(whole, path.slice(2), tree)
      this.sources[showPath(path)] = source
    })
  }

  private requirements(): Requirement[] {
    const found = new Map<string, Requirement>()
    for (const expression of this.proto.pre) {
      const result = evaluate(expression, this.scope)
      this.wanted.push(...result.wanted)
      this.errors.push(...result.errors)
      if (result.outcome !== 'false' || result.errors.length > 0) continue
      const all = this.unmet(result, expression.place)
      if (all.length === 0)
        this.errors.push({ place: expression.place, message: `a requirement of ${this.proto.name} does not hold: ${reasonsOf(result)}` })
      for (const each of all) if (!found.has(each.path)) found.set(each.path, each)
    }
    return [...found.values()]
  }

  /** What a person could change so that the expression holds: undefined variables first, else all that were read. */
  private unmet(result: ExprResult, place: Place): Requirement[] {
    const read = Object.entries(result.reads).filter(([path]) => path.startsWith('goal.') || path.startsWith('agent.'))
    const absent = read.filter(([, tree]) => isDefined(tree) === 'false')
    return (absent.length > 0 ? absent : read).map(([path, tree]) =>
      this.requirement(path, tree, absent.length > 0, reasonsOf(result), place)
    )
  }

  private requirement(read: string, tree: Tree, absent: boolean, reason: string, place: Place): Requirement {
    const path = absent ? this.wholly(read) : read
    const type = (path === read ? tree.type : undefined) ?? this.typeOf(path)
    const candidates = reconfigure({ path, type, fallback: absent ? undefined : this.fallback(path) }, this.known(path))
    const state = !absent ? 'wrong' : candidates.length > 0 ? 'choose' : 'missing'
    return { path, ...(type === undefined ? {} : { type }), state, reason, place, candidates }
  }

  /** Where values may be found; the environment is asked for first. */
  private known(path: string): Known {
    const { instances, surroundings, facts, known } = this.input
    const { program } = this
    for (const name of environmentNames(path)) {
      const query: FactQuery = { kind: 'env', name }
      if (!facts.has(factKey(query))) this.wanted.push(query)
    }
    const env = (name: string): string | undefined => {
      const fact = facts.get(JSON.stringify({ kind: 'env', name }))
      return fact?.kind === 'text' ? fact.value : undefined
    }
    return { program, instances, agent: surroundings.agent(), host: surroundings.host, ...known, env }
  }

  /** The default of a variable that was given something else. */
  private fallback(path: string): Suggestion | undefined {
    const parameter = this.proto.parameters.find(each => `goal.${each.name}` === path)
    const only = parameter?.value.length === 1 ? parameter.value[0] : undefined
    if (parameter === undefined || only?.kind !== 'text' || this.sources[path]?.startsWith('default')) return undefined
    return isSecretType(parameter.type) ? undefined : { value: only.text.trim(), source: sourceOf('default', parameter) }
  }

  /** When all of a struct is missing, it is the struct that is asked for. */
  private wholly(read: string): string {
    const path = parsePath(read)
    const top = path.slice(0, 2)
    return path.length > 2 && isDefined(this.scope.read(top)) === 'false' && this.typeOf(showPath(top)) !== undefined ? showPath(top) : read
  }

  private typeOf(path: string): string | undefined {
    const [top, name, ...rest] = parsePath(path)
    const declarations = top === 'goal' ? this.proto.parameters : (this.input.agent?.variables ?? [])
    let declaration = declarations.find(each => each.name === name)
    for (const part of rest) {
      const members: readonly Declaration[] = [
        ...(declaration?.members ?? []),
        ...(this.program.types.get(declaration?.type ?? '')?.members ?? [])
      ]
      declaration = members.find(each => each.name === part)
    }
    return declaration?.type
  }

  private placeOf(name: string): Place {
    return this.proto.parameters.find(each => each.name === name)?.place ?? this.proto.place
  }

  private attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof CloudburstError)) throw error
      this.errors.push({ place: this.proto.place, message: error.message })
      return undefined
    }
  }
}

function reasonsOf(result: ExprResult): string {
  return result.reasons.map(reason => reason.text).join('; ')
}

function distinct(queries: readonly FactQuery[]): FactQuery[] {
  return [...new Map(queries.map(query => [factKey(query), query])).values()]
}
