/** Tables of elements → an XML Schema that editors understand (XSD 1.0). */
import type { AttributeSpec, ElementSpec } from '../../src/goals/program/element-spec.ts'

/** What one schema describes. */
export interface Vocabulary {
  readonly title: string
  readonly elements: Readonly<Record<string, ElementSpec>>
  /** Names of the elements that may stand in one. */
  readonly childrenOf: (name: string) => readonly string[]
  /** Whether an element that is not in the table may stand in one: a sub-goal is an element of the program's own. */
  readonly open: (name: string) => boolean
  /** Attributes of every element. */
  readonly common: Readonly<Record<string, AttributeSpec>>
}

/** The schema as text. Elements are global, so that an editor offers them also where anything may stand. */
export function xsdOf(vocabulary: Vocabulary): string {
  const common = Object.entries(vocabulary.common).flatMap(([name, spec]) => attributeLines(name, spec))
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!-- Made by `npm run schema`; edit the tables it is made of instead. -->',
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">',
    ...indented(documentation(vocabulary.title)),
    '  <xs:attributeGroup name="every">',
    ...indented(common, 2),
    '  </xs:attributeGroup>',
    ...Object.entries(vocabulary.elements).flatMap(([name, spec]) => indented(elementLines(vocabulary, name, spec))),
    '</xs:schema>'
  ].join('\n')}\n`
}

function elementLines(vocabulary: Vocabulary, name: string, spec: ElementSpec): string[] {
  const attributes = Object.entries(spec.attributes ?? {}).flatMap(([attribute, of]) => attributeLines(attribute, of))
  const instead = spec.olderFor === undefined ? '' : ` (older spelling of ${spec.olderFor})`
  return [
    `<xs:element name="${name}">`,
    ...indented(documentation(`${spec.meaning}${instead}`)),
    `  <xs:complexType${spec.text === undefined ? '' : ' mixed="true"'}>`,
    ...indented(contentLines(vocabulary, name), 2),
    ...indented(attributes, 2),
    '    <xs:attributeGroup ref="every"/>',
    '  </xs:complexType>',
    '</xs:element>'
  ]
}

function contentLines(vocabulary: Vocabulary, name: string): string[] {
  const children = vocabulary.childrenOf(name)
  if (children.length === 0) return []
  const inner = vocabulary.open(name) ? ['<xs:any processContents="lax"/>'] : children.map(child => `<xs:element ref="${child}"/>`)
  return ['<xs:choice minOccurs="0" maxOccurs="unbounded">', ...indented(inner), '</xs:choice>']
}

function attributeLines(name: string, spec: AttributeSpec): string[] {
  const use = spec.required ? ' use="required"' : ''
  const type = typeof spec.type === 'string' ? simpleTypes[spec.type] : enumeration(spec.type)
  const byDefault = spec.default === undefined ? '' : ` (${spec.default} unless given)`
  const inner = [...documentation(`${spec.meaning}${byDefault}`), ...(Array.isArray(type) ? type : [])]
  return [
    `<xs:attribute name="${name}"${Array.isArray(type) ? '' : ` type="${type as string}"`}${use}>`,
    ...indented(inner),
    '</xs:attribute>'
  ]
}

/** Tokens: as the readers do, white space around a value does not count. */
const simpleTypes: Readonly<Record<AttributeSpec['type'] & string, string | string[]>> = {
  text: 'xs:string',
  template: 'xs:string',
  name: restriction('<xs:pattern value="[\\p{L}_][\\p{L}\\p{N}_\\-]*"/>'),
  flag: enumeration(['true', 'false']),
  count: 'xs:nonNegativeInteger',
  integer: 'xs:integer',
  seconds: ['<xs:simpleType>', '  <xs:restriction base="xs:decimal"><xs:minInclusive value="0"/></xs:restriction>', '</xs:simpleType>']
}

function enumeration(words: readonly string[]): string[] {
  return restriction(...words.map(word => `<xs:enumeration value="${word}"/>`))
}

function restriction(...facets: string[]): string[] {
  return ['<xs:simpleType>', '  <xs:restriction base="xs:token">', ...indented(facets, 2), '  </xs:restriction>', '</xs:simpleType>']
}

function documentation(text: string): string[] {
  return [`<xs:annotation><xs:documentation>${escaped(text.replaceAll('`', ''))}</xs:documentation></xs:annotation>`]
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function indented(lines: readonly string[], depth = 1): string[] {
  return lines.map(line => '  '.repeat(depth) + line)
}
