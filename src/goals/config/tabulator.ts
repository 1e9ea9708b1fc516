/** Tabulator: the goals of a program as rows. */
import { showPath } from '../expression/path.ts'
import type { Declaration, Expression, GoalProto, Method, Program } from '../program/model.ts'
import { plainDescription } from '../render/describe.ts'

/** One row of `list`. The wire form (protocols/agency/calls.ts) is the same. */
export interface GoalRow {
  readonly program: string
  readonly goal: string
  readonly agent?: string
  readonly describe?: string
  readonly docs: readonly string[]
  readonly parameters: readonly { readonly name: string; readonly type?: string; readonly required: boolean }[]
  readonly methods: readonly string[]
}

/** class Tabulator: a program's goals as rows. */
export class Tabulator {
  readonly #program: Program
  readonly #locale: string | undefined
  /** Global methods by the goal they are for. */
  readonly #methods: ReadonlyMap<string, readonly Method[]>

  /** @param locale as in LANG; chooses among descriptions */
  constructor(program: Program, locale?: string) {
    this.#program = program
    this.#locale = locale
    const methods = new Map<string, Method[]>()
    for (const method of program.methods) {
      const same = methods.get(method.target)
      if (same === undefined) methods.set(method.target, [method])
      else same.push(method)
    }
    this.#methods = methods
  }

  /** The goals in order of definition, those of agents after the program's own. */
  rows(): GoalRow[] {
    const { goals, agents } = this.#program
    const own = [...goals.values()].map(goal => this.#row(goal, []))
    return [...own, ...[...agents.values()].flatMap(agent => [...agent.goals.values()].map(goal => this.#row(goal, agent.methods)))]
  }

  #row(goal: GoalProto, agentMethods: readonly Method[]): GoalRow {
    const ofAgent = agentMethods.filter(method => method.target === goal.name)
    return row(this.#program, goal, [...goal.methods, ...ofAgent, ...(this.#methods.get(goal.name) ?? [])], this.#locale)
  }
}

/** The rows of {@link Tabulator}. */
export function tabulate(program: Program, locale?: string): GoalRow[] {
  return new Tabulator(program, locale).rows()
}

function row(program: Program, goal: GoalProto, methods: readonly Method[], locale: string | undefined): GoalRow {
  const describe = plainDescription(goal.describe, locale)
  const needed = new Set(goal.pre.flatMap(readsOf))
  return {
    program: program.name,
    goal: goal.name,
    ...(goal.agent === undefined ? {} : { agent: goal.agent }),
    ...(describe === undefined ? {} : { describe }),
    docs: goal.docs,
    parameters: goal.parameters.map(({ name, type, ...rest }) => ({
      name,
      ...(type === undefined ? {} : { type }),
      required: needed.has(`goal.${name}`) && !hasDefault(rest)
    })),
    methods: methods.map(method => method.name)
  }
}

function hasDefault(declaration: Pick<Declaration, 'value' | 'members' | 'copyOf'>): boolean {
  return declaration.value.length > 0 || declaration.copyOf !== undefined || declaration.members.some(hasDefault)
}

/** Variables that an expression reads, by their first two names. */
function readsOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'get':
    case 'set':
      return [showPath(expression.path.slice(0, 2))]
    case 'op':
      return expression.operands.flatMap(readsOf)
    case 'defined':
      return readsOf(expression.of)
    case 'string':
    case 'convert':
    case 'urlEncode':
      return expression.parts.flatMap(readsOf)
    case 'fileTest':
      return expression.path.flatMap(readsOf)
    default:
      return []
  }
}
