/**
 * A shell in a step's context on another node, line by line: each line is an ad-hoc command there, with all that this means:
 * it needs node:shell, its output comes as it is printed, it is in that node's journal and audit log.
 */
import type { Agency, Principal, RunInfo, Tree } from '../node/control/contract.ts'
import { escapeTerminal, oneLine } from '../goals/render/escape.ts'
import { shellWord } from '../goals/render/words.ts'
import type { Io } from './io.ts'
import type { Prompt } from './prompt.ts'
import { DIRECTORY, stepEnvironment } from './step-shell.ts'

/** Begins what a line says of its end: no text that people print. */
const MARK = '\x1e'

/** Where the person is. */
interface Place {
  readonly agency: Agency
  readonly by: Principal
  readonly node: string
  directory: string
}

/** Resolves once the person has left. The directory lasts from line to line, variables that a line sets do not. */
export async function remoteShell(
  run: RunInfo,
  node: string,
  { agency, by }: { readonly agency: Agency; readonly by: Principal },
  { prompt, io }: { readonly prompt: Prompt; readonly io: Io }
): Promise<void> {
  const place: Place = { agency, by, node, directory: DIRECTORY }
  const exports = Object.entries(stepEnvironment(run)).map(([name, value]) => `export ${name}=${shellWord(value)}`)
  for (;;) {
    const line = await prompt.ask(`${oneLine(node)}:${oneLine(place.directory)}$ `)
    if (line === undefined || line === 'exit' || line === 'logout') return
    if (line === '') continue
    const status = await typed(place, exports, line, io)
    if (status !== 0) io.stderr.write(`exit ${status}\n`)
  }
}

/** @returns exit status of the line */
async function typed(place: Place, exports: readonly string[], line: string, io: Io): Promise<number> {
  const { agency, by } = place
  const told = `trap 'cb_rc=$?; printf "\\036%s" "$PWD"; exit $cb_rc' EXIT`
  const command = [`cd -- ${shellWord(place.directory)} || exit`, ...exports, told, line].join('\n')
  const { ulid } = await import('ulid')
  const { id } = await agency.call(
    'pursue',
    { goal: 'run', program: 'run', assignments: [{ path: 'goal.command', value: command }], id: ulid() },
    by
  )
  let last = ''
  let ended = false
  for await (const item of agency.stream('events', { id, from: 1, follow: true, output: true }, by, io.interrupted)) {
    if (item.type === 'waiting') io.stderr.write(`waiting: ${escapeTerminal(item.reason)}\n`)
    if (item.type !== 'output') continue
    const at = item.stream === 'stdout' && !ended ? item.text.indexOf(MARK) : -1
    const shown = ended && item.stream === 'stdout' ? '' : at === -1 ? item.text : item.text.slice(0, at)
    if (ended && item.stream === 'stdout') last += item.text
    if (at !== -1) {
      ended = true
      last = item.text.slice(at + 1)
    }
    io[item.stream].write(escapeTerminal(shown))
  }
  if (last.startsWith('/')) place.directory = last
  const info = await agency.call('goal', { id }, by)
  if (info.suspended !== undefined) io.stderr.write(`${oneLine(info.suspended.reason)}\n`)
  return Number(field(info.results?.['result'], 'rc')?.value ?? 1)
}

function field(tree: Tree | undefined, name: string): Tree | undefined {
  return tree?.fields?.[name]
}
