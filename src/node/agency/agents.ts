/** The agents of this node: long-lived instances of `<agent>` elements, and their variables, which outlive the process. */
import { CloudburstError } from '../../errors.ts'
import { agentVariables } from '../../goals/config/agent-variables.ts'
import { convert } from '../../goals/expression/convert.ts'
import { getIn, parsePath, setIn } from '../../goals/expression/path.ts'
import { keepSecretTypes, sealVariables } from '../../goals/expression/secrets.ts'
import type { Vault } from '../../goals/ports.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { AgentProto, Program } from '../../goals/program/model.ts'
import type { Principal, Write } from '../../goals/pursuit/events.ts'
import type { Tree, Variables } from '../../goals/tree.ts'
import type { AgentInfo } from '../../protocols/agency/calls.ts'
import { NODE_NAME } from '../../protocols/node-name.ts'
import type { Op, Store } from '../store/store.ts'

/** Agent whose variables are the node's inventory. */
export const INVENTORY_AGENT = 'inventory'
const PREFIX = 'a!'
/**
 * Agents that are kept here, stopped ones too: each is read at every start, told to the mesh, and listed for people.
 * A name can be used again once its agent is stopped.
 */
export const AGENTS_MAX = 1_000

/** An agent as it is kept. */
export interface Agent {
  readonly name: string
  readonly program: { readonly name: string; readonly hash: string }
  /** Name of the `<agent>` element. */
  readonly proto: string
  readonly status: AgentInfo['status']
  readonly startedAt: number
  readonly variables: Variables
  /** Since it was stopped: the id of the goal that its `onStop` names, and who stopped it. */
  readonly stopGoal?: { readonly id: string; readonly by: Principal }
}

/** A change of an agent that travels in somebody else's batch. */
export interface AgentChange {
  readonly ops: readonly Op[]
  /** To be called once they are on disk: others are told then. */
  written(): void
}

export interface Agents {
  list(): readonly Agent[]
  /** @throws CloudburstError CB_AGENT_UNKNOWN */
  get(name: string): Agent
  has(name: string): boolean
  /** Makes an agent with the start values of its `<agent>`; durable on return. @throws CloudburstError CB_AGENT_EXISTS, CB_USAGE, CB_BUSY */
  start(program: Program, proto: AgentProto, name: string): Promise<Agent>
  /** The agent of that name, made if there is none; one of an older version of the same program goes over to this one and keeps its values. */
  ensure(program: Program, proto: AgentProto, name: string): Promise<Agent>
  /** Durable on return. */
  setStatus(name: string, status: Agent['status'], stopGoal?: Agent['stopGoal']): Promise<Agent>
  /** Changes one variable; durable on return. */
  assign(name: string, path: string, value: Tree): Promise<void>
  /**
   * What a step of an agent's goal wrote: its goals see it at once, others once it is durable. The operations belong into the
   * batch of the step's outcome, which must be given to the store before anything is awaited. Undefined when there is no such agent.
   */
  write(name: string, writes: readonly Write[]): AgentChange | undefined
  /** Called after each change, once it is on disk. @returns ends it */
  onChange(listener: (agent: Agent) => void): () => void
}

/**
 * Reads all agents; once more whenever the store can be written again, since a write that failed may be there after all.
 * @param vault keeps their secrets; absent where no agent outlives the process
 */
