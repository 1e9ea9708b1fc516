import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { shellWord } from '../../goals/render/words.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { daemonless } from '../daemonless.ts'
import { print } from '../io.ts'

/** Writes NAME.xml in the working directory; never over a file that is there. */
export async function run(invocation: Invocation): Promise<number> {
  const { io, options, files } = invocation
  const name = onlyWord({ ...invocation, words: [...invocation.words, ...files] }, 'a name').replace(/\.xml$/, '')
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    throw new CloudburstError('CB_USAGE', `${name} is not a name: letters, digits, _ and -, no digit first`, { command: 'new' })
  const file = `${name}.xml`
  if (existsSync(resolve(io.cwd, file))) throw new CloudburstError('CB_USAGE', `${file} is there already`, { command: 'new' })
  const script = options['from-script']
  const { text, notes } =
    script === undefined ? { text: await (await daemonless()).startingProgram(name), notes: [] } : await converted(name, script, io.cwd)
  writeFileSync(resolve(io.cwd, file), text, { flag: 'wx' })
  print(
    io.stderr,
    notes.map(note => `note: ${note}`)
  )
  print(io.stdout, [file])
  io.stderr.write(`next: cloudburst plan ${shellWord(file)} ${name}\n`)
  return 0
}

async function converted(name: string, script: string, cwd: string): Promise<{ text: string; notes: readonly string[] }> {
  const path = resolve(cwd, script)
  if (!existsSync(path)) throw new CloudburstError('CB_SCRIPT_INVALID', `there is no script ${script}`, { file: script })
  const { programFromScript } = await daemonless()
  return await programFromScript(name, { bytes: readFileSync(path), file: script, path, directory: cwd })
}
