/** The corpus of faults: each is told with its place, its reason and a next step; the steps are pasted into shells and followed. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { brokenXml } from './broken-xml.ts'
import type { Fault } from './fault.ts'
import { wrongCommands } from './wrong-commands.ts'
import { wrongValues } from './wrong-values.ts'
import { wrongWords } from './wrong-words.ts'

const corpus: readonly Fault[] = [...brokenXml, ...wrongWords, ...wrongValues, ...wrongCommands]
/** Part of the suggestions that must put it right by themselves. */
const SOLVED_LEAST = 0.9
const FAULTS_LEAST = 100

describe('the corpus of faults', function () {
  this.timeout(10_000)
  const directory = temporaryDirectory()
  const counts = { suggested: 0, parsed: 0, faults: 0, solved: 0 }

  const run = async (words: readonly string[]): Promise<{ readonly exit: number; readonly text: string }> => {
    const io = fakeIo({
      cwd: directory(),
      env: { HOME: directory(), PATH: process.env['PATH'] ?? '', CLOUDBURST_HOME: join(directory(), 'home') }
    })
    const exit = await cli(words, io)
    return { exit, text: io.said.stdout + io.said.stderr }
  }

  for (const fault of corpus) {
    it(`tells of ${fault.name}`, async () => {
      for (const [name, text] of Object.entries(fault.files)) writeFileSync(join(directory(), name), text)
      const { exit, text } = await run(fault.words)
      assert.equal(exit, fault.exit, text)
      const told = text.split('\n').find(line => line.includes(fault.reason))
      assert.ok(told !== undefined, text)
      if (fault.at !== undefined) assert.ok(told.includes(`${fault.at}: `), text)

      const commands = suggested(text)
      assert.ok(commands.length > 0, `no command is suggested:\n${text}`)
      counts.suggested += commands.length
      counts.parsed += commands.filter(parses).length
      assert.ok(commands[0]!.startsWith(fault.next), `${commands[0]} is suggested`)

      counts.faults += 1
      const isSolved = await solves(fault, filled(commands[0]!, fault), run, directory())
      counts.solved += isSolved ? 1 : 0
      assert.equal(isSolved, fault.looks !== true, `${commands[0]} ${isSolved ? 'solves it after all' : 'does not put it right'}`)
    })
  }

  it(`has ${FAULTS_LEAST} faults at least, each of its own name`, () => {
    assert.ok(corpus.length >= FAULTS_LEAST, `${corpus.length}`)
    assert.equal(new Set(corpus.map(({ name }) => name)).size, corpus.length)
  })

  it('is answered by commands that all parse, and that nearly all put things right', () => {
    const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
    console.log(`    ${counts.suggested} suggested commands, ${percent(counts.parsed, counts.suggested)} parse in bash and dash`)
    console.log(`    ${counts.faults} faults, ${percent(counts.solved, counts.faults)} put right by pasting the first suggestion`)
    assert.equal(counts.parsed, counts.suggested)
    assert.ok(counts.solved >= SOLVED_LEAST * counts.faults)
  })
})

/** Every command that the text offers: after `next:`, below `Suggested:`, beside and below `try`. */
function suggested(text: string): string[] {
  const found: string[] = []
  let block: 'suggested' | 'try' | undefined
  for (const line of text.split('\n')) {
    const next = /^next: (.+)$/.exec(line)?.[1]
    const tried = /^ {2}try +(.+)$/.exec(line)?.[1]
    if (next !== undefined) found.push(next)
    else if (tried !== undefined) found.push(withoutRemark(tried))
    else if (block === 'try' && /^ {11}\S/.test(line)) found.push(withoutRemark(line.trim()))
    else if (block === 'suggested' && line.startsWith('  ')) found.push(line.trim())
    block = line === 'Suggested:' ? 'suggested' : tried !== undefined || (block === 'try' && /^ {11}\S/.test(line)) ? 'try' : undefined
  }
  return found
}

function withoutRemark(line: string): string {
  return line.replace(/ {2,}#.*$/, '')
}

function parses(command: string): boolean {
  return ['bash', 'dash'].every(shell => spawnSync(shell, ['-n', '-c', command]).status === 0)
}

/** `goal.port=` and `goal.port=…` with the values that the table gives. */
function filled(command: string, { fill = {} }: Fault): string {
  return Object.entries(fill).reduce((text, [path, value]) => {
    const at = new RegExp(`${path.replaceAll('.', '\\.')}=(…|'[^']*'|\\S*)`)
    return text.replace(at, () => `${path}='${value}'`)
  }, command)
}

type Run = (words: readonly string[]) => Promise<{ readonly exit: number; readonly text: string }>

/** Pastes the command, follows it, and looks whether what was wanted at first now goes through. */
async function solves(fault: Fault, command: string, run: Run, directory: string): Promise<boolean> {
  const [program, ...words] = pasted(command)
  if (program === 'vi') {
    const [line, file] = words as [string, string]
    return edits(join(directory, file), Number(line.slice(1)), fault) && (await run(fault.words)).exit === 0
  }
  if (program !== 'cloudburst') return false
  const { exit } = await run(words)
  if (exit !== 0) return false
  return words[0] === fault.words[0] || words[0] === 'repair' || fault.reason.includes(`did you mean ${words[0]}?`)
}

/** The words of a command as bash takes them. */
function pasted(command: string): string[] {
  const catcher = `for each in cloudburst vi; do eval "$each() { printf '%s\\0' $each \\"\\$@\\"; }"; done; ${command}`
  return execFileSync('bash', ['-c', catcher], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

/** Changes the line as the table says; false when there is nothing to change there. */
function edits(file: string, line: number, { edit }: Fault): boolean {
  const lines = readFileSync(file, 'utf8').split('\n')
  const before = lines[line - 1]
  if (before === undefined || edit === undefined || !before.includes(edit[0])) return false
  lines[line - 1] = before.replace(edit[0], () => edit[1])
  writeFileSync(file, lines.join('\n'))
  return true
}