export async function openAgents(
  store: Pick<Store, 'range' | 'batch' | 'onState'>,
  now: () => number,
  vault?: Pick<Vault, 'seal'>
): Promise<Agents> {
  /** As on disk, and with what is on its way there: what the next change begins from. */
  const durable = new Map<string, Agent>()
  const agents = new Map<string, Agent>()
  const listeners = new Set<(agent: Agent) => void>()
  const tell = (agent: Agent): void => {
    durable.set(agent.name, agent)
    for (const listener of listeners) listener(agent)
  }
  /** Changed since the last reading began: newer than what it finds. */
  const changed = new Set<string>()
  const read = async (): Promise<void> => {
    changed.clear()
    for await (const [name, agent] of store.range<Agent>({ prefix: PREFIX })) {
      if (changed.has(name.slice(PREFIX.length))) continue
      agents.set(agent.name, agent)
      tell(agent)
    }
  }
  await read()
  store.onState(state => {
    agents.clear()
    for (const [name, agent] of durable) agents.set(name, agent)
    if (state === 'ready') void read().catch(() => undefined)
  })

  const put = (given: Agent): { readonly agent: Agent; readonly op: Op } => {
    const agent = vault === undefined ? given : sealed(given, vault)
    agents.set(agent.name, agent)
    changed.add(agent.name)
    return { agent, op: { type: 'put', key: PREFIX + agent.name, value: agent } }
  }
  const save = async (given: Agent): Promise<Agent> => {
    const before = agents.get(given.name)
    const { agent, op } = put(given)
    try {
      await store.batch([op], { sync: true })
    } catch (error) {
      // Nothing that came later begins from what nobody has.
      if (agents.get(agent.name) === agent) restore(agent.name, before)
      throw error
    }
    tell(agent)
    return agent
  }
  const restore = (name: string, before: Agent | undefined): void => {
    const known = durable.get(name) ?? before
    if (known === undefined) agents.delete(name)
    else agents.set(name, known)
  }
  const get = (name: string): Agent => {
    const agent = agents.get(name)
    if (agent === undefined)
      throw new CloudburstError('CB_AGENT_UNKNOWN', `no agent ${name} is here${didYouMean(name, agents.keys())}`, { agent: name })
    return agent
  }
  const start: Agents['start'] = async (program, proto, name) => {
    if (!NODE_NAME.test(name))
      throw new CloudburstError('CB_USAGE', `${JSON.stringify(name)} cannot name an agent: letters, digits, . _ - and at most 64 of them`)
    const before = agents.get(name)
    if (before !== undefined && before.status !== 'stopped')
      throw new CloudburstError('CB_AGENT_EXISTS', `an agent ${name} of ${before.program.name} is here already`, { agent: name })
    if (before === undefined && agents.size >= AGENTS_MAX)
      throw new CloudburstError('CB_BUSY', `${AGENTS_MAX} agents are here already: stop one, and give its name to the new one`, {
        agent: name,
        limit: AGENTS_MAX
      })
    const { hash } = program
    return await save({
      name,
      program: { name: program.name, hash },
      proto: proto.name,
      status: 'running',
      startedAt: now(),
      variables: agentVariables(program, proto)
    })
  }

  return {
    list: () => [...agents.values()],
    get,
    has: name => agents.has(name),
    start,
    ensure: async (program, proto, name) => {
      const agent = agents.get(name)
      if (agent === undefined || agent.status === 'stopped') return await start(program, proto, name)
      if (agent.program.name !== program.name)
        throw new CloudburstError('CB_AGENT_EXISTS', `agent ${name} belongs to ${agent.program.name}, not to ${program.name}`, {
          agent: name
        })
      if (agent.program.hash === program.hash) return agent
      return await save({
        ...agent,
        program: { name: program.name, hash: program.hash },
        variables: { ...agentVariables(program, proto), ...agent.variables }
      })
    },
    setStatus: async (name, status, stopGoal) => {
      const { stopGoal: _, ...agent } = get(name)
      return await save({ ...agent, status, ...(stopGoal !== undefined && { stopGoal }) })
    },
    assign: async (name, path, value) => void (await save(written(get(name), [{ path, value }]))),
    write: (name, writes) => {
      if (!agents.has(name)) return undefined
      const { agent, op } = put(written(get(name), writes))
      return { ops: [op], written: () => tell(agent) }
    },
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

/** Secrets of agents are kept apart from what is stored and told to other nodes. */
function sealed(agent: Agent, vault: Pick<Vault, 'seal'>): Agent {
  const variables = sealVariables(agent.variables, secret => vault.seal(`agent.${agent.name}`, secret))
  return variables === agent.variables ? agent : { ...agent, variables }
}

function written(agent: Agent, writes: readonly Write[]): Agent {
  let tree: Tree = { fields: agent.variables }
  for (const { path, value } of writes) {
    const place = parsePath(path).slice(1)
    const before = getIn(tree, place)
    tree = setIn(tree, place, ofType(before, keepSecretTypes(before, value)))
  }
  return { ...agent, variables: tree.fields ?? {} }
}

/** A value without a type takes that of what it replaces; whether it fits was looked at before the step's outcome was written. */
function ofType(before: Tree | undefined, value: Tree): Tree {
  if (before?.type === undefined || value.type !== undefined || value.value === undefined) return value
  const result = convert(value.value, before.type)
  return 'misfit' in result ? value : { ...value, type: before.type, value: result.value }
}
