/**
 * Bundles src/ into dist/: `cloudburst` (CLI), `cloudburstd` (daemon), `runner` and `editor`, sharing chunks.
 * Bundled, the daemon starts about three times as fast as from node_modules.
 *
 * Files are put in place one by one by rename, entries last, so a daemon that starts during a build
 * gets the old one or the new one, whole. Files of earlier builds stay while a process runs that was started
 * from them: a daemon may not have loaded all of its own chunks yet.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { basename, join, relative } from 'node:path'
import { build } from 'esbuild'
import { hashOfSources, root } from './sources.mjs'
import { staleBefore } from './stale.mjs'

/** When the last builds were complete. Beside build.json, which is part of packages: those are the same bytes each time. */
const TIMES = '.build-times.json'
/** More than a day of somebody who builds all the time. */
const TIMES_MAX = 10_000

const entries = [
  { name: 'cloudburst', source: 'src/cli/main.ts', executable: true },
  { name: 'cloudburstd', source: 'src/node/main.ts', executable: true },
  { name: 'runner', source: 'src/node/runner/main.ts', executable: false },
  { name: 'forker', source: 'src/node/runner/forker.ts', executable: false },
  { name: 'library', source: 'src/library.ts', executable: false },
  { name: 'editor', source: 'src/node/editing/worker.ts', executable: false }
]

/** Loaded from node_modules as they are: each finds native code, or files beside itself, by its own place on disk. */
const external = ['level', 'classic-level', 'ssh2', 'cpu-features', 'sh-syntax']

/** CommonJS inside an ES module needs `require`. Given to the one chunk that asks for it, so the CLI does not pay. */
const requireForCommonJs = "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"
const asksForRequire = 'Dynamic require of '

const started = performance.now()
const sources = hashOfSources()
const dist = join(root, 'dist')

const present = entries.filter(entry => {
  const there = existsSync(join(root, entry.source))
  if (!there) console.warn(`build: ${entry.source} does not exist yet; dist/${entry.name}.js is left out`)
  return there
})

const result = await build({
  absWorkingDir: root,
  entryPoints: present.map(entry => ({ in: entry.source, out: entry.name })),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  mainFields: ['module', 'main'],
  platform: 'node',
  target: 'node20',
  minify: true,
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  chunkNames: 'chunk-[hash]',
  legalComments: 'none',
  external,
  logLevel: 'warning',
  write: false
}).catch(() => process.exit(1)) // esbuild has said why

mkdirSync(dist, { recursive: true })
const executables = new Set(present.filter(entry => entry.executable).map(entry => `${entry.name}.js`))
const isChunk = name => name.startsWith('chunk-')
const outputs = result.outputFiles.map(file => ({ name: basename(file.path), bytes: finished(file) }))
outputs.sort((a, b) => Number(isChunk(b.name)) - Number(isChunk(a.name)))
for (const { name, bytes } of outputs) put(name, bytes, executables.has(name))

const files = outputs.map(output => output.name).sort()
put('build.json', `${JSON.stringify({ sources, files }, null, 2)}\n`, false)
const times = timesOfBuilds()
removeStale(new Set([...files, 'build.json', TIMES]), staleBefore(dist, times))
put(TIMES, JSON.stringify([...times, Date.now()].slice(-TIMES_MAX)), false)

const kilobytes = Math.round(outputs.reduce((sum, output) => sum + (output.name.endsWith('.js') ? output.bytes.length : 0), 0) / 1024)
console.log(
  `build: ${relative(root, dist)}/ has ${present.length} programs, ${kilobytes} kB, ${Math.round(performance.now() - started)} ms`
)

/** The file as it goes to disk: with a first line for the shell and `require` for CommonJS where needed, its map moved down as much. */
function finished(file) {
  const extra = headOf(outputFile(file.path.replace(/\.map$/, '')))
  if (extra.length === 0) return file.contents
  if (file.path.endsWith('.js')) return Buffer.from(`${extra.join('\n')}\n${file.text}`)
  const map = JSON.parse(file.text)
  return Buffer.from(JSON.stringify({ ...map, mappings: ';'.repeat(extra.length) + map.mappings }))
}

function headOf(code) {
  const head = []
  if (executables.has(basename(code.path))) head.push('#!/usr/bin/env node')
  if (code.text.includes(asksForRequire)) head.push(requireForCommonJs)
  return head
}

function outputFile(path) {
  return result.outputFiles.find(file => file.path === path)
}

function put(name, content, executable) {
  const target = join(dist, name)
  const bytes = Buffer.from(content)
  const now = new Date()
  if (existsSync(target) && readFileSync(target).equals(bytes)) return utimesSync(target, now, now)
  const beside = `${target}.${process.pid}.new`
  writeFileSync(beside, bytes)
  if (executable) chmodSync(beside, 0o755)
  renameSync(beside, target)
}

/** @param before files that no build from this time on has written, in epoch ms */
function removeStale(kept, before) {
  for (const name of readdirSync(dist)) {
    const path = join(dist, name)
    if (!kept.has(name) && (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before)
      rmSync(path, { recursive: true, force: true })
  }
}

function timesOfBuilds() {
  try {
    return JSON.parse(readFileSync(join(dist, TIMES), 'utf8'))
  } catch {
    return []
  }
}
