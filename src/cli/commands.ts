/** Every command: what it is for, which words and options it takes, and where its code is. Help and completion read this too. */
import { agency } from './verbs/agency.ts'
import { goals } from './verbs/goals.ts'
import { more } from './verbs/more.ts'
import { nodes } from './verbs/nodes.ts'
import type { Verbs } from './verbs/spec.ts'
import { trust } from './verbs/trust.ts'

export type { CommandSpec } from './verbs/spec.ts'

/** By what they are about, in the order of the help. */
export const commandGroups: Readonly<Record<string, Verbs>> = {
  Nodes: nodes,
  'Programs and agents': agency,
  Goals: goals,
  Trust: trust,
  More: more
}

export const commands: Verbs = Object.assign({}, ...Object.values(commandGroups))
