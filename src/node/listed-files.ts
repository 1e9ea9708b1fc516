/** Many files of one directory looked at together: its listing takes a fraction of the time of a look at each. */
import { readdir, stat } from 'node:fs/promises'
import type { FactQuery } from '../goals/ports.ts'
import type { FileTest } from '../goals/program/model.ts'

/** Fewest files of one directory that are worth a listing. */
const TOGETHER_LEAST = 32
/** Largest directory that is listed, in bytes for each file that is asked for: most of a larger one would be of no use. A name takes 20 to 300. */
const BYTES_PER_FILE_MAX = 256

interface Asked {
  readonly at: number
  readonly test: FileTest
}

/**
 * What listings tell, by place in `queries`: of plain files that are there under exactly that name. Of all others nothing is told,
 * such as links, directories that may be mount points, or names that a file system may know in another spelling: each of them is to
 * be looked at.
 */
export async function seenTogether(queries: readonly FactQuery[]): Promise<ReadonlyMap<number, boolean>> {
  const seen = new Map<number, boolean>()
  for (const [directory, names] of byDirectory(queries)) if (names.size >= TOGETHER_LEAST) await see(directory, names, seen)
  return seen
}

function byDirectory(queries: readonly FactQuery[]): Map<string, Map<string, Asked[]>> {
  const directories = new Map<string, Map<string, Asked[]>>()
  if (queries.length < TOGETHER_LEAST) return directories
  queries.forEach((query, at) => {
    if (query.kind !== 'file' || query.test === 'executable') return
    const end = query.path.lastIndexOf('/')
    const name = query.path.slice(end + 1)
    // A name whose bytes are no text is shown as another one.
    if (end <= 0 || name === '' || name === '.' || name === '..' || name.includes('\uFFFD')) return
    const directory = query.path.slice(0, end)
    const names = directories.get(directory) ?? new Map<string, Asked[]>()
    directories.set(directory, names)
    const asked = names.get(name)
    if (asked === undefined) names.set(name, [{ at, test: query.test }])
    else asked.push({ at, test: query.test })
  })
  return directories
}

async function see(directory: string, names: ReadonlyMap<string, readonly Asked[]>, seen: Map<number, boolean>): Promise<void> {
  try {
    // Who may read the names may yet not be let in to look at the files: that is what the dot is for.
    const { size } = await stat(`${directory}/.`)
    if (size > names.size * BYTES_PER_FILE_MAX) return
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const asked = names.get(entry.name)
      if (asked !== undefined && entry.isFile()) for (const { at, test } of asked) seen.set(at, test !== 'directory')
    }
  } catch {
    // What was not seen is looked at by itself.
  }
}
