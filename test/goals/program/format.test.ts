import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { CloudburstError } from '../../../src/errors.ts'
import { formatProgram, LINE_LENGTH_MAX } from '../../../src/goals/program/format.ts'
import { readProgram } from '../../../src/goals/program/read.ts'

const root = new URL('../../../', import.meta.url)
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const corpus = [
  ...readdirSync(new URL('programs/', root)).map(name => text(`programs/${name}`)),
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .flatMap(name => [...text(`docs/${name}`).matchAll(/^```xml\n([\s\S]*?)^```/gm)].map(([, example]) => example!))
].filter(example => example.includes('<cloudburst'))

describe('a formatted program', () => {
  const cases: ReadonlyArray<readonly [it: string, before: string, after: string]> = [
    [
      'has one element a line',
      '<cloudburst name="a"><struct name="S"/>\n   <struct name="T"/></cloudburst>',
      '<cloudburst name="a">\n  <struct name="S"/>\n  <struct name="T"/>\n</cloudburst>\n'
    ],
    ['keeps on one line what was', '<cloudburst><pre> <uuid/></pre></cloudburst>\n\n', '<cloudburst><pre><uuid/></pre></cloudburst>\n'],
    ['has double quotes and no spare space in tags', "<cloudburst  name = 'a'\n ></cloudburst >", '<cloudburst name="a"/>\n'],
    ['keeps quotes around quotes', `<cloudburst name='"'/>`, `<cloudburst name='"'/>\n`],
    [
      'keeps comments where they are',
      '<!-- a -->\n<cloudburst>\n<!-- b\n c --><struct name="S"/> <!-- d -->\n\n\n\n<!-- e -->\n</cloudburst>',
      '<!-- a -->\n<cloudburst>\n  <!-- b\n c -->\n  <struct name="S"/> <!-- d -->\n\n  <!-- e -->\n</cloudburst>\n'
    ],
    [
      'keeps text with entities, CDATA and line ends',
      '<cloudburst>\n<string> a &lt;\n\t<![CDATA[<b>]]> <get >x</get>\r\n</string>\n</cloudburst>',
      '<cloudburst>\n  <string> a &lt;\n\t<![CDATA[<b>]]> <get>x</get>\n</string>\n</cloudburst>\n'
    ],
    [
      'keeps white space between values that are joined',
      '<cloudburst>\n<update><set>a</set> <get>b</get>  <get>c</get></update>\n</cloudburst>',
      '<cloudburst>\n  <update><set>a</set> <get>b</get>  <get>c</get></update>\n</cloudburst>\n'
    ]
  ]
  for (const [it_, before, after] of cases) it(it_, () => assert.equal(formatProgram(before, 'x.xml'), after))

  it(`breaks lines of more than ${LINE_LENGTH_MAX} characters between elements`, () => {
    const long = `<cloudburst><pre><string>${'x'.repeat(LINE_LENGTH_MAX)}</string></pre></cloudburst>`
    assert.equal(formatProgram(long, 'x.xml').split('\n').length, 6)
  })

  it('means what it meant, is known by the same keys, and stays as it is', function () {
    this.timeout(20_000)
    assert.ok(corpus.length > 10)
    for (const before of corpus) sameMeaning(before, formatProgram(before, 'x.xml'))
  })

  it('means what it meant, whatever its layout', function () {
    this.timeout(20_000)
    fc.assert(
      fc.property(programs, before => sameMeaning(before, formatProgram(before, 'x.xml'))),
      { numRuns: 200 }
    )
  })

  it('is not made of a text that is not well-formed', () => {
    assert.throws(
      () => formatProgram('<cloudburst>', 'x.xml'),
      (error: unknown) => error instanceof CloudburstError && error.message === 'x.xml:1:1: <cloudburst> is never closed'
    )
  })
})

function sameMeaning(before: string, after: string): void {
  assert.equal(formatProgram(after, 'x.xml'), after)
  assert.deepEqual(meaning(after), meaning(before))
}

