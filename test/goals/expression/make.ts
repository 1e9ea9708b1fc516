/** Small programs for tests of expressions and texts. */
import type { Fact } from '../../../src/goals/ports.ts'
import type { Expression, Program, Template } from '../../../src/goals/program/model.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import type { ScopeInput } from '../../../src/goals/expression/scope.ts'
import { makeScope } from '../../../src/goals/expression/scope.ts'
import type { Scope } from '../../../src/goals/expression/result.ts'
import type { Tree } from '../../../src/goals/tree.ts'
import { fromPlain } from '../../../src/goals/expression/plain.ts'
import type { Plain } from '../../../src/goals/tree.ts'

export function program(text: string): Program {
  return readProgram([{ name: 'p.xml', text: `<cloudburst name="p">${text}</cloudburst>` }])
}

/** One expression, read from XML. */
export function expression(xml: string): Expression {
  return program(`<goalProto name="sub"/><goalProto name="g"><pre>${xml}</pre></goalProto>`).goals.get('g')!.pre[0]!
}

/** The text of a send, read from XML. */
export function template(xml: string): Template {
  const [shell] = program(`<goalProto name="g"><method><shell><send>${xml}</send></shell></method></goalProto>`).goals.get('g')!.methods[0]!
    .body
  if (shell?.kind !== 'shell') throw new Error('not a shell')
  return shell.sends[0]!.text
}

/** A scope with plain values; `facts` by query. */
export function scope(variables: Record<string, Plain | Tree> = {}, more: Partial<ScopeInput> = {}): Scope {
  return makeScope({
    variables: trees(variables),
    surroundings: { agent: () => ({}), host: { arch: { value: 'x64' } }, peer: {} },
    instances: new Map(),
    facts: new Map<string, Fact>(),
    completed: () => undefined,
    inPlan: false,
    ...more
  })
}

/** Plain values as trees; a struct with `type`, `unknown`, `ref` or `sealed` is a tree already. */
export function trees(values: Record<string, Plain | Tree>): Record<string, Tree> {
  const isTree = (value: Plain | Tree): value is Tree =>
    typeof value === 'object' && value !== null && ['type', 'unknown', 'ref', 'sealed'].some(key => key in value)
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isTree(value) ? value : fromPlain(value as Plain)]))
}
