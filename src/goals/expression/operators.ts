/** `<op>`: comparison, arithmetic and logic. Source: docs/language.md, "Expressions and outcomes". */
import type { OpName, Place } from '../program/model.ts'
import type { Scalar, Tree } from '../tree.ts'
import { asNumber } from './convert.ts'
import { not } from './outcome.ts'
import { showTree, toPlain } from './plain.ts'
import type { Trace, Value } from './trace.ts'
import { missing, truth, unknown, wrong } from './trace.ts'

type Comparison = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le'
type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'mod'

const words: Readonly<Record<Comparison, readonly [holds: string, fails: string]>> = {
  eq: ['equal to', 'not equal to'],
  ne: ['not equal to', 'equal to'],
  gt: ['greater than', 'not greater than'],
  lt: ['less than', 'not less than'],
  ge: ['at least', 'less than'],
  le: ['at most', 'greater than']
}

/** A named operand: what it is called in reasons (`goal.size`), and its value. */
export interface Operand {
  readonly name: string | undefined
  readonly value: Value
}

/** One of the comparisons: numeric when both sides are numbers, of text otherwise. Undefined is equal to the empty text, and in no order. */
export function compare(name: Comparison, left: Operand, right: Operand, place: Place): Value {
  const a = left.value.tree
  const b = right.value.tree
  if (a?.unknown || b?.unknown) return truth('possible', place, `${show(a?.unknown ? left : right)} is not known yet`)
  const order = orderOf(a, b)
  const holds = order !== undefined && decide(name, order)
  return truth(holds ? 'true' : name === 'ne' && order === undefined ? 'true' : 'false', place, () => sentence(name, left, right, holds))
}

/** Negative, zero, positive; undefined where two values are different but in no order. */
function orderOf(a: Tree | undefined, b: Tree | undefined): number | undefined {
  const left = plainScalar(a)
  const right = plainScalar(b)
  if (left === undefined || right === undefined) return JSON.stringify(rawPlain(a)) === JSON.stringify(rawPlain(b)) ? 0 : undefined
  const x = asNumber(left)
  const y = asNumber(right)
  if (x !== undefined && y !== undefined) return x - y
  if (left === right || String(left) === String(right)) return 0
  if (isEmpty(a) || isEmpty(b)) return undefined
  return String(left) < String(right) ? -1 : 1
}

/** Undefined counts as the empty text; structs and lists are no scalars. */
function plainScalar(tree: Tree | undefined): Scalar | undefined {
  if (tree === undefined) return ''
  if (tree.fields !== undefined || tree.items !== undefined) return undefined
  return tree.value ?? ''
}

/** For comparing whole structs: types do not count. */
function rawPlain(tree: Tree | undefined): unknown {
  return tree === undefined ? null : toPlain({ ...tree, ...(tree.type === undefined ? {} : { type: 'struct' }) })
}

function isEmpty(tree: Tree | undefined): boolean {
  return tree === undefined || (tree.value === undefined && tree.fields === undefined && tree.items === undefined)
}

function decide(name: Comparison, order: number): boolean {
  switch (name) {
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
    case 'gt':
      return order > 0
    case 'lt':
      return order < 0
    case 'ge':
      return order >= 0
    case 'le':
      return order <= 0
  }
}

function sentence(name: Comparison, left: Operand, right: Operand, holds: boolean): string {
  const says = left.name === undefined ? showTree(left.value.tree) : `${left.name} is ${showTree(left.value.tree)},`
  return `${says}${left.name === undefined ? ' is' : ''} ${words[name][holds ? 0 : 1]} ${right.name === undefined ? '' : `${right.name}, which is `}${showTree(right.value.tree)}`
}

function show(operand: Operand): string {
  return operand.name ?? 'a value'
}

/** Numbers from left to right; `add` also joins texts. */
export function compute(trace: Trace, name: Arithmetic, operands: readonly Operand[], place: Place): Value {
  const values: Scalar[] = []
  for (const operand of operands) {
    const { tree } = operand.value
    if (tree?.unknown) return unknown(place, `${show(operand)} is not known yet`)
    if (tree?.value === undefined)
      return missing(place, `${show(operand)} is ${tree?.fields || tree?.items ? 'not a plain value' : 'undefined'}`)
    values.push(tree.value)
  }
  const numbers = values.map(asNumber)
  const odd = numbers.indexOf(undefined)
  if (odd !== -1) {
    if (name === 'add') return ofScalar(values.join(''), place)
    return wrong(trace, place, `${name}: ${operands[odd]!.name ?? 'an operand'} is not a number: '${showTree(operands[odd]!.value.tree)}'`)
  }
  const result = (numbers as number[]).reduce((total, number) => apply(name, total, number))
  if (!Number.isFinite(result)) return wrong(trace, place, `${name}: the result of ${numbers.join(', ')} is not a number`)
  return ofScalar(result, place)
}

function apply(name: Arithmetic, a: number, b: number): number {
  switch (name) {
    case 'add':
      return a + b
    case 'sub':
      return a - b
    case 'mul':
      return a * b
    case 'div':
      return a / b
    case 'mod':
      return a % b
  }
}

function ofScalar(value: Scalar, place: Place): Value {
  const isTrue = value !== 0 && value !== ''
  return { tree: { value }, outcome: isTrue ? 'true' : 'false', reasons: [{ place, text: `the result is ${value}` }] }
}

/** Whether a value is the number 0. Undefined is neither zero nor not zero. */
export function zero(name: 'isZero' | 'isNotZero', operand: Operand, place: Place): Value {
  const { tree } = operand.value
  if (tree?.unknown) return { ...truth('possible', place, ''), reasons: operand.value.reasons }
  if (tree?.value === undefined) return truth('false', place, `${show(operand)} is undefined`)
  const number = typeof tree.value === 'boolean' ? Number(tree.value) : asNumber(tree.value)
  const isZero = number === 0
  return truth(isZero === (name === 'isZero') ? 'true' : 'false', place, `${show(operand)} is ${showTree(tree)}`)
}

/** The opposite. */
export function negate(value: Value, place: Place): Value {
  const outcome = not(value.outcome)
  const { tree } = truth(outcome, place, '')
  return { ...(tree === undefined ? {} : { tree }), outcome, reasons: value.reasons }
}

/** Operators that compare. */
export function isComparison(name: OpName): name is Comparison {
  return Object.hasOwn(words, name)
}
