/** Where white space means something. The formatter and the identity of statements rest on this. Source: docs/language.md, "Layout". */
import { elementSpecs } from './elements.ts'
import type { XmlElement } from './xml.ts'

/** White space between the children of these does not count, as long as there is no text of weight among them. */
const loose = new Set(['op', 'defined', 'fileTest', 'pathExists', 'pre', 'post', 'in', 'count'])
const declarations = new Set(['variable', 'struct', 'list'])

/**
 * Whether white space directly inside of an element may be part of a value.
 * @param hasText whether it has text that is not blank
 * @param children names of the elements in it
 */
export function keepsSpace(name: string, hasText: boolean, children: readonly string[]): boolean {
  if (loose.has(name)) return hasText
  // a second value is concatenated with the first, white space included
  if (name === 'update') return hasText || children.filter(child => child !== 'describe').length > 2
  const spec = Object.hasOwn(elementSpecs, name) ? elementSpecs[name] : undefined
  if (spec !== undefined) return spec.text !== undefined
  // perhaps a sub-goal, which holds arguments; perhaps anything else
  return hasText || children.some(child => !declarations.has(child))
}

/** What `element` says, whatever its layout: the same before and after formatting, comments and line ends left out. */
export function withoutLayout(element: XmlElement): string {
  return JSON.stringify(said(element))
}

function said({ name, attributes, children }: XmlElement): unknown {
  const hasText = children.some(child => child.kind === 'text' && child.text.trim() !== '')
  const names = children.flatMap(child => (child.kind === 'element' ? [child.name] : []))
  const keep = keepsSpace(name, hasText, names)
  const parts = children.map(child => {
    if (child.kind === 'element') return said(child)
    return keep ? child.text : child.text.trim()
  })
  return [name, [...attributes].map(([attribute, { value }]) => [attribute, value]), ...parts.filter(part => part !== '')]
}
