/** Program files named on the command line: where they are, and what goes to a daemon. Source: docs/language.md, "Files" */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CloudburstError } from '../errors.ts'
import type { Calls } from '../node/control/contract.ts'
import type { Io } from './io.ts'

type SourceFile = Calls['load']['request']['files'][number]

/** Files of one program, includes counted: what one could still call a program. */
const FILES_MAX = 200

/**
 * Paths of the files named: as they are when they contain `/`, else in the working directory, $CBPATH, or the shipped programs.
 * @throws CloudburstError CB_PROGRAM_UNKNOWN
 */
export function findFiles(names: readonly string[], io: Io): string[] {
  return names.map(name => find(name, io.cwd, io))
}

/**
 * The files named and all that they include, each once, in order of first mention.
 * @throws CloudburstError CB_PROGRAM_UNKNOWN, CB_PROGRAM_INVALID
 */
export function readProgramFiles(names: readonly string[], io: Io): SourceFile[] {
  const files = new Map<string, SourceFile>()
  const read = (path: string, name: string): void => {
    if (files.has(path)) return
    if (files.size >= FILES_MAX)
      throw new CloudburstError('CB_PROGRAM_INVALID', `a program has more than ${FILES_MAX} files`, { file: name })
    const text = textOf(path, name)
    files.set(path, { name, text })
    for (const include of includesOf(text)) read(find(include, dirname(path), io), include)
  }
  for (const name of names) read(find(name, io.cwd, io), name.split('/').at(-1) ?? name)
  return [...files.values()]
}

function textOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EISDIR' ? 'it is a directory' : 'it may not be read'
    throw new CloudburstError('CB_PROGRAM_UNKNOWN', `${path} is no program file: ${reason}`, { file: name }, error)
  }
}

function find(name: string, from: string, io: Io): string {
  const places = name.includes('/') ? [from] : [from, io.cwd, ...searchPath(io), ...shipped()]
  const found = places.map(place => resolve(place, name)).find(path => existsSync(path))
  if (found !== undefined) return found
  throw new CloudburstError(
    'CB_PROGRAM_UNKNOWN',
    `there is no file ${name}${name.includes('/') ? '' : ' here, in $CBPATH or among the shipped programs'}`,
    { file: name }
  )
}

function searchPath({ env, cwd }: Io): string[] {
  const places = (env['CBPATH'] ?? '').split(':').filter(place => place !== '')
  return places.map(place => resolve(cwd, place.replace(/^~(?=\/|$)/, env['HOME'] ?? '~')))
}

/** Beside dist/ when bundled, beside src/ when not. */
function shipped(): string[] {
  const here = dirname(fileURLToPath(import.meta.url))
  return [join(here, '../programs'), join(here, '../../programs')]
}

/** Only finds which files to send along; whether they are well-formed, and what they mean, the reader of programs decides. */
function includesOf(text: string): string[] {
  const code = text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, '')
  return [...code.matchAll(/<include\s[^>]*?\bfile\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, double, single]) => double ?? single ?? '')
}
