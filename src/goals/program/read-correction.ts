/** `<correct>`: how a failure is put right. */
import type { Correction } from './model.ts'
import type { Reading } from './reading.ts'
import { attribute, choice, count, fail } from './reading.ts'
import { readBody } from './read-statement.ts'
import { readTemplate } from './read-template.ts'
import type { XmlElement } from './xml.ts'

/** Most corrections of one method: what a hundred tries do not put right needs a person. */
const LIMIT_MAX = 100

/** auto: statements; manual: text for people in which each `<set>` is a value to supply. */
export function readCorrection(reading: Reading, element: XmlElement): Correction {
  const mode = choice(reading, element, 'mode', ['auto', 'manual']) ?? 'auto'
  const { place } = element
  if (mode === 'manual') {
    if (attribute(element, 'limit') !== undefined)
      fail(reading, element.attributes.get('limit')!.place, 'limit= is for mode="auto": a person decides when it is enough')
    const template = readTemplate(reading, element)
    const ask = template.flatMap(part => (part.kind === 'set' ? [part.path] : []))
    const instructions = template.filter(part => part.kind !== 'set')
    if (instructions.every(part => part.kind === 'text' && part.text.trim() === '') && ask.length === 0)
      fail(reading, place, '<correct mode="manual"> needs text that says what a person is to do')
    return { mode, limit: 0, body: [], instructions, ask, place }
  }
  const limit = count(reading, element, 'limit', 1, 1)
  if (limit > LIMIT_MAX) fail(reading, element.attributes.get('limit')!.place, `limit="${limit}" is more than ${LIMIT_MAX}`)
  const body = readBody(reading, element)
  if (body.length === 0) fail(reading, place, '<correct> needs statements, or mode="manual" and text')
  return { mode, limit: Math.min(limit, LIMIT_MAX), body, instructions: [], ask: [], place }
}
