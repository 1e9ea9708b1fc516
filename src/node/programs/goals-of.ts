/** Which goals a program has. */
import type { Program } from '../../goals/program/model.ts'

/** Every goal of the program, those of its agents too. */
export function goalsOf(program: Program): readonly string[] {
  return [...program.goals.keys(), ...[...program.agents.values()].flatMap(agent => [...agent.goals.keys()])]
}

/** Whether the program declares the goal, globally or in one of its agents. */
export function hasGoal(program: Program, goal: string): boolean {
  return program.goals.has(goal) || [...program.agents.values()].some(agent => agent.goals.has(goal))
}

/** Whether the goal stands in a file that the program's root includes. */
export function isIncluded(program: Program, goal: string): boolean {
  const proto = program.goals.get(goal) ?? [...program.agents.values()].map(agent => agent.goals.get(goal)).find(each => each !== undefined)
  return proto !== undefined && proto.place.file !== program.files[0]?.name
}
