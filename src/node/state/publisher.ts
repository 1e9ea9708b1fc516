/** What this node tells all others about itself, kept in step with what is so. */
import { toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import type { RunStatus } from '../../goals/pursuit/summary.ts'
import { maskSecrets } from '../../goals/expression/plain.ts'
import type { Tree, Variables } from '../../goals/tree.ts'
import type { Replica } from '../../protocols/state/replica.ts'

/** Changes that come within this time are one transaction, in milliseconds. */
export const GATHER_MS = 50
/** Time between two transactions of a node on which something changes all the time, in milliseconds: each one costs every node that hears it. */
export const REST_MS = 250
/** Summaries of the latest goals that are published. */
export const GOALS_PUBLISHED_MAX = 200
/** Files of the newest that are published. */
export const ARTIFACTS_PUBLISHED_MAX = 500
/** Largest value that is published, in bytes of JSON; larger ones are to be asked for (examine, inventory). */
export const VALUE_BYTES_MAX = 8 * 1024

/** This node at a glance. */
export interface NodeSnapshot {
  readonly peer: string
  readonly version: string
  readonly labels: Readonly<Record<string, string>>
  readonly addresses: readonly string[]
  readonly host: Variables
  readonly agents: readonly { readonly name: string; readonly program: string; readonly status: string; readonly variables: Variables }[]
  /** Newest first. */
  readonly goals: readonly { readonly id: string; readonly goal: string; readonly status: RunStatus; readonly agent?: string }[]
  readonly programs: readonly { readonly name: string; readonly hash: string }[]
  /** Values that people keep beside. */
  readonly shared?: ReadonlyMap<string, Tree>
  /** Files that it keeps. */
  readonly artifacts?: readonly { readonly hash: string; readonly size: number; readonly name: string }[]
  /** Which goal wrote a path last. */
  readonly writers?: ReadonlyMap<string, string>
}

export interface PublisherParts {
  readonly replica: Pick<Replica, 'publish' | 'own'>
  /** Called at most once in REST_MS, and only after {@link Publisher.changed}. */
  readonly snapshot: () => NodeSnapshot | Promise<NodeSnapshot>
  readonly clock: Clock
  readonly log: { warn(what: object, message: string): void }
}

export interface Publisher {
  /** Something of the node has changed; cheap, and may be called as often as one likes. */
  changed(): void
  /** Resolves when everything changed so far is published, GATHER_MS to REST_MS later; at once when there is nothing. */
  published(): Promise<void>
  /** Publishes what is left. */
  stop(): Promise<void>
}

/** Publishes the node now, and again after each change. */
export function startPublisher({ replica, snapshot, clock, log }: PublisherParts): Publisher {
  const stopping = new AbortController()
  /** What is resolved by publishing what has changed since the latest snapshot was taken. */
  let next: PromiseWithResolvers<void> | undefined
  let latest: Promise<void> = Promise.resolve()
  let running: Promise<void> | undefined

  const publish = async (): Promise<void> => {
    try {
      const node = await snapshot()
      const now = flatten(node)
      const gone = [...replica.own().keys()].filter(path => !now.has(path)).map(path => ({ path }))
      const change = (path: string, value: Tree) => {
        const goal = node.writers?.get(path)
        return { path, value, ...(goal !== undefined && { goal }) }
      }
      replica.publish([...[...now].map(([path, value]) => change(path, value)), ...gone])
    } catch (error) {
      log.warn({ code: toErrorData(error).code }, `this node's state could not be published: ${toErrorData(error).message}`)
    }
  }
  const run = async (): Promise<void> => {
    while (next !== undefined) {
      await clock.sleep(GATHER_MS, stopping.signal).catch(() => undefined)
      const gathered = next
      next = undefined
      await publish()
      gathered.resolve()
      await clock.sleep(REST_MS - GATHER_MS, stopping.signal).catch(() => undefined)
    }
    running = undefined
  }
  const changed = (): void => {
    next ??= Promise.withResolvers<void>()
    latest = next.promise
    running ??= run()
  }

  changed()
  return {
    changed: () => {
      if (!stopping.signal.aborted) changed()
    },
    published: () => latest,
    stop: async () => {
      stopping.abort()
      await running
    }
  }
}

/** The snapshot as paths below `nodes.<name>` and their values. */
export function flatten(node: NodeSnapshot): ReadonlyMap<string, Tree> {
  const all = new Map<string, Tree>()
  const put = (path: string, value: Tree): void => {
    const bytes = Buffer.byteLength(JSON.stringify(value))
    all.set(path, bytes <= VALUE_BYTES_MAX ? value : { type: 'omitted', value: `${bytes} bytes` })
  }
  put('peer', { value: node.peer })
  put('version', { value: node.version })
  put('addresses', { items: node.addresses.map(value => ({ value })) })
  for (const [name, value] of Object.entries(node.labels)) put(`labels.${name}`, { value })
  for (const [name, value] of Object.entries(node.host)) put(`host.${name}`, value)
  for (const [name, value] of node.shared ?? []) put(`shared.${name}`, value)
  for (const { hash, size, name } of (node.artifacts ?? []).slice(0, ARTIFACTS_PUBLISHED_MAX))
    put(`artifacts.${hash}`, { fields: { name: { value: name }, size: { type: 'int', value: size } } })
  for (const { name, hash } of node.programs) put(`programs.${name}`, { value: hash })
  for (const agent of node.agents) {
    put(`agents.${agent.name}.program`, { value: agent.program })
    put(`agents.${agent.name}.status`, { value: agent.status })
    for (const [name, value] of Object.entries(agent.variables)) put(`agents.${agent.name}.variables.${name}`, maskSecrets(value))
  }
  for (const { id, goal, status, agent } of node.goals.slice(0, GOALS_PUBLISHED_MAX)) {
    const fields = { goal: { value: goal }, status: { value: status }, ...(agent === undefined ? {} : { agent: { value: agent } }) }
    put(`goals.${id}`, { fields })
  }
  return all
}
