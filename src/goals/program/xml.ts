/**
 * The strict gate for all XML that we define (programs, neighborhood, permissions): text → element tree in
 * which everything knows its line and column. No DOCTYPE, so no entities of one's own and nothing to expand.
 */
import { SaxesParser } from 'saxes'
import { CloudburstError } from '../../errors.ts'
import type { Place } from './model.ts'

/** Longest file, in UTF-8 bytes: a program is written by people; data belongs into files of their own. */
export const XML_BYTES_MAX = 1024 * 1024
/** Deepest nesting of elements: readers of the tree may recurse. */
export const XML_DEPTH_MAX = 64
/** Most elements, texts and attributes in one file: bounds the memory that one file can take. */
export const XML_NODES_MAX = 50_000

/** One element with its attributes and children in document order. */
export interface XmlElement {
  readonly kind: 'element'
  readonly name: string
  readonly attributes: ReadonlyMap<string, XmlAttribute>
  readonly children: readonly (XmlElement | XmlText)[]
  /** Of its `<`. */
  readonly place: Place
  /** Its own text, from `<` to `>`, with line ends as they are in the file. */
  readonly source: string
}

/** Decoded value; the place is that of the attribute's name. */
export interface XmlAttribute {
  readonly value: string
  readonly place: Place
}

/** Text between tags, entities and CDATA decoded, comments left out; never empty, perhaps blank. */
export interface XmlText {
  readonly kind: 'text'
  readonly text: string
  /** Of the first character that is not white space. */
  readonly place: Place
}

/**
 * The root element of `text`. `file` is only a name for messages.
 * @throws CloudburstError CB_XML_INVALID with `file:line:col: reason`; details: file, line, col
 */
export function readXml(text: string, file: string): XmlElement {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const places = placesOf(source, file)
  if (Buffer.byteLength(source) > XML_BYTES_MAX) throw invalid(places(0), `the file is larger than ${XML_BYTES_MAX} bytes`)
  return new TreeBuilder(source, places).build()
}

/** An error of the XML gate at `place`; for readers that find what well-formedness does not cover. */
export function invalid(place: Place, reason: string): CloudburstError {
  const { file, line, col } = place
  return new CloudburstError('CB_XML_INVALID', `${showPlace(place)}: ${reason}`, { file, line, col })
}

