import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withCommands } from '../../scripts/schema/commands.ts'
import { withReference } from '../../scripts/schema/reference.ts'
import { rncOf } from '../../scripts/schema/rnc.ts'
import { neighborhood, permissions, program } from '../../scripts/schema/vocabularies.ts'
import { xsdOf } from '../../scripts/schema/xsd.ts'
import { CloudburstError } from '../../src/errors.ts'
import { elementSpecs } from '../../src/goals/program/elements.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { childrenOf, laterElements } from '../../src/goals/program/vocabulary.ts'
import { readNeighborhood } from '../../src/node/neighborhood/read.ts'
import { neighborhoodText } from '../../src/node/neighborhood/sample.ts'
import { readPermissions } from '../../src/node/permissions/read.ts'
import { permissionsText } from '../../src/node/permissions/sample.ts'
import { skip } from '../skip.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const text = (path: string): string => readFileSync(`${root}/${path}`, 'utf8')
const vocabularies = { program, neighborhood, permissions }

describe('schema/', () => {
  for (const [name, vocabulary] of Object.entries(vocabularies)) {
    it(`has the ${name}.xsd that the tables make (npm run schema)`, () => assert.equal(text(`schema/${name}.xsd`), xsdOf(vocabulary)))
    it(`has the ${name}.rnc that the tables make (npm run schema)`, () => assert.equal(text(`schema/${name}.rnc`), rncOf(vocabulary)))
  }
})

describe('the reference of docs/language.md', () => {
  it('is what the tables make (npm run schema)', () => {
    const page = text('docs/language.md')
    assert.equal(page, withReference(page))
  })
})

describe('the reference of docs/cli.md', () => {
  it('has every command and option (npm run schema)', () => {
    const page = text('docs/cli.md')
    assert.equal(page, withCommands(page))
  })
})

describe('the table of elements', () => {
  it('has a place for each element, and only known roles', () => {
    const reached = new Set(['cloudburst', 'hive', ...Object.keys(elementSpecs).flatMap(childrenOf)])
    assert.deepEqual(
      Object.keys(elementSpecs).filter(name => !reached.has(name)),
      []
    )
    for (const [name, { holds = [] }] of Object.entries(elementSpecs)) {
      if (name !== 'state') for (const role of holds) assert.ok(childrenOf(name).length > 0, `${name} holds ${role}, which nothing is`)
    }
    assert.deepEqual(
      [...laterElements].filter(name => name in elementSpecs),
      []
    )
  })

  it('knows what the reader refuses: a misspelt word gets the right one', function () {
    this.timeout(20_000)
    for (const [name, { attributes = {} }] of Object.entries(elementSpecs)) {
      for (const attribute of Object.keys(attributes)) {
        if (attribute.length < 5) continue
        const wrong = `${attribute.slice(0, -2)}${attribute.at(-1)}${attribute.at(-2)}`
        if (wrong === attribute) continue
        assert.match(
          complaints(program, `<${name} ${wrong}="1"/>`, name),
          new RegExp(`<${name}> has no attribute ${wrong} \\(did you mean ${attribute}`)
        )
      }
    }
  })
})

