import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Rules we count on. Some are new in biome and could be renamed by an upgrade without a word. */
const refused: Readonly<Record<string, string>> = {
  noFloatingPromises: 'async function save(): Promise<void> {}\nexport function f(): void {\n  save()\n}\n',
  noMisusedPromises: 'async function save(): Promise<void> {}\nexport const f = (all: number[]): void => all.forEach(async () => save())\n',
  noExplicitAny: 'export const a: any = 1\n',
  noGlobalEval: "eval('1')\n",
  noImpliedEval: "export const f = new Function('1')\n",
  noDefaultExport: 'export default 1\n',
  useImportType: "import { Context } from 'mocha'\nexport type C = Context\n"
}

describe('the lint', function () {
  this.timeout(10_000)
  let folder: string
  let said: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cloudburst-lint-'))
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'))
    mkdirSync(join(folder, 'src'))
    for (const [rule, text] of Object.entries(refused)) writeFileSync(join(folder, `src/${rule}.ts`), text)
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    said = spawnSync(process.execPath, [biome, 'lint', '--vcs-enabled=false', '.'], { cwd: folder, encoding: 'utf8' }).stderr
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const rule of Object.keys(refused)) {
    it(`refuses what ${rule} is about`, () => {
      assert.match(said, new RegExp(`^src/${rule}\\.ts:\\d+:\\d+ lint/\\w+/${rule} `, 'm'))
    })
  }
})
