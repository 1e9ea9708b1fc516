import { readFileSync } from 'node:fs'
import type { Invocation } from '../arguments.ts'
import { showOne } from '../output.ts'

/** The version of this program. */
export async function run(invocation: Invocation): Promise<number> {
  const version = ownVersion()
  await showOne(invocation, { version, node: process.versions.node }, version, () => [
    `cloudburst ${version} (node ${process.versions.node})`
  ])
  return 0
}

/** From package.json: beside dist/ when bundled, two rooms up when not. */
function ownVersion(): string {
  for (const path of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { name?: string; version?: string }
      if (name === 'cloudburst' && version !== undefined) return version
    } catch {}
  }
  return 'unknown'
}