describe('an XML file that the schema describes', () => {
  before(function () {
    if (spawnSync('xmllint', ['--version']).error !== undefined) skip(this, 'needs xmllint (Debian: libxml2-utils)')
  })

  const shipped = readdirSync(`${root}/programs`).filter(name => name.endsWith('.xml'))
  for (const name of shipped) it(`may be programs/${name}`, () => assert.equal(judge('program', text(`programs/${name}`)), ''))

  it('may be every example in docs/', function () {
    this.timeout(20_000)
    const pages = readdirSync(`${root}/docs`, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))
    const examples = pages.flatMap(page =>
      [...text(`docs/${page}`).matchAll(/^```xml\n([\s\S]*?)^```/gm)]
        .map(([, example]) => example!)
        .filter(example => example.includes('<cloudburst'))
    )
    assert.ok(examples.length > 10)
    for (const example of examples) assert.equal(judge('program', example), '')
  })

  it('may be the samples of neighborhood.xml and permissions.xml', () => {
    for (const [name, sample] of Object.entries({ neighborhood: neighborhoodText({ name: 'n1' }), permissions: permissionsText() })) {
      assert.equal(judge(name, sample), '')
      assert.equal(judge(name, text(`${name}.xml`)), '')
    }
  })

  const faulty: ReadonlyArray<readonly [keyof typeof vocabularies, string]> = [
    ['program', '<cloudburst><goalProto/></cloudburst>'],
    ['program', '<cloudburst><send>ls</send></cloudburst>'],
    [
      'program',
      '<cloudburst><goalProto name="g"><method><shell><send onFail="explode">ls</send></shell></method></goalProto></cloudburst>'
    ],
    ['program', '<cloudburst><goalProto name="g"><method><shell><send timeout="soon">ls</send></shell></method></goalProto></cloudburst>'],
    ['program', '<cloudburst><goalProto name="g"><method><shell><send retries="-1">ls</send></shell></method></goalProto></cloudburst>'],
    ['program', '<cloudburst><goalProto name="g"><pre><op name="equals">1 1</op></pre></goalProto></cloudburst>'],
    ['program', '<cloudburst><goalProto name="g"><method><shell>ls</shell></method></goalProto></cloudburst>'],
    ['program', '<cloudburst><goalProto name="g"><method><find><in/></find></method></goalProto></cloudburst>'],
    ['neighborhood', '<neighborhood><node/></neighborhood>'],
    ['neighborhood', '<neighborhood><node name="n"/><encryption required="none"/></neighborhood>'],
    ['neighborhood', '<neighborhood><node name="n"/><mdns enable="true"/></neighborhood>'],
    ['permissions', '<permissions><authority/></permissions>'],
    ['permissions', '<permissions><authority name="local"/><permit authority="local" email="a@b" capability="state:read"/></permissions>'],
    ['permissions', '<permissions><permits/></permissions>']
  ]
  for (const [name, wrong] of faulty) {
    it(`is not ${wrong}, nor does the reader take it`, () => {
      assert.notEqual(judge(name, wrong), '')
      assert.notEqual(complaints(vocabularies[name], wrong), '')
    })
  }
})

/** What xmllint says against `xml`; nothing when it is valid. */
function judge(name: string, xml: string): string {
  const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', `${root}/schema/${name}.xsd`, '-'], {
    input: xml,
    encoding: 'utf8'
  })
  return status === 0 ? '' : stderr
}

/** What our reader says against it; `inside` puts it where such an element may stand. */
function complaints(of: (typeof vocabularies)['program'], xml: string, inside?: string): string {
  const read =
    of === program
      ? (name: string) => readProgram([{ name, text: inside === undefined ? xml : placed(inside, xml) }], { strict: true })
      : of === neighborhood
        ? (name: string) => readNeighborhood(xml, name)
        : (name: string) => readPermissions(xml, name)
  try {
    read('x.xml')
    return ''
  } catch (error) {
    assert.ok(error instanceof CloudburstError)
    return [error.message, ...((error.details['complaints'] as readonly string[] | undefined) ?? [])].join('\n')
  }
}

/** `xml` in a chain of elements up to a root. */
function placed(name: string, xml: string): string {
  if (name === 'cloudburst' || name === 'hive') return xml
  const parent = ['cloudburst', ...Object.keys(elementSpecs)].find(
    other => other !== name && other !== 'state' && childrenOf(other).includes(name)
  )!
  const first: Readonly<Record<string, string>> = { repeat: '<count>1</count>', update: '<set>goal.x</set>' }
  return placed(parent, `<${parent} name="eq">${first[parent] ?? ''}${xml}</${parent}>`)
}
