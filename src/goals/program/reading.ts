/** What the readers of all parts of a program share: complaints, the goals' names, and the careful ways to look at an element. */
import { didYouMean } from './did-you-mean.ts'
import type { PathsOf } from './check-paths.ts'
import type { Complaint, Expression, Path, Place } from './model.ts'
import { commonAttributes, elements, laterAttributes, laterElements, statementElements } from './vocabulary.ts'
import type { XmlElement, XmlText } from './xml.ts'
import { elementsOf } from './xml.ts'

/** One reading of one program. */
export interface Reading {
  readonly errors: Complaint[]
  readonly warnings: Complaint[]
  readonly notes: Complaint[]
  /** Unknown elements and attributes are errors. */
  readonly strict: boolean
  /** Names of all goal prototypes: `<g>` is a sub-goal when g is one. */
  readonly goals: ReadonlySet<string>
  /** What {@link parts} gave: elements are looked at for descriptions, for documents, for statements. */
  readonly parts: Map<XmlElement, readonly XmlElement[]>
  /** Paths in each goal and method, as they are met. */
  readonly paths: PathsOf[]
  /** Those of what is being read; undefined outside of goals and methods. */
  within: PathsOf | undefined
  /** The agent that is being read. */
  agent: string | undefined
  /** Names that the loops around here give. */
  symbols: readonly string[]
  /** Name of the log file for the sends that follow, in document order. */
  label: string | undefined
  /** Reads one expression; complains and gives undefined when it is none. Here because expressions contain everything else. */
  expression(element: XmlElement): Expression | undefined
}

/** A path whose value is asked for. */
export function noteRead({ within, symbols }: Reading, path: Path, place: Place): void {
  within?.reads.push({ path, place, symbols })
}

/** A place that is written, or the result of a step. */
export function noteWrite({ within }: Reading, path: Path): void {
  within?.writes.push(path)
}

/** Reads a goal, or a method for it, noting its paths. */
export function inside<T>(reading: Reading, goal: string, read: () => T): T {
  const outer = reading.within
  reading.within = { goal, agent: reading.agent, reads: [], writes: [] }
  reading.paths.push(reading.within)
  const made = read()
  reading.within = outer
  return made
}

/** Reads the body of a loop that gives `symbol`. */
export function looping<T>(reading: Reading, symbol: string, read: () => T): T {
  const outer = reading.symbols
  reading.symbols = [...outer, symbol]
  const made = read()
  reading.symbols = outer
  return made
}

/** Goes on reading, so that one run reports all faults. */
export function fail(reading: Reading, place: Place, message: string): undefined {
  reading.errors.push({ place, message })
}

/** A fault that does not stop the program, unless it is read strictly. */
export function warn(reading: Reading, place: Place, message: string): undefined {
  if (reading.strict) fail(reading, place, message)
  else reading.warnings.push({ place, message })
}

/** Older programs comment out by renaming; `enabled="false"` is the plain way. */
export function isOff(element: XmlElement): boolean {
  const enabled = element.attributes.get('enabled')?.value.trim()
  return enabled === 'false' || isOffName(element.name)
}

/** `DISABLE-pre`, `shell_DISABLED`, `send_disabled`, `x-DISABLED`. */
export function isOffName(name: string): boolean {
  return /^disabled?[-_]|[-_]disabled?$/i.test(name)
}

/** Child elements that are switched on, `<state>` flattened; attributes of each are checked. */
export function parts(reading: Reading, element: XmlElement): readonly XmlElement[] {
  const known = reading.parts.get(element)
  if (known !== undefined) return known
  const found = elementsOf(element).flatMap(child => {
    if (isOff(child)) return []
    if (child.name === 'state') return parts(reading, child)
    checkAttributes(reading, child)
    return [child]
  })
  reading.parts.set(element, found)
  return found
}

/**
 * `debug="true"` on the element, or on what is evaluated with it: of a step everything in it, of a goal or a method its
 * requirements, guards and post. Statements in it speak for themselves.
 */
export function debugOf(element: XmlElement): { readonly debug?: true } {
  // most programs are not looked at so closely, and texts are searched faster than trees
  if (!element.source.includes('debug')) return {}
  const traced = (each: XmlElement): boolean =>
    each.attributes.get('debug')?.value.trim() === 'true' ||
    elementsOf(each).some(
      part => !isOff(part) && part.name !== 'method' && (part.name === 'pre' || !statementElements.has(part.name)) && traced(part)
    )
  return traced(element) ? { debug: true } : {}
}

