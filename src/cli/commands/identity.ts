import { CloudburstError } from '../../errors.ts'
import type { Invocation } from '../arguments.ts'
import { homeTrust } from '../granting.ts'
import { factLines, showOne } from '../output.ts'
import { daemonOf } from '../session.ts'

/** The public halves of the keys in this home: what others certify. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = 'show', more] = invocation.words
  if (verb === 'rotate' && more === undefined) return await rotate(invocation)
  if (verb !== 'show' || more !== undefined)
    throw new CloudburstError('CB_USAGE', 'identity takes: show, or rotate', { command: 'identity' })
  const trust = await homeTrust(invocation)
  const before = trust.identity(false)
  const keys = trust.identity(invocation.options.person === true)
  if (keys.person !== before.person)
    invocation.io.stderr.write('made a key for the person of this node; its daemon uses it from the next start\n')
  await showOne(invocation, keys, keys.peer, () =>
    factLines([
      ['node', keys.peer],
      ['person', keys.person]
    ])
  )
  return 0
}

/** A new key for this node, from the next start of its daemon: the neighbours that are up hear of it now, from both keys. */
async function rotate(invocation: Invocation): Promise<number> {
  const daemon = daemonOf(invocation)
  // Without a daemon nobody would hear of it.
  await daemon.local('grants', {})
  const { from, to, statement } = (await homeTrust(invocation)).rotate()
  const { told } = await daemon.local('trust', { statements: [statement] })
  await showOne(invocation, { from, to, told, statement }, to, () =>
    factLines([
      ['was', from],
      ['will be', to],
      ['told', `${told} neighbours`]
    ])
  )
  const { stderr } = invocation.io
  stderr.write(
    'the daemon has the new key from its next start; what the old one may do elsewhere goes on for it, and ends for the old one\n'
  )
  stderr.write('next: restart the daemon; nodes that dial this one follow, and their logs say what to put into neighborhood.xml\n')
  return 0
}
