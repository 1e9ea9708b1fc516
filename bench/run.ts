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
let failed = 0
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
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
  } catch (error) {
    failed++
    console.error(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
}
process.exit(failed === 0 ? 0 : 1)
