/** `path=value` words: which variable, and what the text means there. Source: docs/language.md, "Auto-configuration". */
import { CloudburstError } from '../../errors.ts'
import { convert, isScalarType, isSecretType } from '../expression/convert.ts'
import { getIn, parsePath, showPath } from '../expression/path.ts'
import { fromPlain } from '../expression/plain.ts'
import { closest, didYouMean } from '../program/did-you-mean.ts'
import type { AgentProto, Declaration, GoalProto, Path, Place, Program, Statement } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Plain, Tree, Variables } from '../tree.ts'
import { instancesOf } from './instances.ts'
import { type Shape, shapeAt } from './shape.ts'

/** A value given by a person or a caller; the same shape as an event's. */
export interface Assignment {
  readonly path: string
  readonly value: string | Tree
  /** Where it was found, when it is a suggestion that was taken. */
  readonly source?: string
}

/** What is assigned to, and what may be referred to. */
export interface Assignable {
  readonly proto?: GoalProto
  readonly agent?: AgentProto
  /** The agent's variables, for values that name one of them. */
  readonly agentVariables?: Variables
  /** Results of steps may be set too: repairs may, first configurations may not. */
  readonly results?: boolean
}

/** One assignment, understood. */
export interface Assigned {
  readonly path: Path
  readonly tree: Tree
  readonly source?: string | undefined
}

/**
 * The value of `assignment` in the form that its place needs; what a repair writes into the journal.
 * The path may be qualified by the instance of a sub-goal: `site/apache>user:goal.name`.
 * @throws CloudburstError CB_VALUE_INVALID for an unknown path (with a suggestion) or a value that does not fit
 */
export function assigned(program: Program, to: Assignable, assignment: Assignment): Tree {
  const cut = assignment.path.lastIndexOf(':')
  const goal = cut === -1 ? undefined : /([^/>]+?)(\.\d+)?$/.exec(assignment.path.slice(0, cut))?.[1]
  const sub = goal === undefined ? undefined : (to.agent?.goals.get(goal) ?? program.goals.get(goal))
  const target = sub === undefined ? to : { ...to, proto: sub }
  return understand(program, { results: true, ...target }, { ...assignment, path: assignment.path.slice(cut + 1) }).tree
}

/** `assignment` as a path and a tree. @throws CloudburstError CB_VALUE_INVALID like {@link assigned} */
export function understand(program: Program, to: Assignable, assignment: Assignment): Assigned {
  const path = parsePath(assignment.path.trim())
  const shape = findShape(program, to, path)
  return { path, tree: valueFor(program, to, path, shape, assignment.value), source: assignment.source }
}

function findShape(program: Program, to: Assignable, path: Path): Shape {
  const top = path[0]
  const { proto, agent } = to
  const text = showPath(path)
  if (top !== 'goal' && top !== 'agent') throw invalid(`${text} cannot be set: values are goal.… or agent.…${suggestTop(to, text)}`, text)
  const owner = top === 'goal' ? proto : agent
  if (owner === undefined)
    throw invalid(top === 'goal' ? `${text} cannot be set: there is no goal` : `${text} cannot be set: the goal has no agent`, text)
  if (path.length === 1) throw invalid(`${text} cannot be set as a whole: name a variable of it`, text)
  const declarations = top === 'goal' ? proto!.parameters : agent!.variables
  if (top === 'goal' && to.results && resultNames(program, to).has(String(path[1])) && !declarations.some(each => each.name === path[1])) {
    return { kind: 'any', place: proto!.place }
  }
  const shape = shapeAt(program, declarations, path, owner.place)
  if ('fault' in shape)
    throw invalid(`${shape.fault} in ${top === 'goal' ? 'goal' : 'agent'} ${owner.name} (${owner.place.file}:${owner.place.line})`, text)
  return shape
}

