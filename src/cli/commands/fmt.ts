import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { type Io, print } from '../io.ts'

/** Writes programs in canonical form, in place; without a file, from standard input to standard output. With --check only says which differ, and exits 1. */
export async function run(invocation: Invocation): Promise<number> {
  noWords({ ...invocation, files: [] })
  const { files, io, options } = invocation
  const { formatted } = await daemonless()
  if (files.length === 0) {
    const text = await inputOf(io)
    const better = await formatted(text, 'standard input')
    if (!options.check) io.stdout.write(better)
    return options.check && better !== text ? 1 : 0
  }
  const different: string[] = []
  for (const file of files) {
    const path = resolve(io.cwd, file)
    if (!existsSync(path)) throw new CloudburstError('CB_PROGRAM_UNKNOWN', `there is no file ${file}`, { file })
    const text = readFileSync(path, 'utf8')
    const better = await formatted(text, file)
    if (better === text) continue
    different.push(file)
    if (!options.check) replace(path, better)
  }
  print(io.stdout, different)
  return options.check && different.length > 0 ? 1 : 0
}

/** All of it or nothing: whoever reads the file meanwhile sees the old text or the new. */
function replace(path: string, text: string): void {
  const beside = join(dirname(path), `.${process.pid}.fmt`)
  try {
    writeFileSync(beside, text, { mode: statSync(path).mode })
    renameSync(beside, path)
  } finally {
    rmSync(beside, { force: true })
  }
}

async function inputOf(io: Io): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of io.stdin) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}
