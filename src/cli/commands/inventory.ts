import type { PeerInfo, Tree, Variables } from '../../node/control/contract.ts'
import { type ErrorData, fromErrorData, toErrorData } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { type Invocation, noWords, peersOf } from '../arguments.ts'
import type { ControlClient } from '../control-client.ts'
import { ageOf, showRows, type Table } from '../output.ts'
import { daemonOf, sessionWith } from '../session.ts'

interface NodeInventory {
  readonly node: string
  readonly peer: string
  readonly at?: number
  readonly variables?: Variables
  readonly error?: string
  readonly code?: ErrorData['code']
}

const table: Table<NodeInventory> = {
  columns: [
    { title: 'NODE', of: ({ node }) => node },
    { title: 'SYSTEM', of: row => textOf(row, 'system') },
    { title: 'CPU', of: row => textOf(row, 'cpu') },
    { title: 'MEMORY', of: row => textOf(row, 'memory') },
    { title: 'DISKS', of: row => counted(row, 'disks') },
    { title: 'SOFTWARE', of: row => textOf(row, 'packages') ?? counted(row, 'software') },
    { title: 'PORTS', of: row => counted(row, 'ports') },
    { title: 'DATA', of: row => counted(row, 'data') },
    { title: 'AGE', of: row => (row.at === undefined ? (row.error ?? 'never taken') : ageOf(row.at)) },
    { title: 'LISTENING', of: row => lines(row, 'ports').join(' '), wide: true },
    { title: 'MOUNTED', of: row => lines(row, 'disks').join(', '), wide: true }
  ],
  name: row => row.node,
  empty: 'no nodes'
}

/** What is known of the nodes: of those named, or of this one and all that are up. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const client = daemonOf(invocation)
  const named = invocation.options.all ? [] : peersOf(invocation.options)
  const nodes = named.length > 0 ? named.map(name => ({ node: name, peer: name })) : await known(client)
  const rows = await Promise.all(nodes.map(node => inventoryOf(client, node)))
  await showRows(invocation, rows, table)
  if (named.length > 0 && rows.every(row => row.error !== undefined))
    throw fromErrorData({ code: rows[0]?.code ?? 'CB_PEER_UNREACHABLE', message: rows[0]?.error ?? 'no node answers' })
  return 0
}

type Target = { readonly node: string; readonly peer: string | undefined }

async function known(client: ControlClient): Promise<Target[]> {
  const peers = await client.local('peers', {})
  const answering = peers.filter(({ status }: PeerInfo) => status === 'self' || status === 'up')
  return answering.map(({ name, peer, status }) => ({ node: name, peer: status === 'self' ? undefined : peer }))
}

async function inventoryOf(client: ControlClient, { node, peer }: Target): Promise<NodeInventory> {
  const { agency, by } = sessionWith(client, peer, [])
  try {
    return { node, peer: peer ?? '', ...(await agency.call('inventory', {}, by)) }
  } catch (error) {
    const { code, message } = toErrorData(error)
    return { node, peer: peer ?? '', code, error: oneLine(message) }
  }
}

function textOf({ variables }: NodeInventory, name: string): string | undefined {
  const tree: Tree | undefined = variables?.[name]
  return tree?.value === undefined ? undefined : String(tree.value).trim()
}

function lines(row: NodeInventory, name: string): string[] {
  return (textOf(row, name) ?? '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}

function counted(row: NodeInventory, name: string): number | undefined {
  return row.variables === undefined ? undefined : lines(row, name).length
}
