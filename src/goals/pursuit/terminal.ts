/** `<receive>`: a command with a terminal of its own, whose prompts are answered. Source: docs/language.md, "receive". */
import { createHash } from 'node:crypto'
import { interpolate } from '../expression/interpolate.ts'
import type { Interpolated, Scope } from '../expression/result.ts'
import type { World } from '../ports.ts'
import type { Receive } from '../program/model.ts'
import type { Try } from './step.ts'

/** A prompt and what is typed, with their values in place. */
export interface Answer {
  readonly prompt: string
  readonly answer: string
}

/**
 * Runs in a process of its own, in the group of the step: what to do comes in a private file, which it removes at once, since answers
 * may be secrets. The terminal is that of script(1); it does not echo, so that what is typed is not part of the output.
 */
const TERMINAL = `
const { spawn } = require('node:child_process')
const { readFileSync, rmSync } = require('node:fs')
const file = process.env.CB_TERMINAL
const { argv, answers } = JSON.parse(readFileSync(file, 'utf8'))
rmSync(file)
const quoted = word => "'" + word.replaceAll("'", "'\\\\''") + "'"
const shell = process.env.SHELL ?? '/bin/sh'
const line = 'stty -echo -onlcr; SHELL=' + quoted(shell) + '; export SHELL; unset CB_TERMINAL; exec ' + argv.map(quoted).join(' ')
const args = process.platform === 'linux' ? ['-qefc', line, '/dev/null'] : ['-q', '/dev/null', '/bin/sh', '-c', line]
const child = spawn('script', args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, SHELL: '/bin/sh' } })
child.on('error', error => {
  console.error(error.code === 'ENOENT' ? 'a <receive> needs script(1): apt install bsdutils, dnf install util-linux, apk add util-linux-misc' : error.message)
  process.exit(127)
})
child.stdin.on('error', () => undefined)
const open = answers.map(({ prompt, answer }) => ({ prompt: new RegExp(prompt, 'm'), answer }))
let text = ''
child.stdout.setEncoding('utf8')
child.stdout.on('data', chunk => {
  process.stdout.write(chunk)
  text = (text + chunk).slice(-8192)
  const at = open.findIndex(({ prompt }) => prompt.test(text.replace(/\\x1b\\[[0-9;?]*[A-Za-z]/g, '')))
  if (at === -1) return
  child.stdin.write(open[at].answer + '\\n')
  open.splice(at, 1)
  text = ''
})
child.on('close', (code, signal) => {
  if (signal) process.kill(process.pid, signal)
  process.exit(code ?? 1)
})
`

/** The command that runs `argv` with a terminal; what it needs is in a private file from here on. */
export async function withTerminal(
  world: World,
  { goalId, step, attempt }: Try,
  argv: readonly string[],
  answers: readonly Answer[]
): Promise<{ readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }> {
  const name = `terminal.${createHash('sha256').update(step).digest('hex').slice(0, 24)}.${attempt}`
  const file = await world.driver.writeFile(goalId, name, JSON.stringify({ argv, answers }))
  return { argv: [world.driver.interpreters.javascript, '-e', TERMINAL], env: { CB_TERMINAL: file } }
}

/** Prompts and answers with their values; a value in a prompt means itself. */
export function prepareAnswers(
  receive: readonly Receive[],
  scope: Scope
): { readonly answers: readonly Answer[]; readonly texts: readonly Interpolated[] } {
  const texts: Interpolated[] = []
  const read = (text: Interpolated): string => {
    texts.push(text)
    return text.text
  }
  const answers = receive.map(({ prompt, answer }) => ({
    prompt: prompt.map(part => (part.kind === 'text' ? part.text : literally(read(interpolate([part], scope, 'text'))))).join(''),
    answer: read(interpolate(answer, scope, 'text'))
  }))
  return { answers, texts }
}

/** A text as a pattern that matches just it. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
