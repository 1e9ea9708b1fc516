/**
 * Expressions → values and outcomes. Pure: what is not in the scope is asked for (`wanted`), never looked up.
 * Source: docs/language.md, "Expressions and outcomes".
 */
import { didYouMean } from '../program/did-you-mean.ts'
import type { Expression, OpName, Path, Place, Template } from '../program/model.ts'
import type { Tree } from '../tree.ts'
import { fileOf, isArtifact } from './artifacts.ts'
import { convert, isSecretType, isTrueScalar } from './convert.ts'
import { factValue, fileTest, goalCompleted, literalFileTest, shellValue, stateValue } from './facts.ts'
import { compare, compute, isComparison, negate, type Operand, zero } from './operators.ts'
import { and, or } from './outcome.ts'
import { showPath } from './path.ts'
import { isDefined, isTrue, maskSecrets, showTree } from './plain.ts'
import { shellQuote } from './shell-text.ts'
import type { ExprResult, Outcome, Reason, Scope } from './result.ts'
import { reveal } from './secrets.ts'
import type { Trace, Value } from './trace.ts'
import { because, missing, newTrace, noteRead, textOfScalar, truth, unknown, wrong } from './trace.ts'

/** The value and outcome of one expression. Never throws for anything that the program or a value does. */
export function evaluate(expression: Expression, scope: Scope): ExprResult {
  const trace = newTrace(scope, evaluatePart)
  return result(trace, evaluatePart(expression, trace))
}

/** All of `expressions`, ANDed: true when there are none. */
export function conjunction(expressions: readonly Expression[], scope: Scope): ExprResult {
  const trace = newTrace(scope, evaluatePart)
  return result(trace, combine(expressions, trace, 'and', expressions[0]?.place ?? { file: '', line: 0, col: 0 }))
}

function result(trace: Trace, value: Value): ExprResult {
  const { reads, wanted, calls, errors } = trace
  const { tree, outcome, reasons } = value
  if (tree === undefined) return { outcome, reasons, reads, wanted, calls, errors }
  return { tree, outcome, reasons, reads, wanted, calls, errors }
}

/** The value of one expression within an evaluation under way. */
export function evaluatePart(expression: Expression, trace: Trace): Value {
  const { place } = expression
  switch (expression.kind) {
    case 'text':
      return { tree: { value: expression.text }, outcome: isTrueScalar(expression.text) ? 'true' : 'false', reasons: NONE }
    case 'get':
    case 'set':
      return get(expression.path, place, trace)
    case 'string':
      return join(expression.parts, place, trace)
    case 'convert':
      return toType(expression.to, expression.parts, place, trace)
    case 'op':
      return operate(expression.name, expression.operands, place, trace)
    case 'defined':
      return defined(expression.of, place, trace)
    case 'fileTest': {
      const [only, more] = expression.path
      if (only?.kind === 'text' && more === undefined) return literalFileTest(expression, only.text, trace)
      return fileTest(expression.test, inPlace(join(expression.path, place, trace), place, 'the file', trace), place, trace)
    }
    case 'shell':
      return shellValue(expression, trace)
    case 'completed':
      return goalCompleted(expression.call, trace)
    case 'secret':
      return secretReference(expression, trace)
    case 'env':
      return factValue(trace, { kind: 'env', name: expression.name }, `the environment variable ${expression.name}`, place)
    case 'now':
    case 'uuid':
      return factValue(trace, { kind: expression.kind, at: `${place.file}:${place.line}:${place.col}` }, expression.kind, place)
    case 'urlEncode': {
      const value = join(expression.parts, place, trace)
      return value.tree?.value === undefined ? value : { ...value, tree: { value: percentEncode(textOfScalar(value.tree.value)) } }
    }
  }
}

/** Where a secret comes from; it is looked up when it is used. */
function secretReference({ from, parts, place }: Extract<Expression, { kind: 'secret' }>, trace: Trace): Value {
  const value = join(parts, place, trace)
  if (value.tree?.value === undefined) return value
  return { tree: { type: 'secret', sealed: `${from}:${textOfScalar(value.tree.value).trim()}` }, outcome: 'true', reasons: NONE }
}

const NONE: readonly Reason[] = []

