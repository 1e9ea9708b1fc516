/** One expression element. */
import { didYouMean } from './did-you-mean.ts'
import type { Expression, OpName } from './model.ts'
import { readCall } from './read-declaration.ts'
import type { Reading } from './reading.ts'
import { attribute, choice, fail, flag, ignoreText, needName, noteRead, noteWrite } from './reading.ts'
import { readBase, readShell } from './read-shell.ts'
import { readOperands, readPath, readTemplate } from './read-template.ts'
import { elements, laterElements, places } from './vocabulary.ts'
import type { XmlElement } from './xml.ts'

/** Operators with how many operands they take. */
const operators: Readonly<Record<OpName, readonly [least: number, most: number]>> = {
  eq: [2, 2],
  ne: [2, 2],
  gt: [2, 2],
  lt: [2, 2],
  ge: [2, 2],
  le: [2, 2],
  add: [2, 64],
  sub: [2, 64],
  mul: [2, 64],
  div: [2, 64],
  mod: [2, 64],
  and: [1, Number.POSITIVE_INFINITY],
  or: [1, Number.POSITIVE_INFINITY],
  not: [1, 1],
  isZero: [1, 1],
  isNotZero: [1, 1]
}

/** Reads one element as an expression; complains and gives undefined when it is none. */
export function readExpression(reading: Reading, element: XmlElement): Expression | undefined {
  const { place } = element
  switch (element.name) {
    case 'get':
    case 'rvalue':
      return readGet(reading, element)
    case 'set': {
      const path = readPath(reading, element)
      if (path !== undefined) noteWrite(reading, path)
      return path && { kind: 'set', path, place }
    }
    case 'string':
      return { kind: 'string', parts: readTemplate(reading, element), place }
    case 'int':
    case 'bool':
      return { kind: 'convert', to: element.name, parts: readTemplate(reading, element), place }
    case 'op':
      return readOp(reading, element)
    case 'defined':
      return readDefined(reading, element)
    case 'fileTest':
      return {
        kind: 'fileTest',
        test: choice(reading, element, 'type', ['exists', 'file', 'directory', 'executable']) ?? 'exists',
        path: readFilePath(reading, element),
        place
      }
    case 'pathExists':
      return { kind: 'fileTest', test: 'exists', path: readFilePath(reading, element), place }
    case 'shell':
      return {
        kind: 'shell',
        value: choice(reading, element, 'value', ['returnCode', 'isZero', 'stdout']) ?? 'isZero',
        pure: flag(reading, element, 'pure'),
        shell: readShell(reading, element),
        place
      }
    case 'urlEncode':
      return { kind: 'urlEncode', parts: readTemplate(reading, element), place }
    case 'secret':
      return readSecret(reading, element)
    case 'env':
      return { kind: 'env', name: needName(reading, element), place }
    case 'now':
    case 'uuid':
      ignoreText(reading, element)
      return { kind: element.name, place }
    default:
      return readOther(reading, element)
  }
}

/** Several expressions, of which there must be one at least: all of `<pre>`, `<post>`, `<in>`. */
export function readConditions(reading: Reading, element: XmlElement): Expression[] {
  const found: Expression[] = []
  for (const operand of readOperands(reading, element)) {
    if (operand.kind === 'text')
      fail(
        reading,
        operand.place,
        `text in <${element.name}> is not an expression${/^[\w.[\]]+$/.test(operand.text) ? `: write <get>${operand.text}</get>` : ''}`
      )
    else found.push(operand)
  }
  return found
}

/** `<secret from="env">NAME</secret>`: of a command the text is the author's own, since a shell reads it. */
function readSecret(reading: Reading, element: XmlElement): Expression | undefined {
  const { place } = element
  needName(reading, element, 'from')
  const from = choice(reading, element, 'from', ['env', 'file', 'command'])
  const parts = readOperands(reading, element)
  if (parts.length === 0) return fail(reading, place, '<secret> needs the name of a variable, a path or a command')
  const value = parts.find(part => part.kind !== 'text')
  if (from === 'command' && value !== undefined)
    return fail(reading, value.place, '<secret from="command"> takes plain text: a shell reads it')
  return from && { kind: 'secret', from, parts, place }
}

function readOther(reading: Reading, element: XmlElement): Expression | undefined {
  const { name, place } = element
  if (name === 'goalCompleted' || reading.goals.has(name)) {
    const call = readCall(reading, element)
    const said = ['onFail', 'retries', 'timeout', 'debug'].some(policy => element.attributes.has(policy))
    return { kind: 'completed', call: said ? { ...call, policy: readBase(reading, element) } : call, place }
  }
  if (name === 'python' && attribute(element, 'name')?.startsWith('urllib.'))
    return { kind: 'urlEncode', parts: readTemplate(reading, element), place }
  if (laterElements.has(name)) return fail(reading, place, `<${name}> is not supported yet`)
  if (Object.hasOwn(elements, name)) return fail(reading, place, `<${name}> cannot stand where an expression is needed`)
  // not a warning: leaving out an operand would change what the program means
  return fail(
    reading,
    place,
    `unknown element <${name}> where an expression is needed${didYouMean(name, [...places.expression, ...reading.goals], near => `<${near}>`)}`
  )
}

function readGet(reading: Reading, element: XmlElement): Expression | undefined {
  const path = readPath(reading, element)
  if (path !== undefined) noteRead(reading, path, element.place)
  const quote = choice(reading, element, 'quote', ['shell', 'none'])
  const as = choice(reading, element, 'as', ['env'])
  if (quote !== undefined && as !== undefined) fail(reading, element.attributes.get('as')!.place, 'quote= and as= exclude each other')
  return path && { kind: 'get', path, ...(quote === undefined ? {} : { quote }), ...(as === undefined ? {} : { as }), place: element.place }
}

function readOp(reading: Reading, element: XmlElement): Expression | undefined {
  const { place } = element
  const name = needName(reading, element)
  if (name === '') return undefined
  if (!Object.hasOwn(operators, name)) {
    return fail(reading, element.attributes.get('name')!.place, `there is no operator ${name}${didYouMean(name, Object.keys(operators))}`)
  }
  const operands = readOperands(reading, element)
  const [least, most] = operators[name as OpName]
  if (operands.length < least || operands.length > most) {
    const expected = least === most ? `${least}` : `at least ${least}`
    const words = operands.some(operand => operand.kind === 'text' && /\s/.test(operand.text))
    const hint = operands.length < least && words ? ': a text is one operand, put each into <int> or <string>' : ''
    return fail(reading, place, `<op name="${name}"> takes ${expected} operand${least === 1 ? '' : 's'}, not ${operands.length}${hint}`)
  }
  return { kind: 'op', name: name as OpName, operands, place }
}

function readDefined(reading: Reading, element: XmlElement): Expression | undefined {
  const { place } = element
  const found = readConditions(reading, element)
  const all = found.map((of): Expression => ({ kind: 'defined', of, place: of.place }))
  if (all.length === 0) return fail(reading, place, '<defined> needs an expression')
  return all.length === 1 ? { ...all[0]!, place } : { kind: 'op', name: 'and', operands: all, place }
}

function readFilePath(reading: Reading, element: XmlElement): readonly Expression[] {
  const path = readOperands(reading, element)
  if (path.length === 0) fail(reading, element.place, `<${element.name}> needs a path`)
  return path
}
