/** The statements of a method, in order. */
import type { Expression, Path, Statement, StatementBase } from './model.ts'
import { readCall } from './read-declaration.ts'
import { readCode, readEditFile, readPython, readWait } from './read-code.ts'
import { readConditions } from './read-expression.ts'
import type { Reading } from './reading.ts'
import { attribute, count, fail, ignoreText, isName, looping, needName, noteWrite, parts, unexpected, warn } from './reading.ts'
import { readBase, readShell } from './read-shell.ts'
import { readOperands, readPath, readTemplate } from './read-template.ts'
import { expressionElements, places, statementElements, topNames } from './vocabulary.ts'
import { elementsOf } from './xml.ts'
import type { XmlElement } from './xml.ts'

/** Most statements that one block runs at a time: each is a process. */
export const PARALLEL_MAX = 256

/** The statements in `element`, in order; children named in `except` belong to something else. */
export function readBody(reading: Reading, element: XmlElement, except: readonly string[] = ['describe']): Statement[] {
  ignoreText(reading, element)
  return readStatements(
    reading,
    parts(reading, element).filter(part => !except.includes(part.name)),
    element.name
  )
}

/** `list` as statements; those that are none are complained of as standing in `<inside>`. */
export function readStatements(reading: Reading, list: readonly XmlElement[], inside: string): Statement[] {
  return list.flatMap(part => readStatement(reading, part, inside) ?? [])
}

function readStatement(reading: Reading, element: XmlElement, inside: string): Statement | undefined {
  const { name } = element
  if (reading.goals.has(name) && !statementElements.has(name)) return readCallStatement(reading, element)
  if (!statementElements.has(name)) {
    return expressionElements.has(name)
      ? readCheck(reading, element)
      : unexpected(reading, element, inside, [...places.method, ...reading.goals])
  }
  switch (name) {
    case 'do':
    case 'task':
    case 'taskSequence':
      return { ...readBase(reading, element), kind: 'do', body: readBody(reading, element), parallel: readParallel(reading, element) }
    case 'find':
      return readFind(reading, element)
    case 'repeat':
      return readRepeat(reading, element)
    case 'shell':
      return readShell(reading, element)
    case 'tempFile':
      needName(reading, element)
      return { ...readBase(reading, element), kind: 'tempFile', text: readTemplate(reading, element, ['describe']) }
    case 'update':
      return readUpdate(reading, element)
    case 'code':
      return readCode(reading, element)
    case 'python':
      return isEncoding(element) ? readCheck(reading, element) : readPython(reading, element)
    case 'editFile':
      return readEditFile(reading, element)
    case 'wait':
      return readWait(reading, element)
    case 'snapshot':
      return { ...readBase(reading, element), kind: 'snapshot', name: needName(reading, element) }
    case 'goalCompleted':
      return readCallStatement(reading, element)
    default:
      return readCheck(reading, element)
  }
}

/** Older `<python name="urllib.quote_plus">` is an expression. */
function isEncoding(element: XmlElement): boolean {
  return attribute(element, 'name')?.startsWith('urllib.') === true
}

function readCallStatement(reading: Reading, element: XmlElement): Statement {
  const base = readBase(reading, element)
  const call = readCall(reading, element)
  // on <goalCompleted> name= is the goal's, not the statement's
  const { name: _, ...nameless } = base
  return { ...(element.name === 'goalCompleted' ? nameless : base), kind: 'call', call }
}

function readFind(reading: Reading, element: XmlElement): Statement {
  const symbol = needName(reading, element, 'symbol', '_')
  const symbolPlace = element.attributes.get('symbol')?.place ?? element.place
  if ((topNames as readonly string[]).includes(symbol)) fail(reading, symbolPlace, `symbol="${symbol}" would hide what ${symbol} means`)
  else if (!isName(symbol)) fail(reading, symbolPlace, `symbol="${symbol}" is not a name`)
  ignoreText(reading, element)
  const sources: Expression[] = []
  const body: Statement[] = []
  const parallel = readParallel(reading, element)
  const [reads, writes] = [reading.within?.reads.length ?? 0, reading.within?.writes.length ?? 0]
  for (const part of parts(reading, element)) {
    if (part.name === 'in') sources.push(...readConditions(reading, part))
    else if (part.name === 'do') body.push(...looping(reading, symbol, () => readBody(reading, part)))
    else if (part.name !== 'describe') unexpected(reading, part, 'find', ['in', 'do', 'describe'])
  }
  if (sources.length === 0) fail(reading, element.place, '<find> needs an <in> with a list')
  if (parallel > 1) checkRaces(reading, reads, writes)
  return { ...readBase(reading, element), kind: 'find', symbol, in: sources, body, parallel }
}

