import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { GrantInfo } from '../../node/control/contract.ts'
import type { Invocation } from '../arguments.ts'
import { grantFrom, homeTrust, printGrant } from '../granting.ts'
import { showOne, showRows, type Table } from '../output.ts'
import { daemonOf } from '../session.ts'

/** Longest file of grants, in characters: some dozens of them. */
const GRANTS_LENGTH_MAX = 512 * 1024

const table: Table<GrantInfo> = {
  columns: [
    { title: 'ID', of: ({ id }) => id },
    { title: 'EMAIL', of: ({ email }) => email },
    {
      title: 'BY',
      of: ({ authority, issuer, handedOnBy }) =>
        `${handedOnBy === undefined ? '' : `${handedOnBy} by `}${authority ?? `…${issuer.slice(-8)}`}`
    },
    { title: 'MAY', of: ({ allows }) => allows.map(({ capabilities }) => capabilities.join(' ')).join(' | ') },
    { title: 'ONLY', of: ({ allows }) => allows.map(({ limits }) => limits.join(', ')).join(' | ') },
    { title: 'UNTIL', of: ({ expiry }) => new Date(expiry).toISOString() },
    { title: 'KEY', of: ({ subject }) => subject, wide: true }
  ],
  name: ({ id }) => id,
  empty: 'this node holds no grant'
}

const handedTable: Table<HandedInfo> = {
  columns: [
    { title: 'ID', of: ({ id }) => id },
    { title: 'EMAIL', of: ({ email }) => email },
    { title: 'MAY', of: ({ may }) => may.join(' ') },
    { title: 'STATE', of: ({ state }) => state },
    { title: 'UNTIL', of: ({ expiry }) => new Date(expiry).toISOString() },
    { title: 'KEY', of: ({ subject }) => subject, wide: true }
  ],
  name: ({ id }) => id,
  empty: 'nothing was handed on from here'
}

/** A grant that was handed on from this home. */
interface HandedInfo {
  readonly id: string
  readonly email: string
  readonly subject: string
  readonly may: readonly string[]
  readonly state: 'given' | 'taken back' | 'over'
  readonly expiry: number
}

/** Grants of this node: shown to every node that it calls. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = 'show', word, more] = invocation.words
  if (verb === 'show' && word === undefined) return await show(invocation)
  if (verb === 'add' && word !== undefined && more === undefined) return await add(invocation, word)
  if (verb === 'delegate' && word !== undefined && more === undefined) return await delegate(invocation, word)
  if (verb === 'handed' && word === undefined) return await handed(invocation)
  if (verb === 'revoke' && word !== undefined && more === undefined) return await revoke(invocation, word)
  throw new CloudburstError('CB_USAGE', 'grant takes: show, add FILE|-, delegate EMAIL --key PEER, handed, or revoke WHO', {
    command: 'grant'
  })
}

async function show(invocation: Invocation): Promise<number> {
  await showRows(invocation, await daemonOf(invocation).local('grants', {}), table)
  return 0
}

async function add(invocation: Invocation, word: string): Promise<number> {
  const statements = (await textOf(invocation, word)).split('\n').filter(line => line.trim() !== '')
  const { news } = await daemonOf(invocation).local('trust', { statements })
  invocation.io.stderr.write(`took in ${news} of ${statements.length} signed ${statements.length === 1 ? 'statement' : 'statements'}\n`)
  return await show(invocation)
}

async function delegate(invocation: Invocation, email: string): Promise<number> {
  const what = grantFrom(invocation, email)
  const held = await daemonOf(invocation).local('grants', {})
  const trust = await homeTrust(invocation)
  const signed = trust.delegate(
    held.map(({ statement }) => statement),
    what
  )
  return await printGrant(invocation, signed, email)
}

async function handed(invocation: Invocation): Promise<number> {
  const given = (await homeTrust(invocation)).handed()
  const rows = given.map(({ grant: { id, email, subject, allows, expiry }, state }): HandedInfo => {
    return { id, email, subject, may: [...new Set(allows.flatMap(({ capabilities }) => capabilities))], state, expiry }
  })
  await showRows(invocation, rows, handedTable)
  return 0
}

/** Takes back what was handed on: the neighbours that are up hear of it now. */
async function revoke(invocation: Invocation, who: string): Promise<number> {
  const daemon = daemonOf(invocation)
  // Without a daemon nobody would hear of it.
  await daemon.local('grants', {})
  const { taken, statements } = (await homeTrust(invocation)).takeBack(who)
  const { told } = await daemon.local('trust', { statements })
  await showOne(invocation, { taken, told, statements }, taken.join('\n'), () => [
    ...taken.map(each => `took back ${oneLine(each)}`),
    `told ${told} ${told === 1 ? 'neighbour' : 'neighbours'}; whoever is away hears of it when it comes back`
  ])
  return 0
}

async function textOf({ io }: Invocation, word: string): Promise<string> {
  if (word !== '-') {
    try {
      return readFileSync(resolve(io.cwd, word), 'utf8')
    } catch (error) {
      throw new CloudburstError('CB_USAGE', `${oneLine(word)} cannot be read`, { command: 'grant' }, error)
    }
  }
  let text = ''
  for await (const chunk of io.stdin) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    if (text.length > GRANTS_LENGTH_MAX)
      throw new CloudburstError('CB_USAGE', 'standard input is longer than grants are', { command: 'grant' })
  }
  return text
}
