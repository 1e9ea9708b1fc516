/**
 * Fuzzes every target for CLOUDBURST_FUZZ_MS each, or those named as words; prints one line of JSON a target.
 * With CLOUDBURST_FUZZ_KEEP=1, inputs that reach new code and those that crash are kept in ./corpus/ for every later run.
 */
import '../../src/polyfill.ts'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fuzz } from './coverage-fuzzer.ts'
import { closeTargets, targets } from './targets.ts'

const corpus = fileURLToPath(new URL('corpus', import.meta.url))
const ms = Number(process.env['CLOUDBURST_FUZZ_MS'] ?? 60_000)
const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const keeps = process.env['CLOUDBURST_FUZZ_KEEP'] === '1'
/** Kept of one run of one target: the first ones reach the most. */
const KEPT_MAX = 40
const wanted = process.argv.slice(2)

const unexpected: string[] = []
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => unexpected.push(error instanceof Error ? (error.stack ?? error.message) : String(error)))
}

for (const target of targets.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const directory = join(corpus, target.name)
  const kept = existsSync(directory) ? readdirSync(directory).map(name => readFileSync(join(directory, name))) : []
  const result = await fuzz(target, { ms, corpus: kept, seed })
  // Rejections that nobody waited for are told a turn later.
  await new Promise(resolve => setImmediate(resolve))
  const crashes = [
    ...result.crashes.map(({ what, bytes }) => ({ what, bytes: bytes.toString('latin1') })),
    ...unexpected.splice(0).map(what => ({ what: `nobody caught: ${what}`, bytes: '' }))
  ]
  if (keeps) for (const bytes of [...result.fresh.slice(0, KEPT_MAX), ...result.crashes.map(each => each.bytes)]) keep(directory, bytes)
  const { runs, edges, fresh } = result
  console.log(JSON.stringify({ target: target.name, seed, runs, edges, kept: kept.length, fresh: fresh.length, crashes }))
}
await closeTargets()
process.exit(0)

function keep(directory: string, bytes: Buffer): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, createHash('sha256').update(bytes).digest('hex').slice(0, 16)), bytes)
}
