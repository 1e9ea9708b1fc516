/**
 * Canonical form of a program's text. White space is set anew where it means nothing and is kept byte for byte where it is
 * part of a value; comments stay; attributes get double quotes. Source: docs/language.md, "Layout".
 */
import { type Child, type Tag, tokensOf, treeOf } from './format-tree.ts'
import { keepsSpace } from './layout.ts'
import { readXml } from './xml.ts'

/** Longest line on which an element with children stays; the author's own text may be longer. */
export const LINE_LENGTH_MAX = 140

/**
 * `text` in canonical form; the same for what is in this form already. Line ends become \n, a byte order mark goes.
 * @throws CloudburstError CB_XML_INVALID when it is not well-formed
 */
export function formatProgram(text: string, file: string): string {
  readXml(text, file)
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  return `${block(treeOf(tokensOf(source)), '').join('\n')}\n`
}

/** The children of an element whose white space means nothing, one or more on each line. */
function block(children: readonly Child[], indent: string): string[] {
  const lines: string[] = []
  let blank = false
  let sameLine = false
  for (const child of children) {
    if (child.kind === 'text' && child.raw.trim() === '') {
      blank = lines.length > 0 && /\n[ \t]*\n/.test(child.raw)
      sameLine = !child.raw.includes('\n')
      continue
    }
    const written = indent + write(child, indent)
    // a comment behind something belongs to it
    if (child.kind === 'comment' && sameLine && lines.length > 0 && !child.raw.includes('\n')) lines.push(`${lines.pop()!} ${child.raw}`)
    else lines.push(...(blank ? [''] : []), written)
    blank = false
    sameLine = child.kind !== 'text' || !child.raw.endsWith('\n')
  }
  return lines
}

function write(child: Child, indent: string): string {
  if (child.kind === 'text') return child.raw.trim()
  if (child.kind !== 'element') return child.raw
  if (child.children.length === 0) return startTag(child, true)
  if (isKept(child)) return `${startTag(child)}${child.children.map(kept).join('')}</${child.name}>`
  const line = oneLine(child)
  if (line !== undefined && indent.length + line.length <= LINE_LENGTH_MAX) return line
  const inner = block(child.children, `${indent}  `)
  return inner.length === 0 ? startTag(child, true) : [startTag(child), ...inner, `${indent}</${child.name}>`].join('\n')
}

/** An element whose author put it on one line; undefined when it was on several. */
function oneLine(child: Child): string | undefined {
  if (child.kind !== 'element') return child.kind === 'text' && !child.raw.includes('\n') ? child.raw.trim() : undefined
  if (child.children.length === 0) return startTag(child, true)
  if (isKept(child)) {
    const text = write(child, '')
    return text.includes('\n') ? undefined : text
  }
  const parts: string[] = []
  for (const part of child.children) {
    if (part.kind === 'text' && part.raw.trim() === '' && !part.raw.includes('\n')) continue
    const line = oneLine(part)
    if (line === undefined || (part.kind === 'text' && line === '')) return undefined
    parts.push(line)
  }
  return parts.length === 0 ? undefined : `${startTag(child)}${parts.join('')}</${child.name}>`
}

/** Inside of a text nothing but the form of tags may change. */
function kept(child: Child): string {
  if (child.kind !== 'element') return child.raw
  return child.children.length === 0 ? startTag(child, true) : `${startTag(child)}${child.children.map(kept).join('')}</${child.name}>`
}

function isKept({ name, children }: Tag): boolean {
  const hasText = children.some(child => child.kind === 'cdata' || (child.kind === 'text' && child.raw.trim() !== ''))
  return keepsSpace(
    name,
    hasText,
    children.flatMap(child => (child.kind === 'element' ? [child.name] : []))
  )
}

function startTag(tag: Tag, empty = false): string {
  const attributes = tag.attributes.map(({ name, value }) => {
    const quote = value.includes('"') ? "'" : '"'
    return ` ${name}=${quote}${value}${quote}`
  })
  return `<${tag.name}${attributes.join('')}${empty ? '/>' : '>'}`
}
