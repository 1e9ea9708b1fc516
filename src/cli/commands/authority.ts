import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import type { Invocation } from '../arguments.ts'
import { grantFrom, homeTrust, printGrant, tell } from '../granting.ts'
import { showOne, showRows } from '../output.ts'

/** Makes an authority, lets it grant, takes back, and prints what others have to know of it. Its key never leaves the home. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb, name, who, more] = invocation.words
  if (verb === undefined) return await list(invocation)
  if (verb === 'init' && name !== undefined && who === undefined) return await init(invocation, name)
  if (verb === 'certify' && who !== undefined && more === undefined) return await certify(invocation, name ?? '', who)
  if (verb === 'revoke' && who !== undefined && more === undefined) return await revoke(invocation, name ?? '', who)
  if (verb === 'export' && name !== undefined && who === undefined) return await exported(invocation, name)
  throw new CloudburstError('CB_USAGE', 'authority takes: nothing, init NAME, certify NAME EMAIL, revoke NAME WHO, or export NAME', {
    command: 'authority'
  })
}

async function list(invocation: Invocation): Promise<number> {
  const trust = await homeTrust(invocation)
  await showRows(invocation, trust.authorities(), {
    columns: [
      { title: 'NAME', of: ({ name }) => name },
      { title: 'GRANTS', of: ({ grants }) => grants },
      { title: 'REVOKED', of: ({ revoked }) => revoked },
      { title: 'KEY', of: ({ key }) => key }
    ],
    name: ({ name }) => name,
    empty: 'no authority has its key in this home'
  })
  return 0
}

async function init(invocation: Invocation, name: string): Promise<number> {
  const made = (await homeTrust(invocation)).init(name)
  await tell(invocation, [])
  await showOne(invocation, made, made.key, () => [made.element])
  const { stderr } = invocation.io
  stderr.write(`made the authority ${made.name}; its key stays in this home: whoever has it can grant whatever nodes let it\n`)
  stderr.write('next: put the line above into permissions.xml of each node, with capability="…", the most that it may grant there\n')
  return 0
}

async function certify(invocation: Invocation, name: string, email: string): Promise<number> {
  const what = grantFrom(invocation, email)
  return await printGrant(invocation, (await homeTrust(invocation)).certify(name, what), email)
}

async function revoke(invocation: Invocation, name: string, who: string): Promise<number> {
  const { taken, statement } = (await homeTrust(invocation)).revoke(name, who)
  await tell(invocation, [statement])
  await showOne(invocation, { taken, statement }, taken.join('\n'), () => taken.map(each => `revoked ${oneLine(each)}`))
  return 0
}

async function exported(invocation: Invocation, name: string): Promise<number> {
  const found = (await homeTrust(invocation)).export(name)
  await showOne(invocation, found, found.key, () => [found.element])
  return 0
}
