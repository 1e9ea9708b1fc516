/** A correction by chance, made to the product and to the oracle alike. */
import fc from 'fast-check'
import type { StepDecision } from '../../../src/goals/pursuit/events.ts'
import type { Tree } from '../../../src/goals/tree.ts'
import type { Machine } from './machine.ts'
import type { Oracle } from './oracle.ts'
import { type Goal, pick, postPath } from './program.ts'

export const correctionGenes = fc.record({
  kind: fc.nat({ max: 999 }),
  a: fc.nat({ max: 999 }),
  b: fc.nat({ max: 999 }),
  mends: fc.boolean()
})
export type CorrectionGenes = typeof correctionGenes extends fc.Arbitrary<infer T> ? T : never

/** As a `repaired` event holds it; `edits`: the program is another one. */
export interface Correction {
  readonly told: string
  readonly assignments: Readonly<Record<string, Tree>>
  readonly decisions?: readonly StepDecision[]
  readonly method?: { readonly instance: string; readonly method: string }
  readonly edits?: true
}

/** Tells the oracle, and says what a person would have said. The machines learn of what changed outside. */
export function correct(genes: CorrectionGenes, program: readonly Goal[], oracle: Oracle, machines: readonly Machine[]): Correction {
  const when = oracle.tick()
  const correction = chosen(genes, program, oracle, machines, when)
  const { assignments, told, ...more } = correction
  if (Object.keys(assignments).length === 0 && Object.keys(more).length === 0) oracle.goOn(when)
  return correction
}

function chosen(genes: CorrectionGenes, program: readonly Goal[], oracle: Oracle, machines: readonly Machine[], when: number): Correction {
  const { kind, a, b, mends } = genes
  const failed = oracle.failed ?? ''
  const done = [...oracle.steps].filter(([, step]) => step.done).map(([id]) => id)
  const instances = [...oracle.goals.keys()]
  const decide = (step: string, verdict: StepDecision['verdict'], more: object = {}): Correction => ({
    told: `${verdict} ${step}`,
    assignments: {},
    decisions: [{ step, verdict, ...more }]
  })
  const mend = (): void => {
    for (const machine of machines) machine.bad = undefined
  }
  if (mends) mend()
  const turn = kind % 12
  if (turn <= 3) {
    const instance = pick(instances, a)
    const name = turn === 3 ? 'list' : pick(['x', 'y', 'v'], b)
    const value = name === 'list' ? ['p', `new${b % 2}`] : `set${b % 5}`
    oracle.sets.set(`${instance}:goal.${name}`, { value, when })
    const tree: Tree = typeof value === 'string' ? { value } : { items: value.map(each => ({ value: each })) }
    return { told: `set ${instance}:goal.${name}=${String(value)}`, assignments: { [`${instance}:goal.${name}`]: tree } }
  }
  if (turn === 4 && failed !== '') {
    oracle.decisions.set(failed, { when, verdict: 'skip' })
    return decide(failed, 'skip')
  }
  if (turn === 5 && failed !== '') {
    const name = failed.slice(failed.lastIndexOf('/') + 1)
    oracle.decisions.set(failed, { when, verdict: 'done', stdout: `hand${b % 2}` })
    return decide(failed, 'done', { writes: [{ path: `goal.${name}`, value: { fields: { stdout: { value: `hand${b % 2}` } } } }] })
  }
  if (turn === 6 && done.length > 0) {
    const step = pick(done, a)
    const id = step.slice(step.lastIndexOf('/') + 1)
    if (b % 2 > 0) for (const machine of machines) machine.changed.set(id, (machine.changed.get(id) ?? 0) + 1)
    oracle.decisions.set(step, { when, verdict: 'again' })
    return decide(step, 'again')
  }
  if (turn === 7 && done.length > 0) {
    const step = pick(done, a)
    oracle.from = { since: oracle.steps.get(step)!.began, when }
    return decide(step, 'from')
  }
  if (turn === 8 && done.length > 0) {
    const sends = done.map(step => step.slice(step.lastIndexOf('/') + 1)).filter(id => id.startsWith('s'))
    if (sends.length > 0) {
      oracle.edits = new Map([...oracle.edits, [pick(sends, a), ` e${b % 3}`]])
      return { told: `edit ${pick(sends, a)}`, assignments: {}, edits: true }
    }
  }
  if (turn === 9) {
    const others = instances.filter(id => program[levelOf(id)]!.methods.n !== undefined)
    if (others.length > 0) {
      const instance = pick(others, a)
      oracle.preferred.set(instance, 'n')
      return { told: `method n of ${instance}`, assignments: {}, method: { instance, method: 'n' } }
    }
  }
  if (turn === 10) {
    const gone = pick([...machines[0]!.there, postPath(1, 'k0')], a)
    for (const machine of machines) machine.there.delete(gone)
    return { told: `gone ${gone}`, assignments: {} }
  }
  mend()
  return { told: 'retry', assignments: {} }
}

/** Which of the goals an instance is: `g0/m>g2.2` is 2. */
export function levelOf(instance: string): number {
  return Number(/g(\d+)[^>]*$/.exec(instance)?.[1])
}
