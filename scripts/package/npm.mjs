/** The npm package, of what the last build made and nothing that is left of earlier ones. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { lastBuild, root } from '../sources.mjs'

/** @returns path of the file, in `out` */
export function makeNpm(out) {
  const stage = mkdtempSync(join(tmpdir(), 'cb-npm-stage-'))
  try {
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const built = ['build.json', ...lastBuild().files].map(name => `dist/${name}`)
    for (const path of ['package.json', 'README.md', 'LICENSE', ...files.filter(name => name !== 'dist'), ...built]) {
      mkdirSync(dirname(join(stage, path)), { recursive: true })
      cpSync(join(root, path), join(stage, path), { recursive: true })
    }
    const npm = spawnSync('npm', ['pack', '--json', '--silent', '--pack-destination', out], {
      cwd: stage,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024
    })
    if (npm.status !== 0) throw new Error(`npm pack failed: ${npm.stderr}`)
    return join(out, JSON.parse(npm.stdout)[0].filename)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}
