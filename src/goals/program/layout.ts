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
  const known = saidBefore.get(element)
  if (known !== undefined) return known
  const said = say(element)
  saidBefore.set(element, said)
  return said
}

/** A statement in a block is a part of what the block says. */
const saidBefore = new WeakMap<XmlElement, string>()

/** As JSON: name, attributes, then texts and elements in order. Put together by hand, for every statement of a program is said when it is read. */
function say({ name, attributes, children }: XmlElement): string {
  let hasText = false
  const names: string[] = []
  for (const child of children) {
    if (child.kind === 'element') names.push(child.name)
    else hasText ||= child.text.trim() !== ''
  }
  const keep = keepsSpace(name, hasText, names)
  let said = `[${JSON.stringify(name)},[`
  let comma = ''
  for (const [attribute, { value }] of attributes) {
    // one who looks closer at a statement does not change what it says: what was done of it is kept
    if (attribute === 'debug') continue
    said += `${comma}[${JSON.stringify(attribute)},${JSON.stringify(value)}]`
    comma = ','
  }
  said += ']'
  for (const child of children) {
    const part = child.kind === 'element' ? withoutLayout(child) : keep ? child.text : child.text.trim()
    if (child.kind === 'element') said += `,${part}`
    else if (part !== '') said += `,${JSON.stringify(part)}`
  }
  return `${said}]`
}
