/** Tables of elements → a RELAX NG schema in compact syntax, which Emacs (nxml-mode) reads. */
import type { AttributeSpec, ElementSpec } from '../../src/goals/program/element-spec.ts'
import type { Vocabulary } from './xsd.ts'

/** The schema as text. */
export function rncOf(vocabulary: Vocabulary): string {
  const names = Object.keys(vocabulary.elements)
  const reached = new Set(names.flatMap(vocabulary.childrenOf))
  const isOpen = names.some(vocabulary.open)
  return `${[
    '# Made by `npm run schema`; edit the tables it is made of instead.',
    `# ${vocabulary.title}`,
    'namespace xsi = "http://www.w3.org/2001/XMLSchema-instance"',
    '',
    `start = ${names
      .filter(name => !reached.has(name))
      .map(patternName)
      .join(' | ')}`,
    `every = ${[...Object.entries(vocabulary.common).map(([name, spec]) => attribute(name, spec)), 'attribute xsi:* { text }*'].join(', ')}`,
    ...(isOpen
      ? [
          `other = element * - (${names.join(' | ')}) { (attribute * { text } | text | anything)* }`,
          'anything = element * { (attribute * { text } | text | anything)* }'
        ]
      : []),
    '',
    ...Object.entries(vocabulary.elements).map(
      ([name, spec]) => `${patternName(name)} = element ${name} { ${content(vocabulary, name, spec)} }`
    )
  ].join('\n')}\n`
}

function content(vocabulary: Vocabulary, name: string, spec: ElementSpec): string {
  const attributes = Object.entries(spec.attributes ?? {}).map(([attributeName, of]) => attribute(attributeName, of))
  const children = [
    ...vocabulary.childrenOf(name).map(patternName),
    ...(vocabulary.open(name) ? ['other'] : []),
    ...(spec.text === undefined ? [] : ['text'])
  ]
  return ['every', ...attributes, ...(children.length === 0 ? ['empty'] : [`(${children.join(' | ')})*`])].join(', ')
}

function attribute(name: string, { type, required }: AttributeSpec): string {
  const words = Array.isArray(type) ? (type as readonly string[]) : type === 'flag' ? ['true', 'false'] : undefined
  const value = words === undefined ? (types[type as string] ?? 'text') : words.map(word => `"${word}"`).join(' | ')
  return `attribute ${name} { ${value} }${required ? '' : '?'}`
}

const types: Readonly<Record<string, string>> = {
  count: 'xsd:nonNegativeInteger',
  integer: 'xsd:integer',
  seconds: 'xsd:decimal { minInclusive = "0" }'
}

/** Names of elements may be words of the schema language: `list`. */
function patternName(name: string): string {
  return `${name}.element`
}
