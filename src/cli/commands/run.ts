import type { Agency, Principal, RunInfo, Tree } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { escapeTerminal } from '../../goals/render/escape.ts'
import { shellWord } from '../../goals/render/words.ts'
import type { Invocation } from '../arguments.ts'
import { acceptWithin, nextLines, type Outcome, unfollowed, worstExit } from '../dispatching.ts'
import { peersNamed } from '../several.ts'
import { print } from '../io.ts'
import { showOne } from '../output.ts'
import { daemonOf, homeWords, sessionWith } from '../session.ts'

/** Program and goal of ad-hoc commands: programs/run.xml */
const PROGRAM = 'run'

/**
 * Runs a command as a goal of a built-in program, here or on peers; on peers it needs node:shell.
 * Exit status: the command's own; of several nodes, the highest.
 */
export async function run(invocation: Invocation): Promise<number> {
  const text = commandText(invocation)
  const client = daemonOf(invocation)
  const { agency, by } = sessionWith(client, undefined, homeWords(invocation))
  const request = { goal: 'run', program: PROGRAM, assignments: [{ path: 'goal.command', value: text }] }
  const peers = peersNamed(invocation)
  if (peers.length === 0) {
    if (invocation.options.timeout !== undefined)
      throw new CloudburstError(
        'CB_USAGE',
        '--timeout is how long to try to reach peers, and none is named; for the command: run -- timeout 10 …',
        {
          command: 'run'
        }
      )
    const { ulid } = await import('ulid')
    const { id } = await agency.call('pursue', { ...request, id: ulid() }, by)
    return await printed(invocation, agency, by, { id, node: '' }, false)
  }
  const sent = await client.local('dispatch', { ...request, peers, ...acceptWithin(invocation) })
  const refused = unfollowed(sent).filter(outcome => outcome.id === undefined)
  for (const { node, error } of refused) invocation.io.stderr.write(`error: ${escapeTerminal(`${node}: ${error}`)}\n`)
  print(invocation.io.stderr, nextLines(invocation, refused))
  const accepted = unfollowed(sent).filter((outcome): outcome is Outcome & { readonly id: string } => outcome.id !== undefined)
  const exits = await Promise.all(accepted.map(outcome => printed(invocation, agency, by, outcome, sent.length > 1)))
  return worstExit(refused) || Math.max(0, ...exits)
}

/** One word is a line for the shell there; several are the words of one command, passed on as they are. */
function commandText({ words, rest }: Invocation): string {
  const given = [...words, ...rest]
  const [only, another] = given
  if (only === undefined) throw new CloudburstError('CB_USAGE', 'run needs a command: cloudburst run -- COMMAND…', { command: 'run' })
  return another === undefined ? only : given.map(shellWord).join(' ')
}

/** Passes on what the command prints, as it prints it. */
async function printed(
  invocation: Invocation,
  agency: Agency,
  by: Principal,
  { id, node }: { readonly id: string; readonly node: string },
  prefixed: boolean
): Promise<number> {
  const { io } = invocation
  const data = invocation.options.output !== undefined
  const held = { stdout: '', stderr: '' }
  const write = (stream: 'stdout' | 'stderr', text: string): void => {
    ;(data ? io.stderr : io[stream]).write(text)
  }
  try {
    for await (const item of agency.stream('events', { id, from: 1, follow: true, output: true }, by, io.interrupted)) {
      if (item.type === 'waiting') io.stderr.write(`waiting: ${escapeTerminal(item.reason)}\n`)
      if (item.type !== 'output') continue
      // To a pipe the bytes go as they are; to a terminal only what is harmless.
      const text = io[item.stream].isTTY ? escapeTerminal(item.text) : item.text
      if (!prefixed) write(item.stream, text)
      else {
        const lines = (held[item.stream] + text).split('\n')
        held[item.stream] = lines.pop() ?? ''
        write(item.stream, lines.map(line => `${node}: ${line}\n`).join(''))
      }
    }
  } catch (error) {
    if (!io.interrupted.aborted) throw error
    throw new CloudburstError('CB_INTERRUPTED', `interrupted; goal ${id} goes on`, { id })
  }
  for (const stream of ['stdout', 'stderr'] as const) if (held[stream] !== '') write(stream, `${node}: ${held[stream]}\n`)
  return await exitOf(invocation, await agency.call('goal', { id }, by))
}

async function exitOf(invocation: Invocation, info: RunInfo): Promise<number> {
  if (invocation.options.output !== undefined) await showOne(invocation, info, info.id, () => [])
  const code = field(info.results?.['result'], 'rc')?.value
  if (code !== undefined) return Number(code)
  if (info.suspended !== undefined) throw new CloudburstError('CB_GOAL_SUSPENDED', info.suspended.reason, { id: info.id })
  return 1
}

function field(tree: Tree | undefined, name: string): Tree | undefined {
  return tree?.fields?.[name]
}
