import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package root, without a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** What dist/ is made of. A change in any of these makes dist/ stale. */
const ingredients = ['src', 'web', 'package-lock.json', 'scripts/build.mjs']

/** Every file under `path`, itself if it is one, sorted; nothing if it does not exist. */
function filesUnder(path) {
  let entries
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    if (error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => (entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)]))
}

/** One hash over the names and contents of all ingredients of dist/. Contents, not times: a fresh clone has new times only. */
export function hashOfSources(from = root) {
  const hash = createHash('sha256')
  for (const file of ingredients.flatMap(name => filesUnder(join(from, name)))) {
    const content = readFileSync(file)
    hash.update(`${file.slice(from.length)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** What the last build wrote about itself, or undefined without one. Shape: `{ sources: hash, files: string[] }`. */
export function lastBuild(from = root) {
  try {
    return JSON.parse(readFileSync(join(from, 'dist/build.json'), 'utf8'))
  } catch {
    return undefined
  }
}