/** Children for a template: texts and the elements that are switched on. */
export function mixedParts(reading: Reading, element: XmlElement): (XmlElement | XmlText)[] {
  return element.children.filter(child => {
    if (child.kind === 'text') return true
    if (isOff(child)) return false
    checkAttributes(reading, child)
    return true
  })
}

/** Complains of the attributes of `element` that it does not have. */
export function checkAttributes(reading: Reading, element: XmlElement): void {
  if (element.attributes.size === 0) return
  const known = elements[element.name]
  if (known === undefined) return
  for (const [name, { place }] of element.attributes) {
    if (known.includes(name) || (commonAttributes as readonly string[]).includes(name) || /^(xml(ns)?|xsi)(:|$)/.test(name)) continue
    if (laterAttributes.has(name)) fail(reading, place, `${name}= on <${element.name}> is not supported yet`)
    else warn(reading, place, `<${element.name}> has no attribute ${name}${didYouMean(name, [...known, 'enabled'])}`)
  }
}

/** Complains about an element that has no business here. `allowed` is what has. */
export function unexpected(reading: Reading, element: XmlElement, inside: string, allowed: Iterable<string>): undefined {
  const { name, place } = element
  if (laterElements.has(name)) return fail(reading, place, `<${name}> is not supported yet`)
  if (Object.hasOwn(elements, name)) return fail(reading, place, `<${name}> cannot stand in <${inside}>`)
  return warn(reading, place, `unknown element <${name}> in <${inside}> is ignored${didYouMean(name, allowed, near => `<${near}>`)}`)
}

/** Warns of text where only elements count. */
export function ignoreText(reading: Reading, element: XmlElement): void {
  for (const child of element.children) {
    if (child.kind === 'text' && child.text.trim() !== '') warn(reading, child.place, `text in <${element.name}> is ignored`)
  }
}

/** An attribute's value without surrounding white space; undefined when absent or blank. */
export function attribute(element: XmlElement, name: string): string | undefined {
  const value = element.attributes.get(name)?.value.trim()
  return value === '' ? undefined : value
}

/** A name that is needed. Complains and gives `fallback` when it is not there. */
export function needName(reading: Reading, element: XmlElement, name = 'name', fallback = ''): string {
  const value = attribute(element, name)
  if (value === undefined) fail(reading, element.attributes.get(name)?.place ?? element.place, `<${element.name}> needs a ${name}`)
  return value ?? fallback
}

/** Whether `text` can be one name in a path. */
export function isName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(text) && text !== '__proto__'
}

/** A whole number from `least` on. */
export function count(reading: Reading, element: XmlElement, name: string, fallback: number, least = 0): number {
  const value = attribute(element, name)
  if (value === undefined) return fallback
  if (/^-?\d{1,9}$/.test(value) && Number(value) >= least) return Number(value)
  fail(reading, element.attributes.get(name)!.place, `${name}="${value}" is not a whole number from ${least} on`)
  return fallback
}

/** Seconds, fractions allowed. */
export function seconds(reading: Reading, element: XmlElement, name: string): number | undefined {
  const value = attribute(element, name)
  if (value === undefined) return undefined
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Number(value)
  return fail(reading, element.attributes.get(name)!.place, `${name}="${value}" is not a number of seconds`)
}

/** `true` or `false`. */
export function flag(reading: Reading, element: XmlElement, name: string): boolean {
  const value = attribute(element, name)
  if (value === undefined || value === 'false') return false
  if (value !== 'true') fail(reading, element.attributes.get(name)!.place, `${name}="${value}" is neither true nor false`)
  return value === 'true'
}

/** One of a few words. */
export function choice<const W extends string>(reading: Reading, element: XmlElement, name: string, words: readonly W[]): W | undefined {
  const value = attribute(element, name)
  if (value === undefined) return undefined
  const found = words.find(word => word === value)
  if (found !== undefined) return found
  const list = words.join(', ')
  return fail(reading, element.attributes.get(name)!.place, `${name}="${value}" is none of ${list}${didYouMean(value, words)}`)
}
