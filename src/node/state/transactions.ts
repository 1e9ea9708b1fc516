/** Changes of this node's own state that people and other nodes ask for: checked against what they saw, then all or none. */
import { CloudburstError } from '../../errors.ts'
import { assigned } from '../../goals/config/assignment.ts'
import { valueText } from '../../goals/render/words.ts'
import type { Tree } from '../../goals/tree.ts'
import type { Calls } from '../../protocols/agency/calls.ts'
import type { Replica } from '../../protocols/state/replica.ts'
import type { Agents } from '../agency/agents.ts'
import type { Programs } from '../programs/programs.ts'
import type { Op, Store } from '../store/store.ts'

/** Values that people put beside what the node says of itself: `nodes.<name>.shared.…`. */
const SHARED_PREFIX = 'sv!'
/** Most of them, and the longest name of one, in characters. */
export const SHARED_MAX = 1_000
const SHARED_NAME = /^[A-Za-z0-9_][\w-]{0,63}(\.[\w-]{1,64}){0,7}$/

export interface TransactionsParts {
  readonly store: Pick<Store, 'range' | 'batch'>
  readonly agents: Agents
  readonly programs: Pick<Programs, 'withHash'>
  readonly replica: Pick<Replica, 'own' | 'name'>
  /** Publishes what is so now, and resolves when it is. */
  readonly publish: () => Promise<void>
}

export interface Transactions {
  /** Shared values by name. */
  shared(): ReadonlyMap<string, Tree>
  /** Durable and published on return. @throws CloudburstError CB_VALUE_INVALID, CB_AGENT_UNKNOWN; nothing is changed then */
  apply(request: Calls['update']['request']): Promise<Calls['update']['reply']>
}

type Change = Calls['update']['request']['changes'][number]

/** A change, understood. */
type Target =
  | { readonly kind: 'agent'; readonly agent: string; readonly path: string; readonly value: Tree }
  | { readonly kind: 'shared'; readonly name: string; readonly value: Tree | undefined }

export async function openTransactions(parts: TransactionsParts): Promise<Transactions> {
  const shared = new Map<string, Tree>()
  for await (const [key, value] of parts.store.range<Tree>({ prefix: SHARED_PREFIX })) shared.set(key.slice(SHARED_PREFIX.length), value)
  let turn: Promise<unknown> = Promise.resolve()

  const apply = async ({ changes }: Calls['update']['request']): Promise<Calls['update']['reply']> => {
    const own = changes.map(change => ({ ...change, path: ownPath(parts.replica.name, change.path) }))
    for (const change of own) refuseChanged(parts.replica, change)
    const targets: Target[] = []
    for (const change of own) targets.push(await understand(parts, change))
    const added = targets.filter(each => each.kind === 'shared' && each.value !== undefined && !shared.has(each.name)).length
    if (shared.size + added > SHARED_MAX)
      throw new CloudburstError('CB_VALUE_INVALID', `this node keeps ${SHARED_MAX} shared values at most`, { path: own[0]?.path ?? '' })
    await write(parts, shared, targets)
    await parts.publish()
    const now = parts.replica.own()
    return { changes: own.map(({ path }) => ({ path: `nodes.${parts.replica.name}.${path}`, revision: now.get(path)?.revision ?? 0 })) }
  }
  return {
    shared: () => shared,
    // One at a time: what is compared must still be so when it is written.
    apply: request => {
      const done = turn.then(() => apply(request))
      turn = done.catch(() => undefined)
      return done
    }
  }
}

/** One batch for all. */
async function write({ store, agents }: TransactionsParts, shared: Map<string, Tree>, targets: readonly Target[]): Promise<void> {
  const ofAgents = targets.filter(each => each.kind === 'agent')
  const written = [...new Set(ofAgents.map(({ agent }) => agent))].flatMap(
    name =>
      agents.write(
        name,
        ofAgents.filter(({ agent }) => agent === name).map(({ path, value }) => ({ path, value }))
      ) ?? []
  )
  const values = targets.filter(each => each.kind === 'shared')
  const ops = values.map(
    ({ name, value }): Op =>
      value === undefined ? { type: 'del', key: SHARED_PREFIX + name } : { type: 'put', key: SHARED_PREFIX + name, value }
  )
  await store.batch([...written.flatMap(each => each.ops), ...ops], { sync: true })
  for (const { name, value } of values) {
    if (value === undefined) shared.delete(name)
    else shared.set(name, value)
  }
  for (const each of written) each.written()
}

/** The path below `nodes.<name>`. @throws CloudburstError CB_VALUE_INVALID when another node owns it */
function ownPath(name: string, path: string): string {
  const mine = `nodes.${name}.`
  if (path.startsWith(mine)) return path.slice(mine.length)
  if (!path.startsWith('nodes.')) return path
  throw new CloudburstError('CB_VALUE_INVALID', `${path} belongs to another node; this one is ${name}`, { path })
}

/** Somebody who saw something else decided about something else. */
function refuseChanged(replica: TransactionsParts['replica'], { path, revision }: Change): void {
  if (revision === undefined) return
  const now = replica.own().get(path)
  if ((now?.revision ?? 0) === revision) return
  const value = now === undefined ? 'gone' : valueText(now.value, 200)
  const message = `${path} has changed: it is ${value} at revision ${now?.revision ?? 0}, not at ${revision}`
  throw new CloudburstError('CB_VALUE_INVALID', message, { path, revision: now?.revision ?? 0, value })
}

async function understand({ agents, programs }: TransactionsParts, { path, value }: Change): Promise<Target> {
  const shared = path.startsWith('shared.') ? path.slice('shared.'.length) : undefined
  if (shared !== undefined) {
    if (!SHARED_NAME.test(shared)) throw refused(path, 'a shared value has a name of letters, digits, dashes and dots')
    return { kind: 'shared', name: shared, value: typeof value === 'string' ? { value } : value }
  }
  const [, name, variable] = /^agents\.([^.]+)\.variables\.(.+)$/.exec(path) ?? []
  if (name === undefined || variable === undefined)
    throw refused(path, 'only variables of agents (agents.NAME.variables.…) and shared values (shared.…) are set by others')
  if (value === undefined) throw refused(path, 'a variable of an agent cannot be removed')
  const agent = agents.get(name)
  const program = await programs.withHash(agent.program.hash)
  const proto = program?.agents.get(agent.proto)
  if (program === undefined || proto === undefined) throw refused(path, `the program of agent ${name} is not here any more`)
  const at = `agent.${variable}`
  return { kind: 'agent', agent: name, path: at, value: assigned(program, { agent: proto }, { path: at, value }) }
}

function refused(path: string, why: string): CloudburstError {
  return new CloudburstError('CB_VALUE_INVALID', `${path} cannot be set: ${why}`, { path })
}
