/** The definitions of all files of a program, includes in their places. */
import { posix } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { Complaint, Place, SourceFile } from './model.ts'
import { isOff } from './reading.ts'
import { didYouMean } from './did-you-mean.ts'
import type { XmlElement } from './xml.ts'
import { elementsOf, readXml } from './xml.ts'

/** Most files in one program: a program is written by people. */
export const FILES_MAX = 256

/** One direct child of a root. */
export interface Definition {
  readonly element: XmlElement
}

/** Everything that the files say, before it is understood. */
export interface Collected {
  readonly definitions: readonly Definition[]
  /** Every file that was read, in the order in which it was met. */
  readonly files: readonly SourceFile[]
  readonly roots: readonly { readonly root: XmlElement; readonly file: SourceFile }[]
}

type Include = (file: string, from: string) => SourceFile | undefined

/** Reads `given` in order, and what they include. Faults go to `errors`; what can be read is. */
export function collect(
  given: readonly SourceFile[],
  include: Include | undefined,
  errors: Complaint[],
  before: readonly SourceFile[] = []
): Collected {
  const definitions: Definition[] = []
  const files: SourceFile[] = []
  const roots: { root: XmlElement; file: SourceFile }[] = []
  const read = new Set<string>()

  const visit = (file: SourceFile, trail: readonly string[]): void => {
    if (read.has(file.name)) return
    read.add(file.name)
    files.push(file)
    const root = parse(file, errors)
    if (root === undefined) return
    roots.push({ root, file })
    visitChildren(root, file, [...trail, file.name])
  }

  const visitChildren = (parent: XmlElement, file: SourceFile, trail: readonly string[]): void => {
    for (const element of elementsOf(parent)) {
      if (isOff(element)) continue
      if (element.name === 'state') visitChildren(element, file, trail)
      else if (element.name === 'include') {
        const found = resolve(element, file, trail)
        if (found !== undefined) visit(found, trail)
      } else definitions.push({ element })
    }
  }

  const resolve = (element: XmlElement, from: SourceFile, trail: readonly string[]): SourceFile | undefined => {
    const name = element.attributes.get('file')?.value.trim() ?? ''
    const place = element.attributes.get('file')?.place ?? element.place
    const complain = (message: string): undefined => void errors.push({ place, message })
    if (name === '') return complain('<include> needs a file')
    const found = include?.(name, from.name) ?? among(given, name, from.name)
    if (found === undefined)
      return complain(
        `there is no file ${name} to include${didYouMean(
          name,
          given.map(file => file.name).filter(other => other !== from.name)
        )}`
      )
    if (trail.includes(found.name)) return complain(`${found.name} includes itself: ${[...trail, found.name].join(' → ')}`)
    if (files.length >= FILES_MAX) return complain(`the program has more than ${FILES_MAX} files`)
    return found
  }

  for (const file of [...before, ...given]) visit(file, [])
  return { definitions, files, roots }
}

/** A program that was sent carries its includes beside its root: found by name, beside the including file, or by the end of the name. */
function among(files: readonly SourceFile[], name: string, from: string): SourceFile | undefined {
  const beside = posix.normalize(posix.join(posix.dirname(from), name))
  const plain = name.replace(/^(\.\/)+/, '')
  return (
    files.find(file => file.name === beside) ??
    files.find(file => file.name === name) ??
    files.find(file => file.name.endsWith(`/${plain}`) || file.name === plain)
  )
}

function parse(file: SourceFile, errors: Complaint[]): XmlElement | undefined {
  try {
    return readXml(file.text, file.name)
  } catch (error) {
    if (!(error instanceof CloudburstError)) throw error
    const { line, col } = error.details
    const place: Place = { file: file.name, line: Number(line), col: Number(col) }
    errors.push({ place, message: error.message })
    return undefined
  }
}
