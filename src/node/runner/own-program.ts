/** How a small process of our own is started, built or from source. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * The arguments of Node for one of the programs of this folder, such as `forker`: its source in a checkout, its bundle
 * with these `options` of V8 once built.
 *
 * @throws {Error} when the bundle is missing from the installation.
 */
export function ownProgram(name: 'main' | 'forker', options: readonly string[]): string[] {
  const here = fileURLToPath(import.meta.url)
  if (here.endsWith('.ts')) {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
    return ['--import', tsx, join(dirname(here), `${name}.ts`)]
  }
  const bundle = name === 'main' ? 'runner.js' : `${name}.js`
  // The bundle stands beside this one, or above it when this is one of its chunks.
  const built = [bundle, `../${bundle}`].map(file => join(dirname(here), file)).find(file => existsSync(file))
  if (built === undefined) throw new Error(`${bundle} is missing beside ${here}: install cloudburst again`)
  return [...options, built]
}
