import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { Capability, RightInfo } from '../../node/control/contract.ts'
import type { Invocation } from '../arguments.ts'
import { homeTrust } from '../granting.ts'
import { print } from '../io.ts'
import { showOne, showRows, type Table } from '../output.ts'
import { daemonOf } from '../session.ts'

const table: Table<RightInfo> = {
  columns: [
    { title: 'EMAIL', of: ({ email }) => email },
    { title: 'BY', of: ({ by, handedOnBy }) => (handedOnBy === undefined ? by : `${handedOnBy} by ${by}`) },
    { title: 'STATE', of: ({ state }) => (state === 'time' ? 'expired' : state) },
    { title: 'MAY', of: ({ capabilities }) => capabilities.join(' ') },
    { title: 'ONLY', of: ({ limits }) => limits.join(', ') },
    { title: 'UNTIL', of: ({ until }) => (until === undefined ? '' : new Date(until).toISOString()) },
    { title: 'FROM', of: ({ from }) => from, wide: true },
    { title: 'KEY', of: ({ peer }) => peer, wide: true }
  ],
  name: ({ peer }) => peer,
  empty: 'nothing here is permitted to them'
}

/** Who may do what on this node: asked of the daemon, which knows what was granted and revoked; the file alone is checked without. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = 'show', who, capability, goal, more] = invocation.words
  const { effective } = invocation.options
  if (verb === 'show' && who === undefined && effective !== undefined) return await show(invocation, effective)
  if (verb === 'why' && who !== undefined && capability !== undefined && more === undefined)
    return await why(invocation, who, capability as Capability, goal)
  if (verb === 'test' && who === undefined) return await test(invocation)
  if (verb === 'lint' && who === undefined) return await lint(invocation)
  throw new CloudburstError('CB_USAGE', 'permissions takes: show --effective WHO, why WHO CAPABILITY [GOAL], test, or lint', {
    command: 'permissions'
  })
}

async function show(invocation: Invocation, who: string): Promise<number> {
  const { rights } = await daemonOf(invocation).local('rights', { who })
  await showRows(invocation, rights, table)
  return 0
}

/** Exit status 6 when nobody of them may: as the command itself would end. */
async function why(invocation: Invocation, who: string, capability: Capability, goal: string | undefined): Promise<number> {
  const { program, var: vars } = invocation.options
  const about = {
    ...(program !== undefined && { program }),
    ...(goal !== undefined && { goal }),
    ...(vars !== undefined && { vars: vars.flatMap(word => word.split(',')) })
  }
  const { decisions = [] } = await daemonOf(invocation).local('rights', { who, capability, ...about })
  const lines = decisions.map(
    ({ peer, allowed, reason }) => `${allowed ? 'allowed' : 'denied'}: ${oneLine(reason)}, key …${peer.slice(-8)}`
  )
  const unknown = `denied: neither a permit nor a grant that was shown here binds ${oneLine(who)} to a key`
  await showOne(invocation, decisions, who, () => (lines.length === 0 ? [unknown] : lines))
  return decisions.some(({ allowed }) => allowed) ? 0 : 6
}

async function test(invocation: Invocation): Promise<number> {
  const found = (await homeTrust(invocation)).check()
  await showOne(invocation, found, 'good', () => [
    `${counted(found.tests, 'test holds', 'tests hold')}: ${counted(found.permits, 'permit', 'permits')}, ${counted(found.authorities, 'authority', 'authorities')}`
  ])
  return 0
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

async function lint(invocation: Invocation): Promise<number> {
  const found = (await homeTrust(invocation)).check()
  if (invocation.options.output === undefined) print(invocation.io.stdout, found.lint.map(oneLine))
  else await showOne(invocation, found.lint, found.lint.join('\n'), () => found.lint)
  if (found.lint.length === 0) invocation.io.stderr.write('nothing to say about permissions.xml\n')
  return found.lint.length === 0 ? 0 : 1
}
