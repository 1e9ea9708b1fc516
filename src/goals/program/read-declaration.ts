/** `<variable>`, `<struct>`, `<list>`, and sub-goal calls, whose arguments are declarations. */
import { convert, isSecretType } from '../expression/convert.ts'
import type { Declaration, GoalCall, Path } from './model.ts'
import type { Reading } from './reading.ts'
import { attribute, fail, flag, ignoreText, needName, noteRead, parts, unexpected } from './reading.ts'
import { readAttributeTemplate, readPath, readValue, textPlace } from './read-template.ts'
import type { XmlElement } from './xml.ts'

const MEMBERS = ['variable', 'struct', 'list'] as const

/** Whether `element` declares a variable, struct or list. */
export function isDeclaration(element: XmlElement): boolean {
  return (MEMBERS as readonly string[]).includes(element.name)
}

/** One declaration. Elements of a list need no name. */
export function readDeclaration(reading: Reading, element: XmlElement, inList = false): Declaration {
  const name = inList ? (attribute(element, 'name') ?? '') : needName(reading, element)
  if (/[.[\]\s]|^__proto__$/.test(name))
    fail(reading, element.attributes.get('name')!.place, `'${name}' cannot be the name of a ${element.name}`)
  const type = attribute(element, 'type')
  const base = { name, ...(type === undefined ? {} : { type }), place: element.place }
  if (element.name === 'variable') {
    const value = readValue(reading, element)
    checkFits(reading, element, type, value.length === 1 && value[0]!.kind === 'text' ? value[0]!.text : undefined)
    return { ...base, kind: 'variable', value, members: [] }
  }
  ignoreText(reading, element)
  const isList = element.name === 'list'
  const members: Declaration[] = []
  let copyOf: Path | undefined
  for (const part of parts(reading, element)) {
    if (isDeclaration(part)) members.push(readDeclaration(reading, part, isList))
    else if (!isList && (part.name === 'get' || part.name === 'rvalue')) {
      copyOf = readPath(reading, part)
      if (copyOf !== undefined) noteRead(reading, copyOf, part.place)
    } else if (isList && part.name === 'get') members.push(listElement(reading, part))
    else unexpected(reading, part, element.name, MEMBERS)
  }
  complainOfTwins(reading, members)
  return { ...base, kind: isList ? 'list' : 'struct', value: [], members, ...(copyOf === undefined ? {} : { copyOf }) }
}

/** Two members of one name: the later would silently win. */
export function complainOfTwins(reading: Reading, members: readonly Declaration[]): void {
  const seen = new Map<string, Declaration>()
  for (const member of members) {
    const twin = seen.get(member.name)
    if (twin !== undefined && member.name !== '')
      fail(reading, member.place, `${member.name} is already declared on line ${twin.place.line}`)
    seen.set(member.name, member)
  }
}

function listElement(reading: Reading, element: XmlElement): Declaration {
  const expression = reading.expression(element)
  return { kind: 'variable', name: '', value: expression === undefined ? [] : [expression], members: [], place: element.place }
}

function checkFits(reading: Reading, element: XmlElement, type: string | undefined, text: string | undefined): void {
  if (text === undefined || type === undefined) return
  const result = convert(text, type)
  if ('misfit' in result)
    fail(
      reading,
      textPlace(element),
      `${attribute(element, 'name') ?? element.name}: ${isSecretType(type) ? 'does not fit' : result.misfit}`
    )
}

/** `<goalCompleted name="g">` or `<g>`: the goal's name, its arguments, and where it is pursued. */
export function readCall(reading: Reading, element: XmlElement): GoalCall {
  const goal = element.name === 'goalCompleted' ? needName(reading, element) : element.name
  ignoreText(reading, element)
  const args: Declaration[] = []
  for (const part of parts(reading, element)) {
    if (isDeclaration(part)) args.push(readDeclaration(reading, part))
    else if (part.name !== 'describe') unexpected(reading, part, element.name, MEMBERS)
  }
  complainOfTwins(reading, args)
  const peer = readAttributeTemplate(reading, element, 'peer')
  const where = attribute(element, 'where')
  if (peer !== undefined && where !== undefined)
    fail(reading, element.attributes.get('where')!.place, 'peer= and where= exclude each other')
  return {
    goal,
    arguments: args,
    again: flag(reading, element, 'again'),
    ...(peer === undefined ? {} : { peer }),
    ...(where === undefined ? {} : { where }),
    place: element.place
  }
}
