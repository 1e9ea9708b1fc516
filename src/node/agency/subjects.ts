/** What a request is about, for permits that are bound to programs or goals: the hash behind a name, the goal behind an id. */
import { CloudburstError } from '../../errors.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { CallName, RepairRequest, StreamName } from '../../protocols/agency/calls.ts'
import type { Subject, SubjectOf } from '../../protocols/agency/server.ts'
import type { Programs } from '../programs/programs.ts'
import { fullId } from '../goals/run-id.ts'

/** The shipped program of ad-hoc commands: whoever may pursue it has a shell. */
const SHELL_PROGRAM = 'run'

/** Calls about an agent that is here. */
const OF_AGENTS: ReadonlySet<CallName | StreamName> = new Set(['examine', 'suspend', 'resume', 'stop'])

/** Every goal that a request may name. */
export interface GoalsById {
  runs(): readonly { readonly id: string }[]
  summary(id: string): Promise<RunSummary | undefined>
}

export interface Subjects {
  /** Of a call of the agency; tells the caller nothing and changes nothing. */
  call(name: CallName | StreamName, request: unknown): Promise<Subject>
  /** Of a goal of a program, by hash. */
  goal(what: { readonly program: string; readonly goal: string }): Promise<Subject>
}

export interface SubjectsParts {
  readonly journal: GoalsById
  readonly programs: Programs
  readonly agents: { list(): readonly { readonly name: string; readonly program: { readonly hash: string } }[] }
}

export function subjects({ journal, programs, agents }: SubjectsParts): Subjects {
  const hashOf = async (nameOrHash: string): Promise<string> => (await programs.find(nameOrHash).catch(() => undefined))?.hash ?? nameOrHash
  const goal = async ({ program, goal }: { program: string; goal: string }): Promise<Subject> => {
    const held = await programs.withHash(program)
    const programName = programs.ownName(program)
    const shell = held !== undefined && programs.info(held).shipped && held.name === SHELL_PROGRAM
    return { program, ...(programName !== undefined && { programName }), goal, ...(shell && { also: ['node:shell'] }) }
  }
  const about: SubjectOf = async (name, request) => {
    const { id, program, goal: named } = request as { readonly id?: string; readonly program?: string; readonly goal?: string }
    const run = id === undefined ? undefined : await runOf(journal, id)
    if (run !== undefined) {
      const named = await goal({ program: program === undefined ? run.program.hash : await hashOf(program), goal: run.goal })
      const about = { ...named, ...(run.chain !== undefined && { chain: run.chain }) }
      // Going on with an edited program is as good as sending one.
      return program === undefined ? about : { ...about, also: [...(about.also ?? []), 'program:load'] }
    }
    // Whoever controls or looks at an agent acts on what its program does, whatever else is named.
    const agent = OF_AGENTS.has(name) ? agents.list().find(each => each.name === (request as { agent?: string }).agent) : undefined
    if (agent !== undefined) return { program: agent.program.hash }
    if (name === 'update') return programsOf(agents, request)
    if (name === 'plan') return await planSubject(programs, program, named)
    const hash = program === undefined ? await ownerOf(programs, named) : await hashOf(program)
    if (hash !== undefined && named !== undefined) return await goal({ program: hash, goal: named })
    return { ...(hash !== undefined && { program: hash }), ...(named !== undefined && { goal: named }) }
  }
  return {
    goal,
    call: async (name, request) => {
      const vars = varsOf(request)
      const subject = await about(name, request)
      const programName = subject.program === undefined ? undefined : programs.ownName(subject.program)
      return { ...subject, ...(programName !== undefined && { programName }), ...(vars !== undefined && { vars }) }
    }
  }
}

/** A variable of an agent, as an update names it: `agents.web.variables.port`, perhaps below `nodes.NAME`. */
const AGENT_VARIABLE = /^(?:nodes\.[^.]+\.)?agents\.([^.]+)\.variables\.(.+)$/

/** What an update changes of agents: each one's name, and the variable. */
function agentVariablesOf(request: unknown): readonly { readonly agent: string; readonly variable: string }[] {
  const { changes = [] } = request as { readonly changes?: readonly { readonly path: string }[] }
  return changes.flatMap(({ path }) => {
    const [, agent, variable] = AGENT_VARIABLE.exec(path) ?? []
    return agent === undefined || variable === undefined ? [] : [{ agent, variable }]
  })
}

/** The programs of the agents that an update changes. No permit can name several as one, so only one without such a limit allows that. */
function programsOf(agents: SubjectsParts['agents'], request: unknown): Subject {
  const changed = new Set(agentVariablesOf(request).map(({ agent }) => agent))
  const hashes = new Set(agents.list().flatMap(({ name, program }) => (changed.has(name) ? [program.hash] : [])))
  return hashes.size === 0 ? {} : { program: [...hashes].join(' ') }
}

/** Paths that a request sets; undefined for one that can set none. */
function varsOf(request: unknown): readonly string[] | undefined {
  const changed = agentVariablesOf(request)
  if (changed.length > 0) return changed.map(({ variable }) => `agent.${variable}`)
  const { assignments, decisions = [] } = request as Partial<Pick<RepairRequest, 'assignments' | 'decisions'>>
  return assignments === undefined ? undefined : [...assignments, ...decisions.flatMap(({ writes = [] }) => writes)].map(({ path }) => path)
}

/** The run that the agency will find by the same words; undefined also when several begin so, which it will refuse. */
async function runOf(journal: GoalsById, id: string): Promise<RunSummary | undefined> {
  try {
    return await journal.summary(fullId(journal, id))
  } catch (error) {
    if (error instanceof CloudburstError && error.code === 'CB_RUN_UNKNOWN') return undefined
    throw error
  }
}

/** Planning runs the pure shells of a program, which takes the right to run programs. */
async function planSubject(programs: Programs, program: string | undefined, goal: string | undefined): Promise<Subject> {
  const found =
    program === undefined ? await programs.withGoal(goal ?? '').catch(() => undefined) : await programs.find(program).catch(() => undefined)
  const probes = found?.files.some(file => /\spure\s*=/.test(file.text)) ?? false
  return {
    ...(found !== undefined && { program: found.hash }),
    ...(goal !== undefined && { goal }),
    ...(probes && { also: ['goal:dispatch'] })
  }
}

async function ownerOf(programs: Programs, goal: string | undefined): Promise<string | undefined> {
  if (goal === undefined) return undefined
  return (await programs.withGoal(goal).catch(() => undefined))?.hash
}
