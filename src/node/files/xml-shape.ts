/** Reading one of our own small XML files: every unknown word is refused at its place, with a guess at what was meant. */
import { CloudburstError, type ErrorCode } from '../../errors.ts'
import type { Place } from '../../goals/program/model.ts'
import { elementsOf, showPlace, textOf, type XmlElement } from '../../goals/program/xml.ts'

/** Farthest edit distance at which a word is still offered as what was meant. */
const GUESS_DISTANCE_MAX = 3

/** What an element may hold: attribute names, of which some are required, and child element names. */
export interface Shape {
  readonly required?: readonly string[]
  readonly optional?: readonly string[]
  readonly children?: readonly string[]
  /** Its text is its value. */
  readonly text?: boolean
}

/** Checks elements against shapes; all complaints carry `code`. */
export class ShapeReader {
  readonly #code: ErrorCode

  constructor(code: ErrorCode) {
    this.#code = code
  }

  /** @throws CloudburstError when `element` holds anything that its shape does not know, or lacks what it requires */
  check(element: XmlElement, shape: Shape): void {
    const attributes = [...(shape.required ?? []), ...(shape.optional ?? [])]
    for (const [name, { place }] of element.attributes) {
      if (!attributes.includes(name)) throw this.error(place, `<${element.name}>: unknown attribute ${name}${guess(name, attributes)}`)
    }
    for (const name of shape.required ?? []) {
      if (!element.attributes.has(name)) throw this.error(element.place, `<${element.name}> needs the attribute ${name}`)
    }
    for (const child of elementsOf(element)) {
      const known = shape.children ?? []
      if (!known.includes(child.name))
        throw this.error(child.place, `<${element.name}>: unknown element <${child.name}>${guess(child.name, known)}`)
    }
    for (const child of element.children) {
      if (child.kind === 'text' && child.text.trim() !== '' && shape.text !== true) {
        throw this.error(child.place, `<${element.name}> holds no text`)
      }
    }
  }

  /** The trimmed value of an attribute; undefined when it is absent. */
  attribute(element: XmlElement, name: string): string | undefined {
    return element.attributes.get(name)?.value.trim()
  }

  /** The trimmed, non-empty value of an attribute that the shape requires. */
  needed(element: XmlElement, name: string): string {
    const value = this.attribute(element, name) ?? ''
    if (value === '') throw this.error(this.placeOf(element, name), `<${element.name}>: the attribute ${name} is empty`)
    return value
  }

  /** The trimmed, non-empty text of an element. */
  text(element: XmlElement): string {
    const text = textOf(element).trim()
    if (text === '') throw this.error(element.place, `<${element.name}> is empty`)
    return text
  }

  /** Where an attribute stands; the element's place when it has none of that name. */
  placeOf(element: XmlElement, name: string): Place {
    return element.attributes.get(name)?.place ?? element.place
  }

  error(place: Place, reason: string): CloudburstError {
    const { file, line, col } = place
    return new CloudburstError(this.#code, `${showPlace(place)}: ${reason}`, { file, line, col })
  }
}

/** ` (did you mean x?)`, or nothing when no known word is near. */
export function guess(word: string, known: readonly string[]): string {
  const near = known
    .map(candidate => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.min(GUESS_DISTANCE_MAX, candidate.length - 1))
    .sort((a, b) => a.distance - b.distance)
  return near[0] === undefined ? '' : ` (did you mean ${near[0].candidate}?)`
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