/** Items that are done at a time write the same variables: what one of them reads may be another's. */
function checkRaces(reading: Reading, reads: number, writes: number): void {
  const written = new Set(reading.within?.writes.slice(writes).flatMap(([top, name]) => (top === 'goal' ? [name] : [])))
  const told = new Set<unknown>()
  for (const { path, place } of reading.within?.reads.slice(reads) ?? []) {
    const [top, name] = path
    if (top !== 'goal' || !written.has(name) || told.has(name)) continue
    told.add(name)
    const why = `goal.${String(name)} is one for all items of the <find>, and each writes it: read here, it may be another item's`
    warn(reading, place, `${why}; make the body a goal of its own, or leave parallel out`)
  }
}

function readRepeat(reading: Reading, element: XmlElement): Statement | undefined {
  const counter = elementsOf(element).find(part => part.name === 'count')
  const amount = counter === undefined ? undefined : readOperands(reading, counter)[0]
  if (amount === undefined) return fail(reading, element.place, '<repeat> needs a <count>')
  const body = looping(reading, 'goal.repeat', () => readBody(reading, element, ['describe', 'count']))
  return { ...readBase(reading, element), kind: 'repeat', count: amount, body }
}

function readUpdate(reading: Reading, element: XmlElement): Statement | undefined {
  const base = readBase(reading, element)
  const place = parts(reading, element).find(part => part.name !== 'describe')
  if (place === undefined || !['set', 'get', 'rvalue'].includes(place.name)) {
    return fail(reading, element.place, '<update> needs a <set> with the path to write, then a value')
  }
  const target = readPath(reading, place)
  if (target !== undefined) noteWrite(reading, target)
  const rest = element.children.slice(element.children.indexOf(place) + 1)
  const value = updateValue(reading, { ...element, children: rest }, base)
  if (target === undefined || value === undefined) return undefined
  return writable(reading, target, place) ? { ...base, kind: 'update', target, value } : undefined
}

function updateValue(reading: Reading, rest: XmlElement, base: StatementBase): Expression | undefined {
  const complaints = reading.errors.length
  const operands = readOperands(reading, rest, ['describe'])
  // a value that is wrong is there all the same
  if (operands.length === 0 && reading.errors.length > complaints) return undefined
  if (operands.length === 0) return fail(reading, base.place, '<update> needs a value after the path')
  if (operands.length === 1) return operands[0]
  return { kind: 'string', parts: readTemplate({ ...reading, errors: [], warnings: [] }, rest, ['describe']), place: operands[0]!.place }
}

function writable(reading: Reading, path: Path, element: XmlElement): boolean {
  if (path[0] === 'host' || path[0] === 'peer' || path[0] === 'nodes') fail(reading, element.place, `${path[0]} cannot be written`)
  else if (path.length === 1 && (path[0] === 'goal' || path[0] === 'agent'))
    fail(reading, element.place, `${path[0]} cannot be written as a whole`)
  else return true
  return false
}

function readCheck(reading: Reading, element: XmlElement): Statement | undefined {
  const base = readBase(reading, { ...element, attributes: new Map(), children: element.name === 'pre' ? element.children : [] })
  if (element.name !== 'pre') {
    const expression = reading.expression(element)
    return expression && { ...base, kind: 'check', expression }
  }
  const operands = readConditions(reading, element)
  if (operands.length === 0) return undefined
  const expression: Expression = operands.length === 1 ? operands[0]! : { kind: 'op', name: 'and', operands, place: element.place }
  return { ...base, kind: 'check', expression }
}

function readParallel(reading: Reading, element: XmlElement): number {
  const parallel = count(reading, element, 'parallel', 1, 1)
  if (parallel <= PARALLEL_MAX) return parallel
  fail(reading, element.attributes.get('parallel')!.place, `parallel="${attribute(element, 'parallel')}" is more than ${PARALLEL_MAX}`)
  return PARALLEL_MAX
}
