/** Paths that lead nowhere: what a `<get>` names must be declared, or be the result of a step, somewhere. */
import { didYouMean } from './did-you-mean.ts'
import type { AgentProto, GoalProto, Path, Place, Program } from './model.ts'
import type { Reading } from './reading.ts'
import { warn } from './reading.ts'
import { topNames } from './vocabulary.ts'

/** What is read and written in one goal or method, noted while that is read: looking for it afterwards takes longer than reading. */
export interface PathsOf {
  /** Name of the goal, or of that which the method achieves. */
  readonly goal: string
  readonly agent: string | undefined
  readonly reads: { readonly path: Path; readonly place: Place; readonly symbols: readonly string[] }[]
  /** Places that are written, and results of steps by name. */
  readonly writes: Path[]
}

/** What paths may begin with. */
interface Known {
  readonly goal: ReadonlySet<string>
  /** Undefined: any, since nothing is known of the agent. */
  readonly agent: ReadonlySet<string> | undefined
  readonly instances: ReadonlyMap<string, unknown>
}

/** Warns of each path in `program` that cannot be anything but undefined. No error: a private file of another machine may define it. */
export function checkPaths(reading: Reading, program: Program): void {
  const agents = [...program.agents.values()]
  const variables = goalVariables(reading, [...program.goals.values(), ...agents.flatMap(agent => [...agent.goals.values()])])
  const ofAgents = agentVariables(reading, agents)
  for (const { goal, agent, reads } of reading.paths) {
    // of a method for a goal that is not there that is told
    const known = variables.get(goal)
    if (known === undefined) continue
    const scope = { goal: known, agent: ofAgents(agent), instances: program.instances }
    for (const { path, place, symbols } of reads) check(reading, goal, scope, path, place, symbols)
  }
}

/** By goal: its parameters, and what any of its methods writes. Goals of one name in program and agents share their methods. */
function goalVariables({ paths }: Reading, protos: readonly GoalProto[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  for (const { name, parameters } of protos) {
    const names = found.get(name) ?? new Set()
    for (const parameter of parameters) names.add(parameter.name)
    found.set(name, names)
  }
  for (const { goal, writes } of paths) {
    for (const [top, name] of writes) {
      // older programs write a goal's variables without `goal.`
      const written = top === 'goal' ? name : top
      if (top !== 'agent' && typeof written === 'string') found.get(goal)?.add(written)
    }
  }
  return found
}

/** By the agent in which a path stands: its variables and what is written to any; of a path outside, those of all. */
function agentVariables({ paths }: Reading, agents: readonly AgentProto[]): (agent: string | undefined) => ReadonlySet<string> | undefined {
  const written = paths.flatMap(({ writes }) =>
    writes.flatMap(([top, name]) => (top === 'agent' && typeof name === 'string' ? [name] : []))
  )
  const own = new Map(agents.map(agent => [agent.name, new Set([...agent.variables.map(({ name }) => name), ...written])]))
  // without an agent of its own a program may be of one that is started elsewhere
  const any = agents.length === 0 ? undefined : new Set([...own.values()].flatMap(names => [...names]))
  return agent => (agent === undefined ? any : own.get(agent))
}

function check(reading: Reading, goal: string, known: Known, path: Path, place: Place, symbols: readonly string[]): void {
  const [top, name] = path
  if (typeof top !== 'string' || symbols.includes(top)) return
  if (top === 'goal') {
    if (typeof name === 'string' && !known.goal.has(name) && !symbols.includes(`goal.${name}`))
      warn(reading, place, `goal ${goal} has no variable ${name}, and no step of it has that name${near(name, known.goal, 'goal.')}`)
  } else if (top === 'agent') {
    if (typeof name === 'string' && known.agent?.has(name) === false)
      warn(reading, place, `the agent has no variable ${name}, and nothing writes it${near(name, known.agent, 'agent.')}`)
  } else if (!(topNames as readonly string[]).includes(top) && !known.instances.has(top) && !known.goal.has(top)) {
    const meant = didYouMean(top, [...topNames, ...symbols, ...known.instances.keys()])
    warn(reading, place, `there is no ${top} in the state of the program${meant}`)
  }
}

function near(name: string, names: ReadonlySet<string>, prefix: string): string {
  return didYouMean(name, names, found => prefix + found)
}
