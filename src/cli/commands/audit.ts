import { resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { Invocation } from '../arguments.ts'
import { print } from '../io.ts'
import { factLines, formatOf, showOne, showRows, type Table, tableLines } from '../output.ts'

/** Entries that are shown when nothing is said: a screenful and what was before it. */
const SHOWN = 100

type Log = Awaited<ReturnType<typeof openLog>>
type Line = ReturnType<Log['read']>[number]

const table: Table<Line> = {
  columns: [
    { title: 'AT', of: ({ at }) => at },
    { title: 'DECISION', of: ({ decision, lost }) => decision ?? (lost === undefined ? '' : 'lost') },
    { title: 'NODE', of: ({ node }) => node },
    { title: 'WHO', of: ({ email }) => email },
    { title: 'CAPABILITY', of: ({ capability }) => capability },
    { title: 'GOAL', of: ({ what }) => what?.goal },
    { title: 'WHY', of: whyOf },
    { title: 'PEER', of: ({ peer }) => peer, wide: true },
    { title: 'PROGRAM', of: ({ what }) => what?.program, wide: true }
  ],
  name: ({ at }) => at,
  empty: 'nothing was asked of this node yet'
}

function whyOf({ reason, lost, times, since }: Line): string {
  if (lost !== undefined) return `${lost} entries: the disk was full`
  return times === undefined ? (reason ?? '') : `${reason} (${times} times since ${since})`
}

/** What this node has allowed and denied. Reads the log of this home itself, with a daemon or without. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb, file, more] = invocation.words
  const log = await openLog(invocation)
  if (verb === undefined) return await show(invocation, log)
  if (verb === 'verify' && file === undefined) return await verify(invocation, log)
  if (verb === 'export' && more === undefined) return await exportTo(invocation, log, file)
  throw new CloudburstError('CB_USAGE', 'audit takes: nothing, verify, or export [FILE]', { command: 'audit' })
}

async function openLog({ options, io }: Invocation) {
  const { daemonless } = await import('../daemonless.ts')
  const { homes, auditLog } = await daemonless()
  const { resolveHome } = await homes()
  return await auditLog(resolveHome(options.home, io.env, io.uid))
}

async function show(invocation: Invocation, log: Log): Promise<number> {
  const { options, io } = invocation
  const limit = options.limit === undefined ? SHOWN : Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1) throw new CloudburstError('CB_USAGE', '--limit takes a number from 1', { command: 'audit' })
  const isShown = ({ decision }: Line): boolean => !options.denied || decision === 'deny'
  if (!options.follow) {
    await showRows(invocation, log.read().filter(isShown).slice(-limit), table)
    return 0
  }
  const raw = formatOf(invocation) === 'json'
  const columns = table.columns.filter(({ wide }) => !wide)
  try {
    for await (const line of log.follow(io.interrupted)) {
      if (!isShown(line)) continue
      // Without titles: a line alone is no table.
      print(io.stdout, raw ? [JSON.stringify(line)] : tableLines([line], columns).slice(1))
    }
  } catch (error) {
    // Ctrl-C is how following ends.
    if (!io.interrupted.aborted) throw error
  }
  return 0
}

async function verify(invocation: Invocation, log: Log): Promise<number> {
  const found = log.verify()
  await showOne(invocation, found, 'whole', () => [
    ...factLines([
      ['lines', found.lines],
      ['from', found.from],
      ['until', found.until],
      ['head', found.head]
    ]),
    'whole: every line follows the one before it, and the last is the one that was written'
  ])
  return 0
}

/** JSON lines, as the log has them and with their hashes, so that whoever gets them can check the chain too. */
async function exportTo({ io }: Invocation, log: Log, file: string | undefined): Promise<number> {
  if (file === undefined) {
    for (const part of log.lines()) io.stdout.write(part)
    return 0
  }
  const lines = log.exportTo(resolve(io.cwd, file))
  io.stderr.write(`wrote ${lines} lines to ${oneLine(file)}\n`)
  return 0
}
