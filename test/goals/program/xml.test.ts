import assert from 'node:assert/strict'
import type { CloudburstError } from '../../../src/errors.ts'
import { elementsOf, readXml, showPlace, textOf, XML_BYTES_MAX, XML_DEPTH_MAX, XML_NODES_MAX } from '../../../src/goals/program/xml.ts'

describe('readXml', () => {
  it('knows the place of every element, attribute and text', () => {
    const root = readXml('<?xml version="1.0"?>\n<!-- c -->\n<a x="1"\n   y = \'2\'>\n  hi <b/> there</a>', 'f.xml')
    const [hi, b, there] = root.children
    assert.equal(showPlace(root.place), 'f.xml:3:1')
    assert.equal(showPlace(root.attributes.get('x')!.place), 'f.xml:3:4')
    assert.equal(showPlace(root.attributes.get('y')!.place), 'f.xml:4:4')
    assert.equal(showPlace(hi!.place), 'f.xml:5:3')
    assert.equal(showPlace(b!.place), 'f.xml:5:6')
    assert.equal(showPlace(there!.place), 'f.xml:5:11')
  })

  it('counts columns in characters, with tabs, carriage returns and emoji as one', () => {
    const root = readXml('<a>\r\n\t😀é<b/>\r\n</a>', 'f.xml')
    assert.equal(showPlace(elementsOf(root)[0]!.place), 'f.xml:2:4')
  })

  it('joins text, entities and CDATA, and leaves comments out', () => {
    assert.equal(textOf(readXml('<a>x &lt; <!-- no --><![CDATA[<y>]]>&#65;</a>', 'f.xml')), 'x < <y>A')
  })

  it('keeps the own text of an element', () => {
    assert.equal(elementsOf(readXml('<a> <b  c="1">t</b> </a>', 'f.xml'))[0]!.source, '<b  c="1">t</b>')
  })

  const faults: [name: string, text: string, message: string][] = [
    ['an element that is never closed', '<a>\n <b>\n', 'f.xml:2:2: <b> is never closed'],
    ['a wrong closing tag', '<a>\n <b>\n</a>', 'f.xml:3:1: expected </b> for the <b> of line 2'],
    ['an attribute given twice', '<a x="1" x="2"/>', 'f.xml:1:10: the attribute x is given twice'],
    ['a DOCTYPE', '\n<!DOCTYPE a []><a/>', 'f.xml:2:1: DOCTYPE is not allowed'],
    ['an entity of its own', '<a>&foo;</a>', 'f.xml:1:8: undefined entity'],
    ['an empty file', '', 'f.xml:1:1: document must contain a root element'],
    ['an unquoted attribute', '<a x=1/>', 'f.xml:1:6: unquoted attribute value'],
    ['a control character', '<a>\u0001</a>', 'f.xml:1:4: disallowed character'],
    ['text after the root', '<a/>\nb', 'f.xml:2:1: text outside of the root element']
  ]
  for (const [name, text, message] of faults) {
    it(`refuses ${name} with its place`, () => {
      assert.throws(() => readXml(text, 'f.xml'), { code: 'CB_XML_INVALID', message })
    })
  }

  it('gives file, line and column as details', () => {
    assert.throws(
      () => readXml('<a>\n <b>\n</a>', 'f.xml'),
      (error: CloudburstError) => {
        assert.deepEqual(error.details, { file: 'f.xml', line: 3, col: 1 })
        return true
      }
    )
  })

  it('refuses what is too deep, too large or too many', () => {
    assert.ok(readXml('<a>'.repeat(XML_DEPTH_MAX) + '</a>'.repeat(XML_DEPTH_MAX), 'f.xml'))
    assert.throws(() => readXml('<a>'.repeat(XML_DEPTH_MAX + 1), 'f.xml'), /nested deeper than 64/)
    assert.throws(() => readXml(`<a>${'<b/>'.repeat(XML_NODES_MAX)}</a>`, 'f.xml'), /more than 50000/)
    assert.throws(() => readXml(`<a>${'x'.repeat(XML_BYTES_MAX)}</a>`, 'f.xml'), /larger than 1048576 bytes/)
  })

  it('reads a file with a byte order mark', () => {
    assert.equal(showPlace(readXml('\uFEFF<a/>', 'f.xml').place), 'f.xml:1:1')
  })
})