function get(path: Path, place: Place, trace: Trace): Value {
  const name = showPath(path)
  if (path[0] === 'nodes') return stateValue(trace, name, place)
  const tree = look(path, name, trace)
  if (tree !== undefined) return ofTree(tree, name, place)
  const names = trace.scope.names()
  const top = String(path[0])
  return names.includes(top)
    ? missing(place, `${name} is undefined`)
    : wrong(trace, place, `nothing is called ${top}${didYouMean(top, names)}`)
}

/** The node at `path`, noted as read. */
function look(path: Path, name: string, trace: Trace): Tree | undefined {
  const tree = trace.scope.read(path)
  noteRead(trace, name, tree === undefined ? EMPTY : maskSecrets(tree))
  return tree
}

const EMPTY: Tree = {}

/** A tree that was found under `name`. */
function ofTree(tree: Tree, name: string, place: Place): Value {
  if (tree.unknown) return { tree, outcome: 'possible', reasons: [{ place, text: `${name} is not known yet` }] }
  if (tree.sealed === undefined && tree.value === undefined) {
    const known = isDefined(tree)
    if (known === 'false') return missing(place, `${name} is undefined`)
    if (known === 'possible') return { tree, outcome: 'possible', reasons: [{ place, text: `${name} is not known yet` }] }
  }
  const holds = tree.sealed !== undefined || isTrue(tree)
  return { tree, outcome: holds ? 'true' : 'false', reasons: because(place, () => `${name} is ${showTree(tree)}`) }
}

/** Texts and values side by side. One that is undefined or unknown makes the whole so. */
export function join(parts: Template, place: Place, trace: Trace): Value {
  let text = ''
  let secret = false
  let not: Value | undefined
  for (const part of parts) {
    if (part.kind === 'text') {
      text += part.text
      continue
    }
    const value = evaluatePart(part, trace)
    const { tree } = value
    if (tree?.unknown) not ??= unknown(part.place, value.reasons[0]?.text ?? 'a value is not known yet')
    else if (isArtifact(tree)) {
      // With nothing beside it, it is still the file, and not yet a text.
      if (parts.length === 1) return value
      const found = inPlace(value, part.place, nameOf(part) ?? 'a value', trace)
      if (found.tree?.value === undefined) not ??= found
      else text += quoted(part, textOfScalar(found.tree.value))
    } else if (tree?.value !== undefined) text += quoted(part, textOfScalar(tree.value))
    else if (tree?.fields !== undefined || tree?.items !== undefined)
      not = wrong(trace, part.place, `${nameOf(part) ?? 'a value'} is a ${tree.items ? 'list' : 'struct'}, not text`)
    else if (tree?.sealed !== undefined) {
      const found = opened(tree, part.place, nameOf(part) ?? 'a value', trace)
      if (found.tree?.value === undefined) not ??= found
      else text += textOfScalar(found.tree.value)
    } else not = { outcome: 'false', reasons: value.reasons }
    secret ||= tree?.sealed !== undefined || isSecretType(tree?.type)
  }
  if (not !== undefined) return not
  const tree: Tree = secret ? { type: 'secret', value: text } : { value: text }
  return {
    tree,
    outcome: isTrueScalar(text) ? 'true' : 'false',
    reasons: [{ place, text: `the text is '${secret ? '***' : shorten(text)}'` }]
  }
}

