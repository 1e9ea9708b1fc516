/** Which goal a request means, in which program and agent, and whether it is configured. Looks only; changes nothing. */
import { CloudburstError } from '../errors.ts'
import { agentVariables } from '../goals/config/agent-variables.ts'
import { bind } from '../goals/config/bind.ts'
import { suggest } from '../goals/config/controller.ts'
import { instancesOf } from '../goals/config/instances.ts'
import { findGoal } from '../goals/pursuit/call.ts'
import type { Fact, Probe, Surroundings } from '../goals/ports.ts'
import type { AgentProto, GoalProto, Program } from '../goals/program/model.ts'
import type { Assignment } from '../goals/pursuit/events.ts'
import type { Variables } from '../goals/tree.ts'
import type { GoalRequest } from '../protocols/agency/calls.ts'
import type { Agents } from './agents.ts'
import type { Programs } from './programs.ts'

/** Rounds of gathering facts for one configuration. */
const FACT_ROUNDS_MAX = 16

export interface FinderParts {
  readonly programs: Programs
  readonly agents: Agents
  readonly probe: Probe
  readonly host: Variables
  readonly peer: Variables
}

/** A goal, found and ready to be bound. */
export interface Found {
  readonly program: Program
  readonly proto: GoalProto
  readonly agentProto?: AgentProto
  readonly agentName?: string
}

export interface GoalFinder {
  /** @throws CloudburstError CB_PROGRAM_UNKNOWN, CB_GOAL_UNKNOWN, CB_AGENT_UNKNOWN, CB_USAGE */
  find(request: GoalRequest): Promise<Found>
  /** @throws CloudburstError CB_CONFIG_INCOMPLETE with what could be typed (details.lines), CB_VALUE_INVALID */
  requireConfigured(found: Found, assignments: readonly Assignment[]): Promise<void>
  /** What a goal sees besides its own variables; the agent's live ones. */
  surroundings(agentName?: string): Surroundings
  /** What a goal would see if its agent were started now: planning starts none. */
  preview(found: Found): Surroundings
}

export function goalFinder(parts: FinderParts): GoalFinder {
  const { programs, agents } = parts
  const surroundings: GoalFinder['surroundings'] = agentName => ({
    agent: () => (agentName !== undefined && agents.has(agentName) ? agents.get(agentName).variables : {}),
    host: parts.host,
    peer: parts.peer
  })
  const preview: GoalFinder['preview'] = ({ program, agentName, agentProto }) => {
    const now = surroundings(agentName)
    if (agentName === undefined || agentProto === undefined || agents.has(agentName)) return now
    const variables = agentVariables(program, agentProto)
    return { ...now, agent: () => variables }
  }
  return {
    surroundings,
    preview,
    find: async request => {
      const program = request.program === undefined ? await programs.withGoal(request.goal) : await programs.find(request.program)
      const owner = agentOf(program, request, agents)
      const agentProto = owner === undefined ? undefined : program.agents.get(owner.proto)
      const proto = findGoal({ program, ...(agentProto !== undefined && { agent: agentProto }) }, request.goal)
      if (proto === undefined) {
        const details = { goal: request.goal, program: program.name }
        throw new CloudburstError('CB_GOAL_UNKNOWN', `program ${program.name} has no goal ${request.goal}`, details)
      }
      return { program, proto, ...(agentProto !== undefined && { agentProto }), ...(owner !== undefined && { agentName: owner.name }) }
    },
    requireConfigured: (found, assignments) => requireConfigured(parts.probe, found, assignments, preview(found))
  }
}

async function requireConfigured(
  probe: Probe,
  found: Found,
  assignments: readonly Assignment[],
  surroundings: Surroundings
): Promise<void> {
  const { program, proto, agentProto } = found
  const facts = new Map<string, Fact>()
  const instances = instancesOf(program)
  for (let round = 0; round < FACT_ROUNDS_MAX; round++) {
    const bound = bind(program, proto, {
      assignments,
      surroundings,
      facts,
      instances,
      ...(agentProto !== undefined && { agent: agentProto })
    })
    const wrong = bound.errors[0]
    if (bound.wanted.length > 0) {
      const answers = await probe.gather(bound.wanted)
      for (const [i, query] of bound.wanted.entries()) facts.set(JSON.stringify(query), answers[i] ?? { kind: 'text', value: undefined })
    } else if (wrong !== undefined) {
      const { file, line, col } = wrong.place
      throw new CloudburstError('CB_VALUE_INVALID', `${file}:${line}:${col}: ${wrong.message}`, { goal: proto.name })
    } else if (bound.missing.length > 0) {
      const lines = suggest({ command: 'pursue', goal: proto.name, assignments, bound })
      const missing = bound.missing.map(each => each.path).join(', ')
      throw new CloudburstError('CB_CONFIG_INCOMPLETE', `${proto.name} needs ${missing}`, { goal: proto.name, lines })
    } else return
  }
}

/** The agent whose goal this is: named, or the one in whose element the goal stands, or the only one of the program. */
function agentOf(program: Program, request: GoalRequest, agents: Agents): { readonly name: string; readonly proto: string } | undefined {
  if (request.agent !== undefined) {
    if (agents.has(request.agent)) return { name: request.agent, proto: agents.get(request.agent).proto }
    if (program.agents.has(request.agent)) return { name: request.agent, proto: request.agent }
    throw new CloudburstError('CB_AGENT_UNKNOWN', `no agent ${request.agent} is here`, { agent: request.agent })
  }
  for (const [name, agent] of program.agents) if (agent.goals.has(request.goal)) return { name, proto: name }
  const [only, second] = program.agents.keys()
  return only !== undefined && second === undefined ? { name: only, proto: only } : undefined
}
