/** What an agent starts with. */
import { CloudburstError } from '../../errors.ts'
import { declaredOne } from '../expression/declared.ts'
import { makeScope } from '../expression/scope.ts'
import type { Fact, Surroundings } from '../ports.ts'
import type { AgentProto, Program } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Tree, Variables } from '../tree.ts'
import { instancesOf, nowhere, withoutUnknown } from './instances.ts'

/** What start values may be made of besides the program. */
export interface StartContext {
  readonly surroundings?: Surroundings
  readonly facts?: ReadonlyMap<string, Fact>
}

/**
 * The variables of `proto` with their defaults, each seeing those before it.
 * @throws CloudburstError CB_VALUE_INVALID with file:line:col when a default does not fit its type
 */
export function agentVariables(program: Program, proto: AgentProto, context: StartContext = {}): Variables {
  const variables: Record<string, Tree> = {}
  const facts = context.facts ?? new Map()
  const surroundings = { ...(context.surroundings ?? nowhere), agent: () => variables }
  const scope = makeScope({
    variables: {},
    surroundings,
    instances: instancesOf(program, facts),
    facts,
    completed: () => undefined,
    inPlan: true
  })
  for (const declaration of proto.variables) {
    const { tree, errors } = declaredOne(declaration, scope, { types: program.types, references: true })
    const wrong = errors[0]
    if (wrong !== undefined)
      throw new CloudburstError('CB_VALUE_INVALID', `${showPlace(wrong.place)}: ${wrong.message}`, { agent: proto.name })
    variables[declaration.name] = withoutUnknown(tree)
  }
  return variables
}