/** A text that is put together for a shell may quote its values, once for each shell that will read it. */
function quoted(part: Expression, text: string): string {
  return part.kind === 'get' && part.quote === 'shell' ? shellQuote(text) : text
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function toType(to: 'int' | 'bool', parts: Template, place: Place, trace: Trace): Value {
  const solid = parts.filter(part => part.kind !== 'text' || part.text.trim() !== '')
  const only = solid.length === 1 ? solid[0]! : undefined
  const value = only !== undefined ? evaluatePart(only, trace) : join(solid, place, trace)
  if (value.tree?.unknown) return value
  if (to === 'bool')
    return truth(
      isTrue(value.tree?.value === undefined ? value.tree : { value: String(value.tree.value).trim() }) ? 'true' : 'false',
      place,
      value.reasons[0]?.text ?? `<bool> of ${showTree(value.tree ?? {})}`
    )
  if (value.tree?.value === undefined) return value
  const number = convert(value.tree.value, 'int')
  if ('misfit' in number) return wrong(trace, place, number.misfit)
  return { tree: { type: 'int', value: number.value }, outcome: number.value === 0 ? 'false' : 'true', reasons: value.reasons }
}

function operate(name: OpName, operands: readonly Expression[], place: Place, trace: Trace): Value {
  if (name === 'and' || name === 'or') return combine(operands, trace, name, place)
  if (name === 'not') return negate(evaluatePart(operands[0]!, trace), place)
  if (isComparison(name)) return compare(name, operand(operands[0]!, trace), operand(operands[1]!, trace), place)
  if (name === 'isZero' || name === 'isNotZero') return zero(name, operand(operands[0]!, trace), place)
  return compute(
    trace,
    name,
    operands.map(each => operand(each, trace)),
    place
  )
}

/**
 * AND or OR of all. The operands after a deciding one are still read, so that all that is missing is told at once,
 * but they ask for no facts, start no shells and their errors do not count. In a plan an operand of OR that is not known yet may turn
 * out to be deciding: then it is not known whether the errors after it count.
 */
function combine(operands: readonly Expression[], trace: Trace, name: 'and' | 'or', place: Place): Value {
  const deciding: Outcome = name === 'and' ? 'false' : 'true'
  const before = trace.decided
  let outcome: Outcome = name === 'and' ? 'true' : 'false'
  const reasons: Readonly<Record<Outcome, Reason[]>> = { true: [], false: [], possible: [] }
  let errors: number | undefined
  for (const each of operands) {
    if (name === 'or' && outcome === 'possible' && trace.scope.inPlan) errors ??= trace.errors.length
    const value = evaluatePart(each, trace)
    outcome = name === 'and' ? and(outcome, value.outcome) : or(outcome, value.outcome)
    reasons[value.outcome].push(...value.reasons)
    if (outcome === deciding) trace.decided = true
  }
  trace.decided = before
  if (errors !== undefined) trace.errors.length = errors
  return { ...truth(outcome, place, ''), reasons: reasons[outcome] }
}

function defined(of: Expression, place: Place, trace: Trace): Value {
  const value = evaluatePart(of, trace)
  const outcome = isDefined(value.tree)
  const name = nameOf(of) ?? 'the value'
  return truth(outcome, place, `${name} is ${outcome === 'true' ? 'defined' : outcome === 'false' ? 'undefined' : 'not known yet'}`)
}

/** Operators make reasons of their own: for what is simply there, none is made here. */
function operand(expression: Expression, trace: Trace): Operand {
  if (expression.kind === 'get' && expression.path[0] !== 'nodes') {
    const name = showPath(expression.path)
    const tree = look(expression.path, name, trace)
    if (tree?.value !== undefined) return { name, value: { tree, outcome: 'true', reasons: NONE } }
  }
  const value = evaluatePart(expression, trace)
  const name = nameOf(expression)
  return { name, value: value.tree?.sealed === undefined ? value : opened(value.tree, expression.place, name ?? 'the secret', trace) }
}

/** The path of a file instead of what is in it; anything else as it is. */
function inPlace(value: Value, place: Place, name: string, trace: Trace): Value {
  if (!isArtifact(value.tree)) return value
  const found = fileOf(value.tree, trace)
  if ('later' in found) return unknown(place, `${name} is not here yet`)
  if ('why' in found) return wrong(trace, place, `${name} cannot be had: ${found.why}`)
  return { tree: { type: 'localFilePath', value: found.path }, outcome: 'true', reasons: NONE }
}

/** The secret that `tree` stands for, still of a secret type. */
function opened(tree: Tree, place: Place, name: string, trace: Trace): Value {
  const found = reveal(tree, trace)
  if ('later' in found) return unknown(place, `${name} is a secret, which is not looked up yet`)
  if ('why' in found) return wrong(trace, place, `the secret ${name} cannot be had now: ${found.why}`)
  const secret: Tree = { type: tree.type ?? 'secret', value: found.secret }
  return { tree: secret, outcome: isTrueScalar(found.secret) ? 'true' : 'false', reasons: NONE }
}

/** What an expression is called in a sentence: a path by itself, anything else by its element. */
export function nameOf(expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'get':
    case 'set':
      return showPath(expression.path)
    case 'shell':
      return `the ${expression.value} of the shell`
    case 'text':
      return undefined
    default:
      return `<${expression.kind === 'convert' ? expression.to : expression.kind}>`
  }
}

/** RFC 3986: everything but letters, digits and `- . _ ~`. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
