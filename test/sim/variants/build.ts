import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { simulate } from '../world/simulate.ts'
import type { Variant } from './variants.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Below node_modules, so that packages are found from there. */
const out = join(root, 'node_modules/.cache/cloudburst-sim')

/**
 * The simulator with a product in which one piece of text is another.
 * @throws when the text is not there exactly once: the variant has to follow the product
 */
export async function simulatorOf(variant: Variant, number: number): Promise<typeof simulate> {
  const path = join(root, variant.file)
  const text = await readFile(path, 'utf8')
  const places = text.split(variant.from).length - 1
  if (places !== 1) throw new Error(`variant "${variant.name}": its text is in ${variant.file} ${places} times`)
  await mkdir(out, { recursive: true })
  const outfile = join(out, `variant-${process.pid}-${number}.mjs`)
  await build({
    entryPoints: [join(root, 'test/sim/world/simulate.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins: [
      {
        name: 'variant',
        setup: setup =>
          setup.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
            loaded === path ? { contents: text.replace(variant.from, () => variant.to), loader: 'ts' } : undefined
          )
      }
    ]
  })
  const built = (await import(pathToFileURL(outfile).href)) as { simulate: typeof simulate }
  return built.simulate
}
