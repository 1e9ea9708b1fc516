/** What the readers know of the words of the language: all of it follows from the table in elements.ts. */
import type { Role } from './element-spec.ts'
import { commonAttributeSpecs, elementSpecs } from './elements.ts'

/** Attributes that every element may carry. */
export const commonAttributes: readonly string[] = Object.keys(commonAttributeSpecs)

/** Known elements with the attributes they may carry. */
export const elements: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(elementSpecs).map(([name, { attributes = {} }]) => [name, Object.keys(attributes)])
)

/** Elements and attributes of the language that this version does not do yet: an error, never ignored. */
export const laterElements = new Set(['service', 'schedule', 'host', 'provider'])
export const laterAttributes: ReadonlySet<string> = new Set()

/** Elements that can be `role`, older spellings last. */
export function elementsAs(role: Role): string[] {
  const found = Object.entries(elementSpecs).filter(([name, spec]) => spec.as.includes(role) || name === role)
  return [...found.filter(([, { olderFor }]) => olderFor === undefined), ...found.filter(([, { olderFor }]) => olderFor !== undefined)].map(
    ([name]) => name
  )
}

/** Elements that may stand in `<name>`, sub-goals by their own name left out. */
export function childrenOf(name: string): string[] {
  const { as = [], holds = [] } = Object.hasOwn(elementSpecs, name) ? elementSpecs[name]! : {}
  // <state> is flattened, so it holds what its place holds
  const roles = name === 'state' ? as : holds
  // among statements an expression is a check
  return [...new Set([...roles, ...(roles.includes('statement') ? ['expression'] : [])].flatMap(elementsAs))]
}

const current = (names: readonly string[]): readonly string[] => names.filter(name => elementSpecs[name]?.olderFor === undefined)

/** What may stand where, for suggestions. */
export const places = {
  program: childrenOf('cloudburst'),
  goal: childrenOf('goalProto'),
  method: childrenOf('method'),
  agent: childrenOf('agent'),
  expression: current(elementsAs('expression'))
} as const

/** Names that mean something in every scope and so cannot name an instance or a find symbol. */
export const topNames = ['goal', 'agent', 'host', 'peer', 'nodes'] as const

/** Statements by element name; anything else in a body is an expression that must hold, or unknown. */
export const statementElements: ReadonlySet<string> = new Set(elementsAs('statement'))
export const expressionElements: ReadonlySet<string> = new Set([...elementsAs('expression'), 'python'])
