/** Checks between the parts of a program: sub-goals and the goals of methods must exist, arguments must be parameters. */
import { callsOfExpression, callsOfMethod, callsOfStatement } from './calls.ts'
import { didYouMean } from './did-you-mean.ts'
import type { AgentProto, GoalCall, GoalProto, Method, Program } from './model.ts'
import type { Reading } from './reading.ts'
import { fail, warn } from './reading.ts'

type Goals = ReadonlyMap<string, GoalProto>

/** Complains of every name in `program` that names nothing. */
export function checkCalls(reading: Reading, program: Program): void {
  const all = new Map([...program.agents.values()].flatMap(agent => [...agent.goals]).concat([...program.goals]))
  for (const method of program.methods) checkMethod(reading, all, method)
  for (const goal of program.goals.values()) checkGoal(reading, all, goal)
  for (const agent of program.agents.values()) checkAgent(reading, program, agent)
}

function checkAgent(reading: Reading, program: Program, agent: AgentProto): void {
  const visible = new Map([...program.goals, ...agent.goals])
  if (agent.onStop !== undefined && !visible.has(agent.onStop))
    fail(reading, agent.place, `onStop of agent ${agent.name}: no goal ${agent.onStop}${didYouMean(agent.onStop, visible.keys())}`)
  for (const call of agent.pre.flatMap(callsOfExpression)) checkCall(reading, visible, call)
  for (const goal of agent.goals.values()) checkGoal(reading, visible, goal)
  for (const method of agent.methods) checkMethod(reading, visible, method)
}

function checkGoal(reading: Reading, goals: Goals, goal: GoalProto): void {
  for (const call of [...goal.pre, ...goal.post].flatMap(callsOfExpression)) checkCall(reading, goals, call)
  for (const method of goal.methods) checkMethod(reading, goals, method)
  for (const call of (goal.correct ?? []).flatMap(each => each.body.flatMap(callsOfStatement))) checkCall(reading, goals, call)
}

function checkMethod(reading: Reading, goals: Goals, method: Method): void {
  if (method.target !== '' && !goals.has(method.target)) {
    warn(
      reading,
      method.place,
      `method ${method.name} is for goal ${method.target}, which is not defined${didYouMean(method.target, goals.keys())}`
    )
  }
  for (const call of callsOfMethod(method)) checkCall(reading, goals, call)
}

function checkCall(reading: Reading, goals: Goals, call: GoalCall): void {
  if (call.goal === '') return
  const goal = goals.get(call.goal)
  if (goal === undefined) {
    // a goal on another node may be defined there only
    if (call.peer === undefined && call.where === undefined)
      fail(reading, call.place, `there is no goal ${call.goal}${didYouMean(call.goal, goals.keys())}`)
    return
  }
  const parameters = goal.parameters.map(parameter => parameter.name)
  for (const argument of call.arguments) {
    if (!parameters.includes(argument.name))
      warn(reading, argument.place, `goal ${call.goal} has no parameter ${argument.name}${didYouMean(argument.name, parameters)}`)
  }
}
