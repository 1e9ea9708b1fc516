/** Node itself, from the registry's packages, each pinned by its hash: a runtime is the same bytes wherever it is packaged. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { root } from '../sources.mjs'

export const runtimes = JSON.parse(readFileSync(join(root, 'scripts/package/runtimes.json'), 'utf8'))

/** Files of the runtime for a target: `[{ path, bytes, mode }]`. Downloads it once, into the user's cache. */
export async function runtimeFiles(target) {
  const { package: name, integrity } = runtimes.targets[target] ?? unknown(target)
  const archive = readFileSync(archiveOf(name, runtimes.version))
  const hash = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  if (hash !== integrity) throw new Error(`${name}@${runtimes.version} has hash ${hash}, not ${integrity}`)
  const wanted = { 'package/bin/node': ['runtime/node', 0o755], 'package/LICENSE': ['runtime/LICENSE', 0o644] }
  const files = []
  const entries = extract()
  entries.end(gunzipSync(archive))
  for await (const entry of entries) {
    const [path, mode] = wanted[entry.header.name] ?? []
    if (path === undefined) entry.resume()
    else files.push({ path, mode, bytes: await buffer(entry) })
  }
  if (files.length !== 2) throw new Error(`${name}@${runtimes.version} has no bin/node or no LICENSE`)
  return files
}

function archiveOf(name, version) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudburst')
  const path = join(cache, `${name}-${version}.tgz`)
  if (existsSync(path)) return path
  const beside = join(cache, `${process.pid}`)
  mkdirSync(beside, { recursive: true })
  const npm = spawnSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', beside], { encoding: 'utf8' })
  if (npm.status !== 0) throw new Error(`npm pack ${name}@${version} failed: ${npm.stderr}`)
  renameSync(join(beside, `${name}-${version}.tgz`), path)
  return path
}

function unknown(target) {
  throw new Error(`there is no runtime for ${target}; there is ${Object.keys(runtimes.targets).join(', ')}`)
}
