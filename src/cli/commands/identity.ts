import { CloudburstError } from '../../errors.ts'
import type { Invocation } from '../arguments.ts'
import { homeTrust } from '../granting.ts'
import { factLines, showOne } from '../output.ts'

/** The public halves of the keys in this home: what others certify. */
export async function run(invocation: Invocation): Promise<number> {
  const [verb = 'show', more] = invocation.words
  if (verb !== 'show' || more !== undefined) throw new CloudburstError('CB_USAGE', 'identity takes: show', { command: 'identity' })
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
