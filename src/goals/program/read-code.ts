/** `<code>`, older `<python>`, `<editFile>`, `<wait>`. */
import type { CodeStatement, EditFileStatement, FileEdit, Statement, Template, WaitStatement } from './model.ts'
import { readConditions } from './read-expression.ts'
import type { Reading } from './reading.ts'
import { attribute, choice, fail, flag, ignoreText, parts, seconds, unexpected } from './reading.ts'
import { readPattern } from './read-pattern.ts'
import { readBase } from './read-shell.ts'
import { readAttributeTemplate, readTemplate } from './read-template.ts'
import { childrenOf } from './vocabulary.ts'
import type { XmlElement } from './xml.ts'

/** Wait between two looks, in seconds, unless every= says otherwise. */
export const EVERY_S = 1
/** Shortest such wait: each look may be a process. */
const EVERY_S_MIN = 0.05

/** `<code language>`. */
export function readCode(reading: Reading, element: XmlElement): CodeStatement | undefined {
  const language = choice(reading, element, 'language', ['javascript', 'python'])
  if (language === undefined && attribute(element, 'language') === undefined)
    return fail(reading, element.place, '<code> needs language="javascript" or language="python"')
  return codeOf(reading, element, element, language ?? 'javascript', false)
}

/** Older `<python><code>…</code></python>`. */
export function readPython(reading: Reading, element: XmlElement): Statement | undefined {
  ignoreText(reading, element)
  const inner = parts(reading, element).filter(part => part.name !== 'describe')
  const other = inner.find(part => part.name !== 'code')
  if (other !== undefined) return unexpected(reading, other, 'python', ['code', 'describe'])
  const [code, second] = inner
  if (code === undefined) return fail(reading, element.place, '<python> needs a <code>')
  if (second !== undefined) return fail(reading, second.place, 'a <python> has one <code>')
  return codeOf(reading, element, code, 'python', true)
}

function codeOf(
  reading: Reading,
  outer: XmlElement,
  element: XmlElement,
  language: CodeStatement['language'],
  pasted: boolean
): CodeStatement | undefined {
  const text = readTemplate(reading, element, ['describe'])
  for (const part of text) {
    if (part.kind !== 'text' && part.kind !== 'get' && part.kind !== 'set')
      fail(reading, part.place, `<${element.name}> holds text, <get> and <set>, nothing else`)
    if (part.kind === 'set' && ['host', 'peer', 'nodes'].includes(String(part.path[0])))
      fail(reading, part.place, `${String(part.path[0])} cannot be written`)
  }
  if (text.every(part => part.kind === 'text' && part.text.trim() === '')) return fail(reading, element.place, '<code> is empty')
  return { ...readBase(reading, outer), kind: 'code', language, text, pasted }
}

/** `<editFile path>` and the edits in it. */
export function readEditFile(reading: Reading, element: XmlElement): EditFileStatement | undefined {
  ignoreText(reading, element)
  const path = readAttributeTemplate(reading, element, 'path')
  const list = parts(reading, element).filter(part => part.name !== 'describe')
  const edits = list.flatMap(part => readEdit(reading, part) ?? [])
  if (path === undefined) return fail(reading, element.place, '<editFile> needs a path')
  if (list.length === 0)
    return fail(
      reading,
      element.place,
      '<editFile> needs an edit: <replace>, <insertAfter>, <insertBefore>, <append>, <prepend> or <remove>'
    )
  return { ...readBase(reading, element), kind: 'editFile', path, create: flag(reading, element, 'create'), edits }
}

function readEdit(reading: Reading, element: XmlElement): FileEdit | undefined {
  const { name, place } = element
  switch (name) {
    case 'append':
    case 'prepend':
      return { kind: name, text: needLines(reading, element), place }
    case 'insertAfter':
    case 'insertBefore': {
      const pattern = readPattern(reading, element, 'pattern')
      return pattern && { kind: name, pattern, text: needLines(reading, element), place }
    }
    case 'remove': {
      const pattern = readPattern(reading, element, 'pattern')
      return pattern && { kind: 'remove', pattern, place }
    }
    case 'replace':
      return readReplace(reading, element)
    default:
      return unexpected(reading, element, 'editFile', childrenOf('editFile'))
  }
}

function readReplace(reading: Reading, element: XmlElement): FileEdit | undefined {
  const pattern = readPattern(reading, element, 'pattern')
  const given = element.attributes.get('with')
  const text = readTemplate(reading, element)
  const written = text.some(part => part.kind !== 'text' || part.text.trim() !== '')
  if (given !== undefined && written) fail(reading, given.place, 'with= and the text of <replace> exclude each other')
  if (given === undefined && !written)
    return fail(reading, element.place, '<replace> needs its text, or with="" to take away what matches: see also <remove>')
  const all = attribute(element, 'all') === undefined ? undefined : flag(reading, element, 'all')
  const first = flag(reading, element, 'first') || all === false
  if (first && all === true) fail(reading, element.attributes.get('all')!.place, 'all= and first= exclude each other')
  const short = given === undefined ? text : (readAttributeTemplate(reading, element, 'with', true) ?? [])
  return pattern && { kind: 'replace', pattern, text: short, first, place: element.place }
}

function needLines(reading: Reading, element: XmlElement): Template {
  const text = readTemplate(reading, element)
  if (text.every(part => part.kind === 'text' && part.text.trim() === ''))
    fail(reading, element.place, `<${element.name}> needs the lines to put in`)
  return text
}

/** `<wait seconds>` or `<wait>` with what must come to hold. */
export function readWait(reading: Reading, element: XmlElement): WaitStatement | undefined {
  const given = attribute(element, 'seconds')
  const time = readAttributeTemplate(reading, element, 'seconds')
  if (given !== undefined && !given.includes('${')) seconds(reading, element, 'seconds')
  const conditions = { ...element, children: element.children.filter(child => child.kind === 'text' || child.name !== 'describe') }
  const until = readConditions(reading, conditions)
  if (time === undefined && until.length === 0)
    return fail(reading, element.place, '<wait> needs seconds= or an expression that is to hold')
  if (time !== undefined && until.length > 0)
    fail(reading, element.attributes.get('seconds')!.place, 'seconds= is for a <wait> without expression: use timeout=')
  const everyS = Math.max(EVERY_S_MIN, seconds(reading, element, 'every') ?? EVERY_S)
  return { ...readBase(reading, element), kind: 'wait', ...(time === undefined ? {} : { seconds: time }), until, everyS }
}
