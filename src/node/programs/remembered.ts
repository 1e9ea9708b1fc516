/**
 * What was made of program files, remembered below $XDG_CACHE_HOME by all that it was made of, the code included. It can be thrown
 * away at any time, and is believed only where nobody but this user could have written it. Source: XDG Base Directory Specification
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync
} from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { replaceFile } from '../files/atomic-file.ts'
import type { Surroundings } from './program-files.ts'

const OTHERS_WRITE = 0o022

export interface Remembered {
  recall(): unknown
  /** Whole or not at all; that it is not kept, for want of space or rights, is no loss. */
  remember(made: unknown): void
}

/**
 * A place for one thing; undefined where there is none, and where the code runs from its sources, which change.
 * @param kind a directory of its own
 * @param madeOf everything that it depends on
 * @param most things of the kind that are kept, the newest
 */
export function remembered(kind: string, madeOf: unknown, most: number, env: Surroundings['env']): Remembered | undefined {
  const built = builtOf()
  const place = built === undefined ? undefined : placeOf(kind, env)
  if (place === undefined) return undefined
  const name = `${createHash('sha256')
    .update(JSON.stringify([built, madeOf]))
    .digest('hex')
    .slice(0, 32)}.json`
  return {
    recall: () => {
      try {
        const kept = JSON.parse(ownText(place, name)) as { readonly name?: string; readonly made?: unknown } | null
        return kept?.name === name ? kept.made : undefined
      } catch {
        return undefined
      }
    },
    remember: made => {
      try {
        mkdirSync(place, { recursive: true, mode: 0o700 })
        replaceFile(join(place, name), JSON.stringify({ name, made }), 0o600)
        const kept = readdirSync(place).map(name => ({ name, at: statSync(join(place, name)).mtimeMs }))
        for (const { name } of kept.sort((a, b) => b.at - a.at).slice(most)) rmSync(join(place, name), { force: true })
      } catch {
        return
      }
    }
  }
}

/** Which code makes it: another one may make something else. */
function builtOf(): string | undefined {
  const file = fileURLToPath(import.meta.url)
  return file.endsWith('.ts') ? undefined : `${file} ${statSync(file).mtimeMs}`
}

function placeOf(kind: string, { XDG_CACHE_HOME: cache = '', HOME: home = '' }: Surroundings['env']): string | undefined {
  if (isAbsolute(cache)) return join(cache, 'cloudburst', kind)
  return isAbsolute(home) ? join(home, '.cache', 'cloudburst', kind) : undefined
}

/**
 * The text of the very file that was looked at, and that nobody but this user could have put there.
 * @throws Error when there is none
 */
function ownText(place: string, name: string): string {
  requireOwn(lstatSync(place))
  const file = openSync(join(place, name), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    requireOwn(fstatSync(file))
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function requireOwn({ mode, uid }: Stats): void {
  if (uid !== process.getuid?.() || (mode & OTHERS_WRITE) !== 0) throw new Error('others could have written it')
}
