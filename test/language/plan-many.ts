/**
 * Plans every program in the directory that it stands in, one after the other, as the command does: what the tracer of
 * no-effect.test.ts watches. Looks for the file `begin` once all that planning may import has been imported, and for `end` at last.
 * Prints the number of plans by exit status.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import '../../src/polyfill.ts'
import { cli } from '../../src/cli/cli.ts'
import { BEGIN, END, WARM } from './traced.ts'

const exits: Record<string, number> = {}
const home = join(process.cwd(), 'home')
const signal = new AbortController().signal

async function plan(file: string): Promise<number> {
  let said = ''
  const output = {
    write: (text: string) => {
      said += text
      return true
    }
  }
  const exit = await cli(['plan', file, 'site', '--home', home], {
    stdout: output,
    stderr: output,
    stdin: (async function* () {})(),
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.(),
    interrupted: signal
  })
  if (said === '' || /\n\s+at .*:\d+:\d+\)?\n/.test(said)) throw new Error(`${file}: exit ${exit}, ${said}`)
  return exit
}

const files = readdirSync('.').filter(name => name.endsWith('.xml'))
const warm = files.filter(name => name.startsWith(WARM))
for (const file of warm) await plan(file)
existsSync(BEGIN)
for (const file of files) {
  const exit = await plan(file)
  exits[exit] = (exits[exit] ?? 0) + 1
}
existsSync(END)
console.log(JSON.stringify(exits))