/** `file:line:col`, as compilers print and editors jump to. */
export function showPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.col}`
}

/** All text directly inside `element`, elements left out. */
export function textOf(element: XmlElement): string {
  return element.children.map(child => (child.kind === 'text' ? child.text : '')).join('')
}

/** The child elements, texts left out. */
export function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter(child => child.kind === 'element')
}

interface OpenElement {
  readonly kind: 'element'
  readonly name: string
  attributes: ReadonlyMap<string, XmlAttribute>
  readonly children: (XmlElement | OpenText)[]
  readonly place: Place
  source: string
  readonly start: number
}

interface OpenText {
  readonly kind: 'text'
  text: string
  place: Place
}

/** Most elements have none: one map for all of them. */
const NO_ATTRIBUTES: ReadonlyMap<string, XmlAttribute> = new Map()

/** Builds the tree from saxes' events, keeping the offset in the source beside it. */
class TreeBuilder {
  private readonly source: string
  private readonly places: (offset: number) => Place
  private readonly parser = new SaxesParser({ position: true })
  private readonly open: OpenElement[] = []
  private root: OpenElement | undefined
  private closed: OpenElement | undefined
  private nodes = 0
  /** Where the text or attribute that comes next begins. */
  private cursor = 0

  constructor(source: string, places: (offset: number) => Place) {
    this.source = source
    this.places = places
  }

  build(): XmlElement {
    const { parser } = this
    parser.on('error', error => this.fail(error.message))
    parser.on('doctype', () => {
      throw invalid(this.tagPlace(), 'DOCTYPE is not allowed')
    })
    parser.on('opentagstart', tag => this.begin(tag.name))
    parser.on('attribute', attribute => this.attribute(attribute.name, attribute.value))
    parser.on('opentag', () => this.mark())
    parser.on('closetag', () => this.end())
    parser.on('text', text => this.text(text, this.cursor))
    parser.on('cdata', text => this.text(text, this.cursor + '<![CDATA['.length))
    parser.on('comment', () => this.mark())
    parser.on('processinginstruction', () => this.mark())
    parser.write(this.source).close()
    if (this.root === undefined) throw invalid(this.places(0), 'the file has no root element')
    return this.root
  }

  private mark(): void {
    this.cursor = this.parser.position
  }

  private count(): void {
    this.nodes += 1
    if (this.nodes > XML_NODES_MAX) throw invalid(this.tagPlace(), `the file has more than ${XML_NODES_MAX} elements, texts and attributes`)
  }

  /** Start of the tag that is being read: a tag's name cannot contain `<`. */
  private tagStart(): number {
    return Math.max(0, this.source.lastIndexOf('<', this.parser.position - 1))
  }

  private tagPlace(): Place {
    return this.places(this.tagStart())
  }

  private begin(name: string): void {
    const start = this.tagStart()
    const place = this.places(start)
    this.count()
    if (this.open.length >= XML_DEPTH_MAX) throw invalid(place, `<${name}> is nested deeper than ${XML_DEPTH_MAX} elements`)
    const element: OpenElement = { kind: 'element', name, attributes: NO_ATTRIBUTES, children: [], place, source: '', start }
    const parent = this.open.at(-1)
    if (parent === undefined) this.root = element
    else parent.children.push(element)
    this.open.push(element)
    this.cursor = start + 1 + name.length
  }

  private attribute(name: string, value: string): void {
    this.count()
    const place = this.places(this.skipBlank(this.cursor))
    const element = this.open.at(-1)!
    if (element.attributes.has(name)) throw invalid(place, `the attribute ${name} is given twice`)
    element.attributes = new Map([...element.attributes, [name, { value, place }]])
    this.mark()
  }

  private end(): void {
    const element = this.open.pop()!
    this.closed = element
    element.source = this.source.slice(element.start, this.parser.position)
    this.mark()
  }

  private text(text: string, start: number): void {
    const parent = this.open.at(-1)
    this.cursor = this.parser.position
    if (parent === undefined || text === '') return
    const place = this.places(this.skipBlank(start))
    const last = parent.children.at(-1)
    if (last?.kind !== 'text') {
      this.count()
      parent.children.push({ kind: 'text', text, place })
      return
    }
    if (last.text.trim() === '') last.place = place
    last.text += text
  }

  private skipBlank(start: number): number {
    let offset = start
    while (offset < this.source.length && ' \t\r\n'.includes(this.source[offset]!)) offset += 1
    return offset
  }

  private fail(message: string): never {
    const reason = message.replace(/^(\d+:\d+: )/, '').replace(/\.$/, '')
    if (reason.startsWith('unexpected close tag')) {
      // saxes closes the element first and complains after
      const { name, place } = this.closed!
      throw invalid(this.tagPlace(), `expected </${name}> for the <${name}> of line ${place.line}`)
    }
    const bare = reason.startsWith('unclosed tag') ? bareAmpersand(this.source) : -1
    if (bare >= 0) throw invalid(this.places(bare), 'a bare & is written &amp;')
    const top = this.open.at(-1)
    if (reason.startsWith('unclosed tag') && top !== undefined) throw invalid(top.place, `<${top.name}> is never closed`)
    if (reason.startsWith('documents may contain only one root')) throw invalid(this.tagPlace(), 'a second root element')
    if (reason.startsWith('text data outside')) throw invalid(this.places(this.skipBlank(this.cursor)), 'text outside of the root element')
    const hint = reason === 'disallowed character in tag name' ? ': a bare < is written &lt;' : ''
    throw invalid(this.places(Math.max(0, this.parser.position - 1)), reason + hint)
  }
}

/** Where a `&` begins no entity; the parser would take all up to the end for its name. -1 when there is none. */
function bareAmpersand(source: string): number {
  const blank = (text: string): string => ' '.repeat(text.length)
  return source.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, blank).search(/&(?!#\d+;|#x[\da-fA-F]+;|[\w.:-]+;)/)
}

/**
 * Offset → place, by binary search over the starts of lines; columns count characters, not UTF-16 units.
 * Remembers the last answer of a line, so that asking from left to right is linear even for one long line.
 */
function placesOf(source: string, file: string): (offset: number) => Place {
  const starts = [0]
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1)
  // without surrogates a column is only a difference
  const isPlain = !/[\uD800-\uDFFF]/.test(source)
  let last = { line: 0, offset: 0, col: 1 }
  return offset => {
    // most are asked for in order: in the line of the last one, or a little further on
    let low = last.offset <= offset ? last.line : 0
    let high = starts.length - 1
    if (low < high && starts[low + 1]! > offset) high = low
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    if (isPlain) {
      last = { line: low, offset, col: offset - starts[low]! + 1 }
      return { file, line: low + 1, col: last.col }
    }
    const from = last.line === low && last.offset <= offset ? last : { offset: starts[low]!, col: 1 }
    last = { line: low, offset, col: from.col + [...source.slice(from.offset, offset)].length }
    return { file, line: low + 1, col: last.col }
  }
}