/** The program but for its places and what is made of the text. */
function meaning(source: string): unknown {
  const { hash: _, files: __, ...program } = readProgram([{ name: 'x.xml', text: source }], { include })
  return withoutPlaces(program)
}

/** From the shipped programs; an example of a page may name a file that is not there. */
function include(name: string): { name: string; text: string } {
  return { name, text: existsSync(new URL(`programs/${name}`, root)) ? text(`programs/${name}`) : '<cloudburst/>' }
}

function withoutPlaces(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, of]) => [withoutPlaces(key), withoutPlaces(of)])
  if (Array.isArray(value)) return value.map(withoutPlaces)
  if (typeof value === 'string') return value.replace(/^method@\d+$/, 'method').replace(/ on line \d+/, '')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, of]) => (key === 'place' ? [] : [[key, withoutPlaces(of)]])))
}

/** Programs of odd layout: blanks, blank lines and comments wherever they may stand. */
const gap = fc.constantFrom(
  '',
  '',
  ' ',
  '\n',
  '\n\n',
  '\n\n\n  ',
  '\t',
  '\r\n',
  '<!-- a -->',
  ' <!-- b\n  c -->\n',
  '\n<!-- d --> <!-- e -->\n'
)
const words = fc.constantFrom(
  'a',
  ' a b ',
  'echo  x\n  y\n',
  '&lt;&amp;',
  '<![CDATA[ <x/> ]]>',
  ' ',
  '\t"\'',
  'é😀',
  '$HOME `id`',
  '<get  >goal.x</get >',
  "a <get quote = 'shell'>goal.x</get>\n b",
  '<!-- no -->c'
)
const between = (parts: fc.Arbitrary<string>, max = 3): fc.Arbitrary<string> =>
  fc.tuple(gap, fc.array(fc.tuple(parts, gap), { minLength: 1, maxLength: max })).map(([first, rest]) => first + rest.flat().join(''))
const texts = fc.array(words, { minLength: 1, maxLength: 3 }).map(parts => parts.join(''))
const value = fc.oneof(
  texts.map(of => `<string>${of}</string>`),
  fc.constant('<get>goal.x</get>'),
  fc.tuple(gap, gap, gap).map(([a, b, c]) => `<op name="eq">${a}<get>goal.x</get>${b}<int>1</int>${c}</op>`),
  fc.constant('<op name="eq"><get>goal.x</get>  1 </op>'),
  between(fc.constant('<pathExists>/etc</pathExists>')).map(of => `<op name='and'>${of}</op>`)
)
const tag = fc.constantFrom('', ' timeout="5"', "\n  timeout = '5'  ")
const send = fc.tuple(tag, texts).map(([attributes, of]) => `<send${attributes}>echo ${of}</send >`)
const statement = fc.letrec<{ statement: string }>(tie => ({
  statement: fc.oneof(
    { depthSize: 'small' },
    between(send).map(of => `<shell>${of}</shell>`),
    fc.tuple(gap, value).map(([a, of]) => `<update>${a}<set>goal.x</set>${of}</update>`),
    fc.tuple(gap, value, gap, value).map(([a, b, c, d]) => `<update>${a}<set>goal.x</set>${b}${c}${d}</update>`),
    between(value).map(of => `<pre>${of}</pre>`),
    texts.map(of => `<tempFile name="t">${of}</tempFile>`),
    fc.tuple(gap, gap).map(([a, b]) => `<g>${a}<variable name="x">1</variable>${b}</g>`),
    between(tie('statement')).map(of => `<do>${of}</do>`),
    between(tie('statement')).map(of => `<repeat><count> 2 </count>${of}</repeat>`)
  )
})).statement
const programs = fc
  .tuple(gap, gap, texts, between(statement, 4), gap)
  .map(
    ([a, b, of, body, c]) =>
      `<cloudburst  name='p'>${a}<goalProto name="g">${b}<variable name="x">${of}</variable><describe>\n d </describe><method>${body}</method>${c}</goalProto></cloudburst>`
  )
