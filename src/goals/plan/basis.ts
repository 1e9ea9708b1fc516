/** What a plan rests on, so that a saved one can be refused once any of it has moved. */
import { createHash } from 'node:crypto'
import type { Fact, FactQuery } from '../ports.ts'
import type { Variables } from '../tree.ts'
import type { Plan, PlanNode } from './plan.ts'

/** Digest of each thing that was looked at, by what people call it: `goal.port`, `exists /etc/motd`, `what would be done`. */
export type PlanBasis = Readonly<Record<string, string>>

/** Bytes of each digest: enough that two values of one thing never agree by chance. */
const DIGEST_BYTES = 12

/** Most things that are named one by one; what is beyond is held together in one digest. A request of the control API stays below its limit. */
export const BASIS_ENTRIES_MAX = 5_000

/** What a plan was made from, besides its program. */
export interface Looked {
  readonly variables: Variables
  /** Answers about the machine by their queries' JSON; time, identifiers and secrets are no ground of a plan. */
  readonly facts: ReadonlyMap<string, Fact>
  /** Of places outside the goal that its steps read. */
  readonly values: ReadonlyMap<string, unknown>
}

/** Linear in what was looked at and in the nodes. */
export function basisOf(program: Plan['program'], { variables, facts, values }: Looked, nodes: readonly PlanNode[]): PlanBasis {
  const entries: [string, string][] = [
    [`program ${program.name}`, digest(program.hash)],
    ...Object.entries(variables).map(([name, value]): [string, string] => [`goal.${name}`, digest(value)]),
    ...Array.from(values, ([path, value]): [string, string] => [path, digest(value)]),
    ...Array.from(facts).flatMap(([key, fact]): [string, string][] => {
      const name = nameOf(JSON.parse(key) as FactQuery)
      return name === undefined ? [] : [[name, digest(fact)]]
    })
  ]
  const rest = entries.slice(BASIS_ENTRIES_MAX)
  return Object.fromEntries([
    ...entries.slice(0, BASIS_ENTRIES_MAX),
    ...(rest.length === 0 ? [] : [['what else was looked at', digest(rest)]]),
    ...Object.entries(basisOfNodes(nodes))
  ])
}

/** What would be done, as one entry. */
export function basisOfNodes(nodes: readonly PlanNode[]): PlanBasis {
  return { 'what would be done': digest(nodes.map(({ id, mark, text, method, peer }) => [id, mark, text, method, peer])) }
}

/** What is not as it was, in words; what moved by itself is named before what follows from it. Empty: nothing. */
export function moved(before: PlanBasis, now: PlanBasis): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names].filter(name => before[name] !== now[name])
}

function nameOf(query: FactQuery): string | undefined {
  switch (query.kind) {
    case 'file':
      return `${query.test} ${query.path}`
    case 'env':
      return `environment ${query.name}`
    case 'edited':
      return `contents of ${query.edits.path}`
    case 'contents':
      return `contents of ${query.path}`
    case 'shell':
      return `output of ${query.argv.join(' ')}`
    case 'state':
      return query.path
    case 'now':
    case 'uuid':
    case 'secret':
    case 'artifact': // where it is changes nothing of what is done
      return undefined
  }
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest()
    .subarray(0, DIGEST_BYTES)
    .toString('hex')
}
