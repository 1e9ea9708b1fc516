import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { firstFault } from './first-fault.ts'
import { type Mutation, mutations } from './mutations.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Each copy of the code stands in one file beside a link to the packages; the sources stay as they are. */
describe('the authorisation matrix', function () {
  this.timeout(30_000)
  let directory: string
  let copies = 0
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'mutants-'))
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
    process.env['CLOUDBURST_PROGRAMS'] = join(root, 'programs')
  })
  after(() => {
    delete process.env['CLOUDBURST_PROGRAMS']
    rmSync(directory, { recursive: true, force: true })
    console.log(`        ${mutations.length} mutations`)
  })

  async function copyWith(mutation: Mutation | undefined): Promise<{ firstFault: typeof firstFault }> {
    const outfile = join(directory, `copy-${++copies}.mjs`)
    await build({
      entryPoints: [join(root, 'test/matrix/first-fault.ts')],
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
      outfile,
      plugins:
        mutation === undefined ? [] : [{ name: 'mutation', setup: setup => setup.onLoad({ filter: fileOf(mutation) }, mutated(mutation)) }]
    })
    return await import(pathToFileURL(outfile).href)
  }

  for (const mutation of mutations) {
    it(`notices ${mutation.what}`, async () => {
      const { firstFault } = await copyWith(mutation)
      const fault = await firstFault(mutation.by)
      assert.notEqual(fault, undefined, `nobody noticed: ${mutation.file}: ${mutation.find}`)
    })
  }
})

function fileOf({ file }: Mutation): RegExp {
  return new RegExp(`/src/${file.replaceAll('.', '\\.')}$`)
}

function mutated({ find, replace, file }: Mutation) {
  return ({ path }: { path: string }): { contents: string; loader: 'ts' } => {
    const text = readFileSync(path, 'utf8')
    const parts = text.split(find)
    assert.equal(parts.length, 2, `${file} has not exactly one: ${find}`)
    return { contents: parts.join(replace), loader: 'ts' }
  }
}
