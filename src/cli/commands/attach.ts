import type { Agency, Principal, Tree } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { type Invocation, onlyWord } from '../arguments.ts'
import { exitOfRest, followGoals } from '../follow.ts'
import { isForPrograms, showOne } from '../output.ts'
import { findRun } from '../run-ids.ts'
import { daemonOf, homeWords, onePeer, sessionWith } from '../session.ts'

/**
 * Follows a goal from its first event until it rests: one of this node, one that it sent away, or any goal that another node
 * tells of in its state. Losing the daemon or the other node in between loses nothing.
 */
export async function run(invocation: Invocation): Promise<number> {
  const prefix = onlyWord(invocation, 'the id of a goal')
  const client = daemonOf(invocation)
  const home = homeWords(invocation)
  const here = sessionWith(client, undefined, home)
  const peer = onePeer(invocation) ?? (await whereIs(here.agency, here.by, prefix))
  const { agency, by, suffix } = sessionWith(client, peer, home)
  const { id } = await findRun(agency, by, prefix)
  const [rest = 'unknown'] = await followGoals(invocation, [{ id, agency, by, suffix }])
  if (isForPrograms(invocation)) await showOne(invocation, await agency.call('goal', { id }, by), id, () => [])
  return exitOfRest[rest]
}

/** The name of the node that pursues a goal; undefined when this one does, or has sent it away. */
async function whereIs(agency: Agency, by: Principal, prefix: string): Promise<string | undefined> {
  try {
    await findRun(agency, by, prefix)
    return undefined
  } catch (error) {
    if (!(error instanceof CloudburstError) || error.code !== 'CB_RUN_UNKNOWN') throw error
    const { value } = await agency.call('state', { path: 'nodes' }, by)
    const nodes = nodesWith(value, prefix.toUpperCase())
    const [only, other] = nodes
    if (only === undefined) throw error
    if (other === undefined) return only
    throw new CloudburstError('CB_USAGE', `${nodes.join(', ')} have goals that begin with ${prefix}: type more of it`, {
      command: 'attach'
    })
  }
}

/** Nodes that pursue a goal whose id begins so. */
function nodesWith(nodes: Tree | undefined, prefix: string): string[] {
  return Object.entries(nodes?.fields ?? {}).flatMap(([name, node]) =>
    Object.keys(node.fields?.['goals']?.fields ?? {}).some(id => id.startsWith(prefix)) ? [name] : []
  )
}
