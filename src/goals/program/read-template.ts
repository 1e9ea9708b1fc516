/** Text mixed with expressions, and paths. */
import { CloudburstError } from '../../errors.ts'
import { parsePath } from '../expression/path.ts'
import type { Description, Expression, Path, Place, Template } from './model.ts'
import type { Reading } from './reading.ts'
import { attribute, fail, mixedParts, noteRead, parts } from './reading.ts'
import type { XmlElement, XmlText } from './xml.ts'
import { elementsOf, textOf } from './xml.ts'

/** Everything in `element` to be concatenated, white space kept; `except` names elements that are not part of the text. */
export function readTemplate(reading: Reading, element: XmlElement, except: readonly string[] = []): Template {
  return mixedParts(reading, element).flatMap(part => {
    if (part.kind === 'text') return [textExpression(part)]
    if (except.includes(part.name)) return []
    return reading.expression(part) ?? []
  })
}

/** What a variable starts as: blank text around a single expression does not count, blank text alone is nothing. */
export function readValue(reading: Reading, element: XmlElement): Template {
  const template = readTemplate(reading, element)
  const solid = template.filter(part => part.kind !== 'text' || part.text.trim() !== '')
  return solid.length === 0 || (solid.length === 1 && solid[0]!.kind !== 'text') ? solid : template
}

/** Expressions side by side, as in `<op>` and `<pre>`: blank text between them does not count, other text is a trimmed operand. */
export function readOperands(reading: Reading, element: XmlElement, except: readonly string[] = []): Expression[] {
  return readTemplate(reading, element, except).flatMap((part): Expression[] => {
    if (part.kind !== 'text') return [part]
    const text = part.text.trim()
    return text === '' ? [] : [{ ...part, text }]
  })
}

/** The `describe` children of `element`, in order. */
export function readDescriptions(reading: Reading, element: XmlElement): Description[] {
  return parts(reading, element)
    .filter(part => part.name === 'describe')
    .map(part => {
      const locale = attribute(part, 'locale')
      return { ...(locale === undefined ? {} : { locale }), text: trimEnds(readTemplate(reading, part)) }
    })
}

/** The addresses in the `referenceDoc` children of `element`. */
export function readDocs(reading: Reading, element: XmlElement): string[] {
  return parts(reading, element)
    .filter(part => part.name === 'referenceDoc')
    .flatMap(part => {
      const urls = elementsOf(part).filter(child => child.name === 'url')
      return (urls.length > 0 ? urls : [part]).map(url => textOf(url).trim())
    })
    .filter(url => url !== '')
}

/** The path that is the whole text of `element`. */
export function readPath(reading: Reading, element: XmlElement): Path | undefined {
  const inner = elementsOf(element)[0]
  if (inner !== undefined) return fail(reading, inner.place, `<${element.name}> takes a path, not <${inner.name}>`)
  const text = textOf(element).trim()
  const place = textPlace(element)
  return text === '' ? fail(reading, place, `<${element.name}> needs a path such as goal.name`) : toPath(reading, text, place)
}

/** `text` as a path, complaining at `place`. */
export function toPath(reading: Reading, text: string, place: Place): Path | undefined {
  try {
    return parsePath(text)
  } catch (error) {
    if (error instanceof CloudburstError) return fail(reading, place, error.message)
    throw error
  }
}

/** Where the text of `element` begins; the element itself when it has none. */
export function textPlace(element: XmlElement): Place {
  return element.children.find(child => child.kind === 'text' && child.text.trim() !== '')?.place ?? element.place
}

/** An attribute with `${path}` in it, e.g. `peer="${goal.node}"`; `whole` keeps the white space around it. */
export function readAttributeTemplate(reading: Reading, element: XmlElement, name: string, whole = false): Template | undefined {
  const found = element.attributes.get(name)
  if (found === undefined || (found.value.trim() === '' && !whole)) return undefined
  const { place } = found
  return (whole ? found.value : found.value.trim())
    .split(/(\$\{[^}]*\})/)
    .filter(piece => piece !== '')
    .flatMap((piece): Expression[] => {
      if (!piece.startsWith('${')) return [{ kind: 'text', text: piece, place }]
      const path = toPath(reading, piece.slice(2, -1).trim(), place)
      if (path === undefined) return []
      noteRead(reading, path, place)
      return [{ kind: 'get', path, place }]
    })
}

function textExpression(text: XmlText): Expression {
  return { kind: 'text', text: text.text, place: text.place }
}

/** A description is one line in the middle of its element: white space at its ends is the author's layout. */
function trimEnds(template: Template): Template {
  const last = template.length - 1
  return template.flatMap((part, index): Expression[] => {
    if (part.kind !== 'text') return [part]
    let text = part.text.replace(/\s+/g, ' ')
    if (index === 0) text = text.trimStart()
    if (index === last) text = text.trimEnd()
    return text === '' ? [] : [{ ...part, text }]
  })
}
