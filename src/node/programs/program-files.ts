/**
 * Program files on this machine: where they are, what they include, and the private one beside them. One piece of code for
 * programs that run from files and for those that go to a daemon. Source: docs/language.md, "Files".
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CloudburstError } from '../../errors.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { SourceFile } from '../../goals/program/model.ts'
import { isOff } from '../../goals/program/reading.ts'
import { elementsOf, readXml, XML_BYTES_MAX, type XmlElement } from '../../goals/program/xml.ts'

/** What looking for files needs to know of the process. */
export interface Surroundings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Most files of one program, includes counted. */
const FILES_MAX = 256
const OTHERS = 0o077

/**
 * Paths of the files named: as they are when they contain `/`, else in the working directory, $CBPATH, or the shipped programs.
 * @throws CloudburstError CB_PROGRAM_UNKNOWN
 */
export function findFiles(names: readonly string[], around: Surroundings): string[] {
  return names.map(name => {
    const found = find(name, around.cwd, around)
    if (found !== undefined) return found
    const where = name.includes('/') ? '' : ' here, in $CBPATH or among the shipped programs'
    throw new CloudburstError('CB_PROGRAM_UNKNOWN', `there is no file ${name}${where}${nearFile(name, around)}`, { file: name })
  })
}

/** A program beside the one that was not found, whose name is nearly the same. */
function nearFile(name: string, around: Surroundings): string {
  const directory = resolve(around.cwd, dirname(name))
  try {
    const near = didYouMean(
      basename(name),
      readdirSync(directory).filter(each => each.endsWith('.xml'))
    )
    return name.includes('/') ? near.replace('mean ', `mean ${dirname(name)}/`) : near
  } catch {
    return ''
  }
}

/**
 * The files named, then all that they include, each once. An include that is not found is left to the reader of the program,
 * which knows the place to complain at.
 * @throws CloudburstError CB_PROGRAM_UNKNOWN for a file that was named, CB_PROGRAM_INVALID for too many files
 */
export function readProgramFiles(names: readonly string[], around: Surroundings): SourceFile[] {
  const files = new Map<string, SourceFile>()
  const read = (path: string, name: string): void => {
    if (files.has(path)) return
    if (files.size >= FILES_MAX)
      throw new CloudburstError('CB_PROGRAM_INVALID', `a program has more than ${FILES_MAX} files`, { file: name, line: 1 })
    const text = textOf(path, name)
    files.set(path, { name, text })
    for (const include of includesOf(text, name)) {
      const found = find(include, dirname(path), around)
      if (found !== undefined) read(found, nameOf(include, name, found, dirname(path)))
    }
  }
  for (const path of findFiles(names, around)) read(path, basename(path))
  return [...files.values()]
}

/** `~/.cloudburst/private.xml`: credentials, read before every program. Undefined when there is none. */
export function readPrivate({ env }: Pick<Surroundings, 'env'>): { readonly file: SourceFile; readonly warning?: string } | undefined {
  const home = env['HOME']
  if (home === undefined || !isAbsolute(home)) return undefined
  const path = join(home, '.cloudburst', 'private.xml')
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || !found.isFile()) return undefined
  const file = { name: path, text: textOf(path, path) }
  if ((found.mode & OTHERS) === 0) return { file }
  return { file, warning: `others can use ${path}, which is for credentials: chmod 600 ${path}` }
}

function find(name: string, from: string, { cwd, env }: Surroundings): string | undefined {
  const home = env['HOME'] ?? '~'
  const search = (env['CBPATH'] ?? '').split(':').filter(place => place !== '')
  const places = name.includes('/')
    ? [from]
    : [from, cwd, ...search.map(place => resolve(cwd, place.replace(/^~(?=\/|$)/, home))), shippedDirectory()]
  const plain = name.replace(/^~(?=\/)/, home)
  return places.map(place => resolve(place, plain)).find(path => existsSync(path))
}

/** Where the programs lie that come with the product: beside dist/ when bundled, beside src/ when not. */
export function shippedDirectory(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../../programs' : '../programs', import.meta.url))
}

/** How an included file is called within its program: beside the file that includes it, or as it was included. */
function nameOf(include: string, from: string, path: string, directory: string): string {
  return !isAbsolute(include) && path === resolve(directory, include) ? posix.normalize(posix.join(posix.dirname(from), include)) : include
}

function textOf(path: string, name: string): string {
  try {
    const found = statSync(path)
    if (!found.isFile())
      throw new CloudburstError('CB_PROGRAM_UNKNOWN', `${path} is no program file${found.isDirectory() ? ' but a directory' : ''}`, {
        file: name
      })
    if (found.size > XML_BYTES_MAX)
      throw new CloudburstError('CB_PROGRAM_INVALID', `${name} is larger than ${XML_BYTES_MAX} bytes`, { file: name, line: 1 })
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof CloudburstError) throw error
    throw new CloudburstError('CB_PROGRAM_UNKNOWN', `${name} cannot be read: ${(error as Error).message}`, { file: name })
  }
}

/** Files that are included and not switched off; of a text that is not well-formed none: the reader complains of it. */
function includesOf(text: string, name: string): string[] {
  if (!text.includes('<include')) return []
  try {
    return includesIn(readXml(text, name))
  } catch (error) {
    if (error instanceof CloudburstError) return []
    throw error
  }
}

function includesIn(element: XmlElement): string[] {
  return elementsOf(element).flatMap(child => {
    if (isOff(child)) return []
    if (child.name === 'state') return includesIn(child)
    const file = child.name === 'include' ? (child.attributes.get('file')?.value.trim() ?? '') : ''
    return file === '' ? [] : [file]
  })
}
