/** Which goal a request means, in which program and agent, and whether it is configured. Looks only; changes nothing. */
import { factKey } from '../../goals/expression/fact-key.ts'
import { CloudburstError } from '../../errors.ts'
import { agentVariables } from '../../goals/config/agent-variables.ts'
import { bind, type Bound } from '../../goals/config/bind.ts'
import { onlySuggestions, proposedWords, secretPaths, suggest } from '../../goals/config/controller.ts'
import type { Known } from '../../goals/config/reconfigure.ts'
import { instancesOf } from '../../goals/config/instances.ts'
import { findGoal } from '../../goals/pursuit/call.ts'
import { withoutShells } from '../../goals/plan/without-shells.ts'
import type { Fact, Probe, Surroundings } from '../../goals/ports.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { AgentProto, GoalProto, Program } from '../../goals/program/model.ts'
import type { Assignment } from '../../goals/pursuit/events.ts'
import type { Variables } from '../../goals/tree.ts'
import type { GoalRequest } from '../../protocols/agency/calls.ts'
import { type Agents, INVENTORY_AGENT } from '../agency/agents.ts'
import { goalsOf } from '../programs/goals-of.ts'
import type { Programs } from '../programs/programs.ts'
import type { NodeJournal } from '../store/journal.ts'

/** Rounds of gathering facts for one configuration. */
const FACT_ROUNDS_MAX = 16
/** Runs among which the last completed one of a goal is looked for, newest first. */
const RUNS_LOOKED_AT_MAX = 1_000

export interface FinderParts {
  readonly programs: Programs
  readonly agents: Agents
  readonly probe: Probe
  readonly host: Variables
  readonly peer: Variables
  readonly journal: Pick<NodeJournal, 'summaries' | 'read'>
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
  /**
   * The assignments of `request`, with the suggestions that it says to take.
   * @throws CloudburstError CB_CONFIG_INCOMPLETE with what could be typed (details.lines), CB_VALUE_INVALID
   */
  configure(found: Found, request: GoalRequest, command: 'plan' | 'pursue'): Promise<readonly Assignment[]>
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
        throw new CloudburstError(
          'CB_GOAL_UNKNOWN',
          `program ${program.name} has no goal ${request.goal}${didYouMean(request.goal, goalsOf(program))}`,
          details
        )
      }
      return { program, proto, ...(agentProto !== undefined && { agentProto }), ...(owner !== undefined && { agentName: owner.name }) }
    },
    configure: (found, request, command) => configure(parts, found, request, command, preview(found))
  }
}

async function configure(
  parts: FinderParts,
  found: Found,
  request: GoalRequest,
  command: 'plan' | 'pursue',
  surroundings: Surroundings
): Promise<readonly Assignment[]> {
  const { proto } = found
  refuseOfAgent(found, request.assignments)
  const probe = request.probe === false ? withoutShells(parts.probe) : parts.probe
  let { assignments } = request
  for (let round = 0; ; round++) {
    const known = round === 0 ? undefined : await knownFrom(parts, found)
    const bound = await boundWithFacts(probe, found, assignments, surroundings, known)
    const wrong = bound.errors[0]
    if (wrong !== undefined) {
      const { file, line, col } = wrong.place
      throw new CloudburstError('CB_VALUE_INVALID', `${file}:${line}:${col}: ${wrong.message}`, { goal: proto.name })
    }
    if (bound.missing.length === 0) return assignments
    // Where suggestions may come from is looked at only when something is missing.
    if (round === 0) continue
    const taken = request.acceptSuggestions === true && round <= proto.parameters.length ? onlySuggestions(bound.missing) : undefined
    if (taken === undefined) throw incomplete(command, found, assignments, bound)
    const replaced = new Set(taken.map(each => each.path))
    assignments = [...assignments.filter(each => !replaced.has(each.path)), ...taken]
  }
}

/** What is an agent's outlives its goals and is read by all of them: asking for one of them does not change it. */
function refuseOfAgent({ proto, agentName }: Found, assignments: readonly Assignment[]): void {
  const path = assignments.map(each => each.path.trim()).find(each => /^agent\b/.test(each))
  if (path === undefined) return
  const when = agentName === undefined ? 'and there is none' : `which is given when ${agentName} is started`
  throw new CloudburstError('CB_VALUE_INVALID', `${path} cannot be set for ${proto.name}: it is a value of the agent, ${when}`, {
    goal: proto.name
  })
}

async function boundWithFacts(
  probe: Probe,
  { program, proto, agentProto }: Found,
  assignments: readonly Assignment[],
  surroundings: Surroundings,
  known: Pick<Known, 'inventory' | 'last'> | undefined
): Promise<Bound> {
  const facts = new Map<string, Fact>()
  const instances = instancesOf(program)
  for (let round = 0; ; round++) {
    const input = { assignments, surroundings, facts, instances, ...(agentProto && { agent: agentProto }), ...(known && { known }) }
    const bound = bind(program, proto, input)
    if (bound.wanted.length === 0 || round >= FACT_ROUNDS_MAX) return bound
    const answers = await probe.gather(bound.wanted)
    for (const [i, query] of bound.wanted.entries()) facts.set(factKey(query), answers[i] ?? { kind: 'text', value: undefined })
  }
}

function incomplete(command: string, { proto }: Found, assignments: readonly Assignment[], bound: Bound): CloudburstError {
  const goal = proto.name
  return new CloudburstError('CB_CONFIG_INCOMPLETE', `${goal} needs ${bound.missing.map(each => each.path).join(', ')}`, {
    goal,
    lines: suggest({ command, goal, assignments, bound }),
    proposed: proposedWords(bound.missing),
    secret: secretPaths(bound, assignments)
  })
}

/** The inventory of this node, and what the same goal was configured with when it was last completed here. */
async function knownFrom({ agents, journal }: FinderParts, { program, proto }: Found): Promise<Pick<Known, 'inventory' | 'last'>> {
  const inventory = agents.has(INVENTORY_AGENT) ? { inventory: agents.get(INVENTORY_AGENT).variables } : {}
  let looked = 0
  for await (const run of journal.summaries(run => run.status === 'completed' && run.goal === proto.name && !run.compacted)) {
    if (++looked > RUNS_LOOKED_AT_MAX) break
    if (run.program.name !== program.name) continue
    const configured = (await journal.read(run.id)).find(event => event.body.type === 'configured')?.body
    if (configured?.type !== 'configured') continue
    const source = `goal ${run.id}, ${new Date(run.updatedAt).toISOString().slice(0, 10)}`
    return { ...inventory, last: { variables: configured.variables, source } }
  }
  return inventory
}

/** The agent whose goal this is: named, or the one in whose element the goal stands, or the only one of the program. */
function agentOf(program: Program, request: GoalRequest, agents: Agents): { readonly name: string; readonly proto: string } | undefined {
  if (request.agent !== undefined) {
    if (agents.has(request.agent)) return { name: request.agent, proto: agents.get(request.agent).proto }
    if (program.agents.has(request.agent)) return { name: request.agent, proto: request.agent }
    {
      const near = didYouMean(request.agent, [...agents.list().map(agent => agent.name), ...program.agents.keys()])
      throw new CloudburstError('CB_AGENT_UNKNOWN', `no agent ${request.agent} is here${near}`, { agent: request.agent })
    }
  }
  for (const [name, agent] of program.agents) if (agent.goals.has(request.goal)) return { name, proto: name }
  const [only, second] = program.agents.keys()
  return only !== undefined && second === undefined ? { name: only, proto: only } : undefined
}
