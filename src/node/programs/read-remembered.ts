/** Long programs are read once: reading a megabyte of XML takes ten times as long as what came of it. */
import type { AgentProto, Program, SourceFile } from '../../goals/program/model.ts'
import { hashOf, type ReadOptions, readProgram } from '../../goals/program/read.ts'
import type { Surroundings } from './program-files.ts'
import { remembered } from './remembered.ts'

/** Shorter programs, in characters, are read in a few milliseconds. */
const REMEMBERED_FROM = 64 * 1024
/** Most programs that are remembered, newest first: some 30 MB at most. */
const PROGRAMS_MAX = 8

/** A program as JSON has it; its files are those that it is asked for with. */
type Plain = Omit<Program, 'files' | 'types' | 'instances' | 'goals' | 'agents'> & {
  readonly [K in 'types' | 'instances' | 'goals']: readonly [string, unknown][]
} & { readonly agents: readonly [string, Omit<AgentProto, 'goals'> & { readonly goals: readonly [string, unknown][] }][] }

/**
 * The program of `files`, which are all that it includes. What is wrong is never remembered.
 * @throws CloudburstError CB_PROGRAM_INVALID
 */
export function readRemembered(
  files: readonly SourceFile[],
  options: Required<Pick<ReadOptions, 'before' | 'strict'>>,
  env: Surroundings['env']
): Program {
  const { before, strict } = options
  const length = files.reduce((sum, { text }) => sum + text.length, 0)
  const names = files.map(({ name }) => name)
  // What is read before a program is credentials, which stay where they are.
  const isKept = length >= REMEMBERED_FROM && before.length === 0
  const kept = isKept ? remembered('programs', [hashOf(files), names, strict], PROGRAMS_MAX, env) : undefined
  const known = kept?.recall() as Plain | undefined
  if (known !== undefined) return programOf(known, files)
  const program = readProgram(files, options)
  if (program.files.every((file, at) => file === files[at])) kept?.remember(plainOf(program))
  return program
}

function plainOf({ files: _, ...program }: Program): Plain {
  const { types, instances, goals, agents } = program
  return {
    ...program,
    types: [...types],
    instances: [...instances],
    goals: [...goals],
    agents: Array.from(agents, ([name, agent]) => [name, { ...agent, goals: [...agent.goals] }])
  }
}

function programOf(plain: Plain, files: readonly SourceFile[]): Program {
  const { types, instances, goals, agents } = plain
  const found = {
    ...plain,
    files,
    types: new Map(types),
    instances: new Map(instances),
    goals: new Map(goals),
    agents: new Map(agents.map(([name, agent]) => [name, { ...agent, goals: new Map(agent.goals) }]))
  }
  return found as unknown as Program
}

/** For tests: what is remembered, as it is read again. */
export function asRemembered(program: Program): Program {
  return programOf(JSON.parse(JSON.stringify(plainOf(program))) as Plain, program.files)
}
