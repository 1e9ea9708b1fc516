import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { GrantInfo } from '../../node/control/contract.ts'
import type { Invocation } from '../arguments.ts'
import { grantFrom, homeTrust, printGrant } from '../granting.ts'
import { showRows, type Table } from '../output.ts'
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

/** Grants of this node: shown to every node that it calls. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = 'show', word, more] = invocation.words
  if (verb === 'show' && word === undefined) return await show(invocation)
  if (verb === 'add' && word !== undefined && more === undefined) return await add(invocation, word)
  if (verb === 'delegate' && word !== undefined && more === undefined) return await delegate(invocation, word)
  throw new CloudburstError('CB_USAGE', 'grant takes: show, add FILE|-, or delegate EMAIL --key PEER', { command: 'grant' })
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
