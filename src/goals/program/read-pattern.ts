/** Regular expressions in attributes. */
import type { Template } from './model.ts'
import type { Reading } from './reading.ts'
import { fail } from './reading.ts'
import { readAttributeTemplate } from './read-template.ts'
import type { XmlElement } from './xml.ts'

/** A pattern in an attribute, which must be one whatever values it holds. */
export function readPattern(reading: Reading, element: XmlElement, name: string): Template | undefined {
  const template = readAttributeTemplate(reading, element, name, true)
  if (template === undefined || template.length === 0) return fail(reading, element.place, `<${element.name}> needs a ${name}`)
  try {
    new RegExp(template.map(part => (part.kind === 'text' ? part.text : 'x')).join(''), 'm')
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error)
    fail(reading, element.attributes.get(name)!.place, `${name}= is not a regular expression: ${reason}`)
  }
  return template
}
