/** What is in the artefact besides Node: the bundled programs, what is loaded as it is, documents and licences. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastBuild, root } from '../sources.mjs'

/** Packages that dist/ loads from node_modules: the list of scripts/build.mjs without what is optional. */
const loaded = ['level', 'ssh2', 'sh-syntax']
/** Folders of packages that nothing reads when they run. */
const notRun = new Set(['test', 'tests', 'docs', 'examples', 'deps', 'util', 'node_modules', '.github', 'src', 'binding'])
const licence = /^(licen[cs]e|copying|notice)/i

const wrapper = entry => `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")/..
exec "$here/runtime/node" "$here/lib/dist/${entry}.js" "$@"
`

/** Files of the artefact for a target, runtime apart: `[{ path, bytes, mode }]`. */
export function contents(target) {
  const files = [
    { path: 'bin/cloudburst', mode: 0o755, bytes: Buffer.from(wrapper('cloudburst')) },
    { path: 'bin/cloudburstd', mode: 0o755, bytes: readFileSync(join(root, 'scripts/package/cloudburstd.sh')) },
    ...lastBuild()
      .files.filter(name => !name.endsWith('.map'))
      .map(name => copy(`dist/${name}`)),
    copy('dist/build.json'),
    copy('package.json'),
    ...under('programs').map(copy),
    ...under('schema').map(copy),
    { ...copy('LICENSE'), path: 'LICENSE' },
    { path: 'THIRD-PARTY.txt', mode: 0o644, bytes: Buffer.from(thirdParty()) }
  ]
  for (const name of closure(loaded)) files.push(...packageFiles(name, target))
  return files
}

function copy(path) {
  return { path: `lib/${path}`, mode: 0o644, bytes: readFileSync(join(root, path)) }
}

function under(path) {
  return readdirSync(join(root, path), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
}

function packageFiles(name, target) {
  const base = `node_modules/${name}`
  return under(base)
    .filter(path => isRun(path.slice(base.length + 1), target))
    .map(copy)
}

/** Native parts of this target only; no sources of native parts, types or documents. */
function isRun(path, target) {
  const folders = path.split('/').slice(0, -1)
  if (folders[0] === 'prebuilds') return folders[1] === target
  if (folders.some(folder => notRun.has(folder) && folder !== 'src')) return false
  return /\.(c?js|mjs|json|wasm|node)$/.test(path) || licence.test(path)
}

/** Packages and what they need, optional ones left out. */
function closure(names) {
  const found = new Set()
  const visit = name => {
    if (found.has(name) || name === 'browser-level') return
    found.add(name)
    for (const needed of Object.keys(packageOf(name).dependencies ?? {})) visit(needed)
  }
  for (const name of names) visit(name)
  return [...found].sort()
}

function packageOf(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
}

/** Name, version and licence text of everything that may be inside a bundle: all packages that are not for development. */
function thirdParty() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const parts = Object.entries(packages)
    .filter(([path, { dev, optional }]) => path !== '' && !dev && !optional && existsSync(join(root, path, 'package.json')))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { version, license }]) => {
      const texts = readdirSync(join(root, path))
        .filter(name => licence.test(name))
        .sort()
        .map(name => readFileSync(join(root, path, name), 'utf8').trim())
      return `${path.replace(/^.*node_modules\//, '')} ${version} (${license ?? 'see below'})\n\n${texts.join('\n\n') || `Licence: ${license}`}\n`
    })
  return `Cloudburst contains these packages, and Node (runtime/LICENSE).\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
