/**
 * The goals of program files as rows, remembered: a listing is a function of the files' texts, so that the same files are
 * read into a program once. What is remembered can be thrown away at any time.
 */
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GoalRow } from '../../goals/config/tabulator.ts'
import { replaceFile } from '../files/atomic-file.ts'
import { readPrivate, readProgramFiles, type Surroundings } from './program-files.ts'

/** Most listings that are remembered, newest first: some MB at most. */
const LISTINGS_MAX = 64
const OTHERS_WRITE = 0o022

export interface Listing {
  readonly rows: readonly GoalRow[]
  readonly warnings: readonly string[]
}

/**
 * @param names files as they were typed
 * @throws CloudburstError CB_PROGRAM_INVALID, CB_PROGRAM_UNKNOWN: what is wrong is never remembered
 */
export async function listing(
  names: readonly string[],
  around: Surroundings,
  { strict, locale }: { readonly strict: boolean; readonly locale?: string }
): Promise<Listing> {
  const files = readProgramFiles(names, around)
  const own = readPrivate(around)
  const built = builtOf()
  const place = built === undefined ? undefined : placeOf(around.env)
  const name = `${digest([built, strict, locale, own, files])}.json`
  const known = place === undefined ? undefined : recall(place, name)
  if (known !== undefined) return known
  const [{ readProgram }, { tabulate }, { showPlace }] = await Promise.all([
    import('../../goals/program/read.ts'),
    import('../../goals/config/tabulator.ts'),
    import('../../goals/program/xml.ts')
  ])
  const program = readProgram(files, { before: own === undefined ? [] : [own.file], strict })
  const made: Listing = {
    rows: tabulate(program, locale),
    warnings: [
      ...(own?.warning === undefined ? [] : [own.warning]),
      ...program.warnings.map(warning => `${showPlace(warning.place)}: ${warning.message}`)
    ]
  }
  if (place !== undefined) remember(place, name, made)
  return made
}

/** Which code would read the program: another one may see other rows. Undefined when it runs from its sources, which change. */
function builtOf(): string | undefined {
  const file = fileURLToPath(import.meta.url)
  return file.endsWith('.ts') ? undefined : `${file} ${statSync(file).mtimeMs}`
}

/** Source: XDG Base Directory Specification */
function placeOf(env: Surroundings['env']): string | undefined {
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env
  if (isAbsolute(cache)) return join(cache, 'cloudburst', 'listings')
  return isAbsolute(home) ? join(home, '.cache', 'cloudburst', 'listings') : undefined
}

/** What nobody but us could have put there. */
function recall(place: string, name: string): Listing | undefined {
  try {
    const { mode, uid } = lstatSync(place)
    if (uid !== process.getuid?.() || (mode & OTHERS_WRITE) !== 0) return undefined
    return JSON.parse(readFileSync(join(place, name), 'utf8')) as Listing
  } catch {
    return undefined
  }
}

/** Whole or not at all; that it is not kept, for want of space or rights, is no loss. */
function remember(place: string, name: string, made: Listing): void {
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 })
    replaceFile(join(place, name), JSON.stringify(made), 0o600)
    const kept = readdirSync(place).map(name => ({ name, at: statSync(join(place, name)).mtimeMs }))
    for (const { name } of kept.sort((a, b) => b.at - a.at).slice(LISTINGS_MAX)) rmSync(join(place, name), { force: true })
  } catch {
    return
  }
}

function digest(of: unknown): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32)
}
