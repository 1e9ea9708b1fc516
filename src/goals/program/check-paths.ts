/** Paths that lead nowhere: what a `<get>` or `<set>` names must be declared, or be the result of a step, somewhere. */
import { didYouMean } from './did-you-mean.ts'
import type { AgentProto, GoalProto, Method, Path, Place, Program } from './model.ts'
import type { Reading } from './reading.ts'
import { warn } from './reading.ts'
import { topNames } from './vocabulary.ts'

/** What paths of one goal may begin with. */
interface Known {
  readonly goal: ReadonlySet<string>
  readonly goalName: string
  /** Undefined: any, since nothing is known of the agent. */
  readonly agent: ReadonlySet<string> | undefined
  readonly instances: ReadonlyMap<string, unknown>
}

/** Names that some step writes. */
interface Written {
  readonly goal: Set<string>
  readonly agent: Set<string>
}

/** Warns of each path in `program` that cannot be anything but undefined. No error: a private file of another machine may define it. */
export function checkPaths(reading: Reading, program: Program): void {
  const agents = [...program.agents.values()]
  const written = { goal: new Set<string>(), agent: new Set<string>() }
  collect(agents, written)
  collect([...program.goals.values(), ...program.methods], written)
  const variables = agents.flatMap(agent => agent.variables.map(({ name }) => name))
  // without an agent of its own a program may be of one that is started elsewhere
  const anyAgent = agents.length === 0 ? undefined : new Set([...variables, ...written.agent])
  const protos = [...program.goals.values(), ...agents.flatMap(agent => [...agent.goals.values()])]
  const scope = { protos, instances: program.instances, methods: program.methods, written, agent: anyAgent }
  for (const goal of program.goals.values()) checkGoal(reading, goal, scope)
  for (const agent of agents) {
    const own = new Set([...agent.variables.map(({ name }) => name), ...written.agent])
    for (const goal of agent.goals.values())
      checkGoal(reading, goal, { ...scope, methods: [...program.methods, ...agent.methods], agent: own })
    for (const method of agent.methods)
      if (!agent.goals.has(method.target)) checkMethodOfAgent(reading, program, agent, method, { ...scope, agent: own })
  }
}

interface Around {
  /** All goals, those of agents too: a method is for all of its name. */
  readonly protos: readonly GoalProto[]
  readonly instances: Known['instances']
  readonly methods: readonly Method[]
  readonly agent: Known['agent']
}

/** A goal with all methods that can achieve it: they share its variables. */
function checkGoal(reading: Reading, goal: GoalProto, { methods, ...around }: Around): void {
  const all = [...goal.methods, ...methods.filter(({ target }) => target === goal.name)]
  const known = { ...around, goal: goalNames(goal, all, around.protos), goalName: goal.name }
  look(reading, known, goal, [])
  for (const method of all) look(reading, known, method, [])
}

/** A method of an agent for a goal of the program. */
function checkMethodOfAgent(reading: Reading, program: Program, agent: AgentProto, method: Method, { methods, ...around }: Around): void {
  const goal = program.goals.get(method.target)
  if (goal === undefined) return
  const all = [...goal.methods, ...[...methods, ...agent.methods].filter(({ target }) => target === goal.name)]
  look(reading, { ...around, goal: goalNames(goal, all, around.protos), goalName: goal.name }, method, [])
}

function goalNames(goal: GoalProto, methods: readonly Method[], protos: readonly GoalProto[]): ReadonlySet<string> {
  const parameters = protos.flatMap(each => (each.name === goal.name ? each.parameters.map(({ name }) => name) : []))
  const written = { goal: new Set(parameters), agent: new Set<string>() }
  collect([...methods, goal.correct ?? []], written)
  return written.goal
}

/** The parts of a program are plain data: whatever has such a shape is a path, a statement, a loop, wherever it stands. */
type Part = Readonly<Record<string, unknown>>

function collect(part: unknown, written: Written): void {
  if (part instanceof Map) for (const each of part.values()) collect(each, written)
  else if (Array.isArray(part)) for (const each of part) collect(each, written)
  else if (typeof part === 'object' && part !== null) {
    const { kind, name, key, target, path, ask } = part as Part
    // every statement has a key
    if (typeof key === 'string' && typeof name === 'string') written.goal.add(name)
    if (kind === 'update') add(target as Path, written)
    if (kind === 'set') add(path as Path, written)
    for (const asked of (ask ?? []) as readonly Path[]) add(asked, written)
    for (const [field, value] of Object.entries(part)) if (field !== 'place') collect(value, written)
  }
}

function add([top, name]: Path, written: Written): void {
  if (top === 'goal' || top === 'agent') {
    if (typeof name === 'string') written[top].add(name)
  } else if (typeof top === 'string') written.goal.add(top)
}

/** @param symbols of the loops around `part` */
function look(reading: Reading, known: Known, part: unknown, symbols: readonly string[]): void {
  if (part instanceof Map) return
  if (Array.isArray(part)) {
    for (const each of part) look(reading, known, each, symbols)
    return
  }
  if (typeof part !== 'object' || part === null) return
  const { kind, path, copyOf, place, symbol } = part as Part
  if (kind === 'get') check(reading, known, path as Path, place as Place, symbols)
  if (Array.isArray(copyOf)) check(reading, known, copyOf as Path, place as Place, symbols)
  const inner = kind === 'find' ? [...symbols, String(symbol)] : kind === 'repeat' ? [...symbols, 'goal.repeat'] : symbols
  for (const [field, value] of Object.entries(part)) {
    // a goal's methods are looked at one by one, with all that can achieve it
    if (field !== 'place' && field !== 'methods') look(reading, known, value, field === 'body' ? inner : symbols)
  }
}

function check(reading: Reading, known: Known, path: Path, place: Place, symbols: readonly string[]): void {
  const [top, name] = path
  if (typeof top !== 'string' || symbols.includes(top) || (top === 'goal' && symbols.includes(`goal.${name}`))) return
  if (top === 'goal') {
    if (typeof name === 'string' && !known.goal.has(name))
      warn(
        reading,
        place,
        `goal ${known.goalName} has no variable ${name}, and no step of it has that name${near(name, known.goal, 'goal.')}`
      )
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
