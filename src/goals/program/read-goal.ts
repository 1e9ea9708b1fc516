/** `<goalProto>`, `<method>`, `<agent>`. */
import type { AgentProto, Correction, Declaration, Expression, GoalProto, Method } from './model.ts'
import { complainOfTwins, isDeclaration, readDeclaration } from './read-declaration.ts'
import { readCorrection } from './read-correction.ts'
import { readConditions } from './read-expression.ts'
import type { Reading } from './reading.ts'
import { attribute, count, debugOf, fail, ignoreText, inside, isOffName, needName, parts, unexpected } from './reading.ts'
import { readStatements } from './read-statement.ts'
import { readDescriptions, readDocs } from './read-template.ts'
import { places } from './vocabulary.ts'
import type { XmlElement } from './xml.ts'

/** Parts that are read elsewhere, or are accepted and mean nothing. */
const ASIDE = ['describe', 'referenceDoc', 'symbol', 'goalSymbol']

/** One goal prototype, with its own methods, the later first. `agent` is the agent it stands in. */
export function readGoal(reading: Reading, element: XmlElement, agent?: string): GoalProto {
  const name = needName(reading, element)
  return inside(reading, name, () => readGoalInside(reading, element, name, agent))
}

function readGoalInside(reading: Reading, element: XmlElement, name: string, agent: string | undefined): GoalProto {
  ignoreText(reading, element)
  const parameters: Declaration[] = []
  const pre: Expression[] = []
  const post: Expression[] = []
  const methods = new Map<string, Method>()
  const correct: Correction[] = []
  for (const part of parts(reading, element)) {
    if (isDeclaration(part)) parameters.push(readDeclaration(reading, part))
    else if (part.name === 'pre') pre.push(...readConditions(reading, part))
    else if (part.name === 'post') post.push(...readConditions(reading, part))
    else if (part.name === 'method') addMethod(reading, methods, part, name)
    else if (part.name === 'correct') correct.push(readCorrection(reading, part))
    else if (!ASIDE.includes(part.name)) unexpected(reading, part, 'goalProto', places.goal)
  }
  complainOfTwins(reading, parameters)
  return {
    name,
    describe: readDescriptions(reading, element),
    docs: readDocs(reading, element),
    parameters,
    pre,
    post,
    methods: [...methods.values()],
    ...(correct.length === 0 ? {} : { correct }),
    ...(agent === undefined ? {} : { agent }),
    ...debugOf(element),
    place: element.place
  }
}

/** One method. `target` is the goal that it stands in, if any. Undefined when it is switched off by its target's name. */
export function readMethod(reading: Reading, element: XmlElement, target?: string): Method | undefined {
  const named = attribute(element, 'targetGoalType')
  if (named !== undefined && isOffName(named)) return undefined
  const goal = target ?? needName(reading, element, 'targetGoalType')
  if (target !== undefined && named !== undefined && named !== target) {
    fail(reading, element.attributes.get('targetGoalType')!.place, `this method stands in goal ${target} and cannot be one of ${named}`)
  }
  return inside(reading, goal, () => readMethodInside(reading, element, goal, target === undefined))
}

function readMethodInside(reading: Reading, element: XmlElement, goal: string, needsName: boolean): Method {
  const name = needsName ? needName(reading, element) : (attribute(element, 'name') ?? `method@${element.place.line}`)
  ignoreText(reading, element)
  reading.label = undefined
  const all = parts(reading, element).filter(part => !ASIDE.includes(part.name))
  const list = all.filter(part => part.name !== 'correct' && part.name !== 'undo')
  const correct = all.filter(part => part.name === 'correct').map(part => readCorrection(reading, part))
  const undo = all.filter(part => part.name === 'undo')
  const first = list.findIndex(part => part.name !== 'pre')
  const guards = first === -1 ? list : list.slice(0, first)
  return {
    name,
    target: goal,
    priority: count(reading, element, 'priority', 0, -1_000_000),
    describe: readDescriptions(reading, element),
    docs: readDocs(reading, element),
    pre: guards.flatMap(part => readConditions(reading, part)),
    body: first === -1 ? [] : readStatements(reading, list.slice(first), 'method'),
    ...(correct.length === 0 ? {} : { correct }),
    ...(undo.length === 0 ? {} : { undo: undo.flatMap(part => readStatements(reading, parts(reading, part), 'method')) }),
    ...debugOf(element),
    place: element.place
  }
}

/** One agent: its variables, its own goals and methods. */
export function readAgent(reading: Reading, element: XmlElement): AgentProto {
  const name = needName(reading, element)
  reading.agent = name
  const onStop = attribute(element, 'onStop')
  ignoreText(reading, element)
  const variables: Declaration[] = []
  const pre: Expression[] = []
  const goals = new Map<string, GoalProto>()
  const methods = new Map<string, Method>()
  for (const part of parts(reading, element)) {
    if (isDeclaration(part)) variables.push(readDeclaration(reading, part))
    else if (part.name === 'pre') pre.push(...readConditions(reading, part))
    else if (part.name === 'method') addMethod(reading, methods, part)
    else if (part.name === 'goalProto') {
      const goal = readGoal(reading, part, name)
      goals.set(goal.name, goal)
    } else if (!ASIDE.includes(part.name)) unexpected(reading, part, 'agent', places.agent)
  }
  complainOfTwins(reading, variables)
  reading.agent = undefined
  return {
    name,
    ...(onStop !== undefined && { onStop }),
    describe: readDescriptions(reading, element),
    variables,
    pre,
    goals,
    methods: [...methods.values()],
    place: element.place
  }
}

/** Adds a method after the others; one of the same name gives way to it. */
export function addMethod(reading: Reading, methods: Map<string, Method>, element: XmlElement, target?: string): void {
  const method = readMethod(reading, element, target)
  if (method === undefined) return
  const before = methods.get(method.name)
  if (before !== undefined)
    reading.notes.push({
      place: element.place,
      message: `method ${method.name} replaces that of ${before.place.file}:${before.place.line}`
    })
  methods.delete(method.name)
  methods.set(method.name, method)
}
