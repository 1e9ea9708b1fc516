import type { NodeInfo } from '../../node/control/contract.ts'
import { type Invocation, noWords } from '../arguments.ts'
import { ageOf, factLines, labelsText, showOne } from '../output.ts'
import { openSession } from '../session.ts'

/** What a node says about itself. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { agency, by } = await openSession(invocation)
  const node = await agency.call('hello', {}, by)
  await showOne(invocation, node, node.name, () => facts(node))
  return 0
}

function facts(node: NodeInfo): string[] {
  const { host, counts } = node
  const gibibytes = (host.memoryBytes / 2 ** 30).toFixed(1)
  return factLines([
    ['node', node.name],
    ['peer', node.peer],
    ['version', node.version],
    ['state', node.state],
    ['up', ageOf(node.startedAt)],
    ['labels', labelsText(node.labels)],
    ['host', `${host.hostname}, ${host.platform} ${host.arch}, ${host.cpus} cpus, ${gibibytes} GiB`],
    ['programs', counts.programs],
    ['agents', counts.agents],
    ['goals', `${counts.running} running, ${counts.suspended} suspended`],
    ...node.addresses.map((address, at) => [at === 0 ? 'addresses' : '', address] as const)
  ])
}
