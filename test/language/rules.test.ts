/** Every rule, element and attribute of the language has a test: docs/language-rules.md says which. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { elementSpecs, statementAttributeSpecs } from '../../src/goals/program/elements.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Rows of the page: section, rule, test file, words of the test's title. */
const rows = read('docs/language-rules.md')
  .split('\n')
  .flatMap(line => {
    const [, section, rule, file, title] = /^\| (\d+) \| (.+?) \| \[[^\]]+\]\(\.\.\/([^)]+)\) \| (.+?) \|$/.exec(line) ?? []
    return section === undefined ? [] : [{ section: Number(section), rule: rule!, file: file!, title: title!.replaceAll('\\|', '|') }]
  })

/** All programs that a test reads: examples of the reference, tests, and what ships. */
function tested(): string {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter(
    path => /\.(ts|xml)$/.test(path) && statSync(join(root, 'test', path)).isFile()
  )
  const programs = readdirSync(join(root, 'programs')).filter(path => path.endsWith('.xml'))
  const examples = [...read('docs/language.md').matchAll(/```xml\n([\s\S]*?)```/g)].map(([, text]) => text!)
  return [...examples, ...tests.map(path => read(`test/${path}`)), ...programs.map(path => read(`programs/${path}`))].join('\n')
}

describe('the rules of the language', () => {
  it('are of each section', () => {
    const sections = new Set(rows.map(({ section }) => section))
    assert.deepEqual(
      [...sections].sort((a, b) => a - b),
      Array.from({ length: 16 }, (_, at) => at + 1)
    )
  })

  it('have each a test that is there', () => {
    const lost = rows.filter(({ file, title }) => !existsSync(join(root, file)) || !read(file).includes(title))
    assert.deepEqual(
      lost.map(({ rule, file, title }) => `${rule}: no "${title}" in ${file}`),
      []
    )
  })
})

describe('the table of elements', () => {
  let text = ''
  before(() => {
    text = tested()
  })
  const holds = (element: string, attribute: string): boolean => new RegExp(`<${element}\\b[^>]*\\b${attribute}=`).test(text)

  it('has no element that no test reads', () => {
    assert.deepEqual(
      Object.keys(elementSpecs).filter(name => !new RegExp(`<${name}\\b`).test(text)),
      []
    )
  })

  it('has no attribute that no test reads', () => {
    const own = Object.entries(elementSpecs).flatMap(([element, { attributes = {} }]) =>
      Object.keys(attributes)
        .filter(attribute => !Object.hasOwn(statementAttributeSpecs, attribute))
        .filter(attribute => !holds(element, attribute))
        .map(attribute => `<${element} ${attribute}="…">`)
    )
    const common = Object.keys(statementAttributeSpecs).filter(attribute => !holds('\\w+', attribute))
    assert.deepEqual([...own, ...common], [])
  })
})
