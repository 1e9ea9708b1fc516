/** The table of elements → the reference part of docs/language.md. */
import type { AttributeSpec, ElementSpec } from '../../src/goals/program/element-spec.ts'
import { commonAttributeSpecs, elementSpecs, statementAttributeSpecs } from '../../src/goals/program/elements.ts'
import { elementsAs, laterAttributes, laterElements } from '../../src/goals/program/vocabulary.ts'

export const BEGIN = '<!-- elements: made by `npm run schema` -->'
export const END = '<!-- /elements -->'

/** `page` with what stands between the markers made anew. */
export function withReference(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`docs/language.md needs the lines ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n${reference()}${page.slice(end)}`
}

/** All elements, each with its attributes. */
export function reference(): string {
  const later = [...laterElements].map(name => `\`${name}\``).join(', ')
  const laterOnes = [...laterAttributes].map(name => `\`${name}\``).join(', ')
  return [
    'Every element:',
    '',
    ...attributeTable(commonAttributeSpecs),
    '',
    'Every statement, besides:',
    '',
    ...attributeTable(statementAttributeSpecs),
    '',
    ...(later === '' ? [] : [`Not supported yet, and refused where they stand: ${later}.`, '']),
    ...(laterOnes === '' ? [] : [`The same holds for the attributes ${laterOnes}.`, '']),
    ...Object.entries(elementSpecs).flatMap(([name, spec]) => (spec.olderFor === undefined ? section(name, spec) : [])),
    '### Older spellings',
    '',
    ...table(
      ['element', 'now'],
      Object.entries(elementSpecs).flatMap(([name, { olderFor }]) =>
        olderFor === undefined ? [] : [[`\`<${name}>\``, olderFor in elementSpecs ? `\`<${olderFor}>\`` : olderFor]]
      )
    ),
    ''
  ].join('\n')
}

function section(name: string, spec: ElementSpec): string[] {
  const isStatement = Object.keys(statementAttributeSpecs).every(attribute => attribute in (spec.attributes ?? {}))
  const own = Object.entries(spec.attributes ?? {}).filter(
    ([attribute, of]) => !isStatement || statementAttributeSpecs[attribute as keyof typeof statementAttributeSpecs] !== of
  )
  const facts = [
    spec.as.length === 0 ? 'The root' : `In ${spec.as.map(role => whereRole(role)).join(', ')}`,
    `holds ${holds(spec)}`,
    ...(isStatement ? ['has the attributes of statements'] : [])
  ]
  return [
    `### \`<${name}>\``,
    `${sentence(spec.meaning)} *${facts.join('; ')}.*`,
    '',
    ...(own.length === 0 ? [] : [...attributeTable(Object.fromEntries(own)), ''])
  ]
}

function whereRole(role: string): string {
  const holders = Object.entries(elementSpecs)
    .filter(([name, { holds = [], olderFor }]) => olderFor === undefined && name !== 'state' && holds.includes(role))
    .map(([name]) => `\`${name}\``)
  if (role === 'expression') return 'all that takes expressions'
  if (role === 'statement') return 'all that takes statements'
  return holders.join(', ')
}

function holds({ holds: roles = [], text, goals }: ElementSpec): string {
  const texts = { path: ['a path'], text: ['text'], mixed: ['text'] }
  const parts = roles.map(role => {
    if (role === 'statement') return 'statements, and expressions that must hold'
    if (role === 'expression') return goals ? 'expressions, sub-goals' : 'expressions'
    return role === 'copy'
      ? 'a bare `get`'
      : elementsAs(role)
          .filter(current)
          .map(name => `\`${name}\``)
          .join(', ')
  })
  const all = [...(text === undefined ? [] : texts[text]), ...parts]
  return all.length === 0 ? 'nothing' : all.join(', ')
}

function current(name: string): boolean {
  return elementSpecs[name]?.olderFor === undefined
}

function attributeTable(attributes: Readonly<Record<string, AttributeSpec>>): string[] {
  const rows = Object.entries(attributes).map(([name, spec]) => [
    `\`${name}\`${spec.required ? ' (needed)' : ''}`,
    typeof spec.type === 'string' ? typeWords[spec.type] : spec.type.map(word => `\`${word}\``).join(' '),
    spec.default === undefined ? '' : `\`${spec.default}\``,
    spec.meaning
  ])
  return table(['attribute', 'value', 'default', 'meaning'], rows)
}

const typeWords: Readonly<Record<AttributeSpec['type'] & string, string>> = {
  text: 'text',
  name: 'letters, digits, `_` and `-`',
  template: 'text with `${path}`',
  flag: '`true` `false`',
  count: 'a whole number from 0 on',
  integer: 'a whole number',
  seconds: 'seconds, fractions allowed'
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
