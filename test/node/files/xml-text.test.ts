import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { readXml } from '../../../src/goals/program/xml.ts'
import { addNeighbour } from '../../../src/node/neighborhood/neighborhood.ts'
import { neighborhoodText } from '../../../src/node/neighborhood/sample.ts'
import { readNeighborhood } from '../../../src/node/neighborhood/read.ts'
import { addPermit } from '../../../src/node/permissions/permissions.ts'
import { readPermissions } from '../../../src/node/permissions/read.ts'
import { attributesText } from '../../../src/goals/program/write-xml.ts'
import { insertIntoRoot } from '../../../src/node/files/xml-text.ts'

describe('a file that people keep', () => {
  let directory: string
  let path: string
  const peers = [generateIdentity().peer, generateIdentity().peer] as const
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'xml-'))
    path = join(directory, 'file.xml')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const cases: ReadonlyArray<[string, string, string]> = [
    ['before the end of its root', '<a>\n  <!-- c -->\n  <b/>\n</a>\n', '<a>\n  <!-- c -->\n  <b/>\n  <x/>\n</a>\n'],
    ['into an empty root', '<!-- c -->\n<a/>\n', '<!-- c -->\n<a>\n  <x/>\n</a>\n'],
    ['into a root of one line', '<a></a>', '<a>\n  <x/>\n</a>'],
    ['and not into a comment', '<!-- <a/> --><a>\n</a >\n<!-- </a> -->', '<!-- <a/> --><a>\n  <x/>\n</a >\n<!-- </a> -->']
  ]
  for (const [what, before, after] of cases) {
    it(`is added to ${what}`, () => {
      writeFileSync(path, before)
      insertIntoRoot(path, 'a', ['<x/>'], readXml)
      assert.equal(readFileSync(path, 'utf8'), after)
    })
  }

  it('keeps its mode, and stays as it was when the result would be wrong', () => {
    writeFileSync(path, '<a>\n</a>')
    chmodSync(path, 0o640)
    insertIntoRoot(path, 'a', ['<x/>'], readXml)
    assert.equal(statSync(path).mode & 0o777, 0o640)
    assert.throws(() => insertIntoRoot(path, 'a', ['<x>'], readXml))
    assert.equal(readFileSync(path, 'utf8'), '<a>\n  <x/>\n</a>')
  })

  it('gives back any value', () => {
    const value = fc.string({ unit: 'binary' }).filter(text => /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(text))
    fc.assert(fc.property(value, text => assert.equal(readXml(`<a${attributesText({ v: text })}/>`, 'x').attributes.get('v')?.value, text)))
  })

  it('gets neighbours, each once and each with a name of its own', () => {
    writeFileSync(path, neighborhoodText({ name: 'n1' }))
    const added = addNeighbour(path, { name: 'n2', peer: peers[0], addresses: ['/ip4/192.0.2.1/tcp/1'] })
    assert.equal(added.name, 'n2')
    assert.deepEqual(addNeighbour(path, { name: 'other', peer: peers[0], addresses: [] }), added)
    assert.equal(addNeighbour(path, { name: 'n2', peer: peers[1], addresses: [] }).name, `n2-${peers[1].slice(-6)}`)
    const text = readFileSync(path, 'utf8')
    assert.equal(readNeighborhood(text, path).neighbours.length, 2)
    assert.match(text, /<!-- Who is near/)
  })

  it('gets permits, and is made when there was none', () => {
    addPermit(path, { email: 'a@b', peer: peers[0], capabilities: ['agency:hello', 'goal:plan'], lifetime: 'PT1H', programs: ['p'] })
    addPermit(path, { email: 'c@d', peer: peers[1], capabilities: ['node:shell'], lifetime: 'PT1H' })
    const { permits } = readPermissions(readFileSync(path, 'utf8'), path)
    assert.deepEqual(
      permits.map(({ email, capabilities, programs }) => ({ email, capabilities, programs })),
      [
        { email: 'a@b', capabilities: ['agency:hello', 'goal:plan'], programs: ['p'] },
        { email: 'c@d', capabilities: ['node:shell'], programs: undefined }
      ]
    )
    assert.throws(() => addPermit(path, { email: 'no', peer: peers[0], capabilities: ['goal:plan'], lifetime: 'PT1H' }), /not an e-mail/)
  })
})
