import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { simulate } from '../world/simulate.ts'
import type { Variant } from './variants.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Below node_modules, so that packages are found from there. */
export const BUILT = join(root, 'node_modules/.cache/cloudburst-sim')

/**
 * A file of test/sim and all it imports as one module: it begins faster, runs faster, and stays as it is whatever changes meanwhile.
 * @param changed files that are another text in it
 * @returns its path
 */
export async function bundled(entry: string, name: string, changed: ReadonlyMap<string, string> = new Map()): Promise<string> {
  await mkdir(BUILT, { recursive: true })
  const outfile = join(BUILT, `${name}-${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, 'test/sim', entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins: [
      {
        name: 'changed',
        setup: setup =>
          setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = changed.get(path)
            return contents === undefined ? undefined : { contents, loader: 'ts' }
          })
      }
    ]
  })
  return outfile
}

/**
 * The simulator with a product in which one piece of text is another.
 * @throws when the text is not there exactly once: the variant has to follow the product
 */
export async function simulatorOf(variant: Variant, number: number): Promise<typeof simulate> {
  const path = join(root, variant.file)
  const text = await readFile(path, 'utf8')
  const places = text.split(variant.from).length - 1
  if (places !== 1) throw new Error(`variant "${variant.name}": its text is in ${variant.file} ${places} times`)
  const changed = new Map([[path, text.replace(variant.from, () => variant.to)]])
  const built = (await import(pathToFileURL(await bundled('world/simulate.ts', `variant-${number}`, changed)).href)) as {
    simulate: typeof simulate
  }
  return built.simulate
}
