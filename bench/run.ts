/** `npm run bench [NAME…]`: measures all or the named, prints a table, writes bench/results/. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { benchmarks } from './benchmarks.ts'
import { machine, type Result } from './result.ts'
import { QUICK } from './sampling.ts'
import { plainTable } from './table.ts'

const RESULTS = fileURLToPath(new URL('./results/', import.meta.url))
const SETUP = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url))
/** Measures dist/ as it stands: while sources are being edited. */
const AS_BUILT = '--as-built'
/** A few rounds of each, and nothing written: to see that it works. */
const FEW_ROUNDS = '--quick'
/** For one benchmark among others, in milliseconds: twice what the longest takes on a quiet machine. */
const LIMIT_MS = 300_000

const words = process.argv.slice(2)
const names = words.filter(word => word !== AS_BUILT && word !== FEW_ROUNDS)
const quick = words.includes(FEW_ROUNDS)
if (quick) process.env[QUICK] = '1'
const unknown = names.find(name => !Object.hasOwn(benchmarks, name))
if (unknown !== undefined) {
  console.error(`error: there is no benchmark ${unknown}\nnext: npm run bench ${Object.keys(benchmarks).join(' ')}`)
  process.exit(64)
}
if (!words.includes(AS_BUILT)) {
  const { status } = spawnSync(process.execPath, [SETUP, '--debian'], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

mkdirSync(RESULTS, { recursive: true })
const wanted = names.length > 0 ? names : Object.keys(benchmarks)
const [only] = wanted
process.exit(wanted.length === 1 ? await measure(only!) : eachByItself())

/** Each in a process of its own, with a limit, so that one that breaks or hangs does not take the others with it. @returns the exit status */
function eachByItself(): number {
  const began = performance.now()
  const broken = wanted.filter(name => {
    const words = [...process.execArgv, fileURLToPath(import.meta.url), name, AS_BUILT, ...(quick ? [FEW_ROUNDS] : [])]
    const { status, error } = spawnSync(process.execPath, words, { stdio: 'inherit', timeout: LIMIT_MS, killSignal: 'SIGTERM' })
    if (error !== undefined) console.error(`  failed: ${error.message}`)
    return status !== 0
  })
  const took = `${Math.round((performance.now() - began) / 1000)} s`
  console.log(
    `\n${wanted.length - broken.length} of ${wanted.length} measured in ${took}${broken.length > 0 ? `, without ${broken.join(', ')}` : ''}`
  )
  return broken.length === 0 ? 0 : 1
}

/** @returns the exit status */
async function measure(name: string): Promise<number> {
  try {
    console.log(`\n${name}`)
    const [before = 0] = loadavg()
    const measured = await benchmarks[name]!()
    const at = new Date().toISOString()
    const result: Result = {
      name,
      at,
      machine: machine(),
      load: [before, loadavg()[0] ?? 0],
      command: `npm run bench ${name}`,
      ...measured
    }
    if (!quick) writeFileSync(`${RESULTS}${at.slice(0, 10)}-${name}.json`, `${JSON.stringify(result)}\n`)
    for (const line of [...plainTable(result.rows), ...[...result.notes, ...(result.details ?? [])].map(note => `  ${note}`)])
      console.log(line)
    return 0
  } catch (error) {
    console.error(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return 1
  }
}
