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

/** The goals of `program` in order of definition, those of its agents after its own. `locale` chooses among descriptions. */
export function tabulate(program: Program, locale?: string): GoalRow[] {
  const own = [...program.goals.values()].map(goal => row(program, goal, [], locale))
  const agents = [...program.agents.values()].flatMap(agent =>
    [...agent.goals.values()].map(goal => row(program, goal, agent.methods, locale))
  )
  return [...own, ...agents]
}

function row(program: Program, goal: GoalProto, agentMethods: readonly Method[], locale: string | undefined): GoalRow {
  const describe = plainDescription(goal.describe, locale)
  const needed = new Set(goal.pre.flatMap(readsOf))
  const methods = [...goal.methods, ...agentMethods, ...program.methods].filter(method => method.target === goal.name)
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