/** `clusterName=x` is meant as `goal.clusterName=x`. */
function suggestTop(to: Assignable, text: string): string {
  const names = [
    ...(to.proto?.parameters ?? []).map(each => `goal.${each.name}`),
    ...(to.agent?.variables ?? []).map(each => `agent.${each.name}`)
  ]
  const near = names.find(name => name.endsWith(`.${text}`)) ?? closest(`goal.${text}`, names) ?? closest(text, names)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

function valueFor(program: Program, to: Assignable, path: Path, shape: Shape, value: string | Tree): Tree {
  const { type } = shape
  const typed = type === undefined ? {} : { type }
  const name = showPath(path)
  if (typeof value !== 'string') return treeFor(program, name, type, value)
  // as in a program: empty is undefined
  if (value === '') return typed
  if (isSecretType(type)) return secretFor(program, to, name, type!, value)
  if (isScalarType(type)) return { ...typed, value: scalar(name, type, value) }
  const referred = stateNode(program, to, value)
  if (referred !== undefined) {
    if (type !== undefined && referred.type !== undefined && referred.type !== type)
      throw invalid(`${name} is a ${type}, but ${value} is a ${referred.type}`, name)
    return { ...typed, ref: value }
  }
  if (/^\s*[[{]/.test(value)) return treeFor(program, name, type, jsonTree(name, value))
  const needsNode = shape.kind === 'struct' || shape.kind === 'list' || (type !== undefined && program.types.has(type))
  if (needsNode)
    throw invalid(`${name} is a ${type ?? shape.kind}: '${value}' names no state of that type${nodeHint(program, type, value)}`, name)
  return { ...typed, value }
}

/** `tree` with the types that the program gives it and its fields. */
function treeFor(program: Program, name: string, type: string | undefined, tree: Tree): Tree {
  if (tree.value !== undefined && type !== undefined) return { ...tree, type, value: scalar(name, type, tree.value) }
  const typed = type === undefined ? tree : { type, ...tree }
  const members = type === undefined ? undefined : program.types.get(type)?.members
  if (typed.fields === undefined || members === undefined) return typed
  const fields = Object.entries(typed.fields).map(([field, inner]) => {
    const member = members.find(each => each.name === field)
    return [field, member === undefined ? inner : treeFor(program, `${name}.${field}`, member.type, inner)]
  })
  return { ...typed, fields: Object.fromEntries(fields) }
}

/** A reference (`@env:NAME`, `@file:PATH`, `@command:TEXT`), the name of state of the same secret type, else the secret itself. */
function secretFor(program: Program, to: Assignable, name: string, type: string, value: string): Tree {
  const [, from, where = ''] = /^@(env|file|command):(.+)$/s.exec(value) ?? []
  if (from === 'file' && !/^(\/|~\/)/.test(where))
    throw invalid(`${name}: the file of a secret is named by its whole path, not ${where}`, name)
  if (from !== undefined) return { type, sealed: `${from}:${where}` }
  return stateNode(program, to, value)?.type === type ? { type, ref: value } : { type, value: scalar(name, type, value) }
}

function scalar(name: string, type: string | undefined, value: string | number | boolean): string | number | boolean {
  const result = convert(value, type)
  if ('misfit' in result) throw invalid(`${name}: ${isSecretType(type) ? `does not fit ${type}` : result.misfit}`, name)
  return result.value
}

/** The state that `text` names, if it does: an instance of the program, a node inside one, or a variable of the agent. */
function stateNode(program: Program, to: Assignable, text: string): Tree | undefined {
  let path: Path
  try {
    path = parsePath(text)
  } catch {
    return undefined
  }
  const [top, ...rest] = path
  if (top === 'agent') return rest.length === 0 ? undefined : agentNode(to, rest)
  return getIn(instancesOf(program).get(String(top)), rest)
}

function agentNode(to: Assignable, rest: Path): Tree | undefined {
  if (to.agentVariables !== undefined) return getIn({ fields: to.agentVariables }, rest)
  const declaration = to.agent?.variables.find(each => each.name === rest[0])
  return declaration === undefined ? undefined : declaration.type === undefined ? {} : rest.length === 1 ? { type: declaration.type } : {}
}

function nodeHint(program: Program, type: string | undefined, text: string): string {
  const names = [...instancesOf(program)].filter(([, tree]) => type === undefined || tree.type === type).map(([name]) => name)
  if (names.length === 0) return '; there is none'
  return didYouMean(text, names) || `: there is ${names.join(', ')}`
}

function jsonTree(name: string, text: string): Tree {
  try {
    return fromPlain(JSON.parse(text) as Plain)
  } catch (error) {
    throw invalid(`${name}: ${error instanceof Error ? error.message : 'not JSON'}`, name)
  }
}

/** Names under which steps of the goal's methods store what they give. */
function resultNames(program: Program, to: Assignable): Set<string> {
  const names = new Set<string>()
  const methods = [...(to.proto?.methods ?? []), ...(to.agent?.methods ?? []), ...program.methods]
  const visit = (statement: Statement): void => {
    if (statement.name !== undefined) names.add(statement.name)
    if (statement.kind === 'update' && statement.target[0] === 'goal') names.add(String(statement.target[1]))
    if (statement.kind === 'shell') for (const send of statement.sends) if (send.name !== undefined) names.add(send.name)
    if ('body' in statement) statement.body.forEach(visit)
  }
  for (const method of methods) if (method.target === to.proto?.name) method.body.forEach(visit)
  return names
}

function invalid(message: string, path: string): CloudburstError {
  return new CloudburstError('CB_VALUE_INVALID', message, { path })
}

/** Where a declaration stands, for sources: `default, clusters.xml:12`. */
export function sourceOf(word: string, declaration: Declaration | { readonly place: Place }): string {
  return `${word}, ${showPlace(declaration.place).replace(/:\d+$/, '')}`
}
