/** XML text → Program, or all that is wrong with it. */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import { checkCalls } from './check-calls.ts'
import { checkPaths } from './check-paths.ts'
import type { Definition } from './collect.ts'
import { collect } from './collect.ts'
import type { AgentProto, Complaint, Declaration, GoalProto, Method, Program, SourceFile } from './model.ts'
import { readDeclaration } from './read-declaration.ts'
import { readExpression } from './read-expression.ts'
import { addMethod, readAgent, readGoal } from './read-goal.ts'
import type { Reading } from './reading.ts'
import { attribute, checkAttributes, fail, parts, unexpected } from './reading.ts'
import { places, topNames } from './vocabulary.ts'
import type { XmlElement } from './xml.ts'
import { showPlace } from './xml.ts'

/** How a program is read. */
export interface ReadOptions {
  /** Unknown elements and attributes are errors, not warnings. */
  readonly strict?: boolean
  /** Read before the program, which may replace what they define; not part of its identity. */
  readonly before?: readonly SourceFile[]
  /**
   * The file that `<include file>` names, seen from the file `from`; undefined when there is none.
   * Absent: only the files given are looked at.
   */
  readonly include?: (file: string, from: string) => SourceFile | undefined
}

/** Most complaints that one error carries: beyond that one cause usually explains many. */
export const COMPLAINTS_MAX = 200

/**
 * The program that `files` make together, in order, with everything they include.
 * @throws CloudburstError CB_PROGRAM_INVALID with every complaint as `file:line:col: message` (details.complaints)
 */
export function readProgram(files: readonly SourceFile[], options: ReadOptions = {}): Program {
  const errors: Complaint[] = []
  const { before = [] } = options
  const collected = collect(files, options.include, errors, before)
  const own = collected.roots.filter(({ file }) => !before.includes(file))
  const ownFiles = collected.files.filter(file => !before.includes(file))
  const reading: Reading = {
    errors,
    warnings: [],
    notes: [],
    strict: options.strict ?? false,
    goals: goalNames(collected.definitions),
    parts: new Map(),
    paths: [],
    within: undefined,
    agent: undefined,
    symbols: [],
    label: undefined,
    expression: element => readExpression(reading, element)
  }
  for (const { root } of collected.roots) checkRoot(reading, root)
  const program = assemble(reading, collected.definitions, {
    name: programName(own),
    hash: hashOf(ownFiles),
    files: ownFiles
  })
  checkCalls(reading, program)
  checkPaths(reading, program)
  if (reading.errors.length > 0) throw programInvalid(distinct(reading.errors))
  return { ...program, warnings: distinct(reading.warnings), notes: reading.notes }
}

/** SHA-256, hex, over names and texts of `files` in order; lengths keep one from running into the next. */
export function hashOf(files: readonly SourceFile[]): string {
  const hash = createHash('sha256')
  for (const { name, text } of files) hash.update(`${Buffer.byteLength(name)}:${name}${Buffer.byteLength(text)}:`).update(text)
  return hash.digest('hex')
}

function assemble(reading: Reading, definitions: readonly Definition[], head: Pick<Program, 'name' | 'hash' | 'files'>): Program {
  const types = new Map<string, Declaration>()
  const instances = new Map<string, Declaration>()
  const goals = new Map<string, GoalProto>()
  const methods = new Map<string, Method>()
  const agents = new Map<string, AgentProto>()
  for (const { element } of replaceEarlier(reading, definitions)) {
    switch (element.name) {
      case 'struct':
      case 'variable':
      case 'list': {
        const declaration = readDeclaration(reading, element)
        const isType = element.name === 'struct' && declaration.type === undefined && declaration.copyOf === undefined
        if (!isType) complainOfTopName(reading, declaration)
        ;(isType ? types : instances).set(declaration.name, declaration)
        break
      }
      case 'goalProto': {
        const goal = readGoal(reading, element)
        goals.set(goal.name, goal)
        break
      }
      case 'method':
        addMethod(reading, methods, element)
        break
      case 'agent': {
        const agent = readAgent(reading, element)
        agents.set(agent.name, agent)
        break
      }
      default:
        unexpected(reading, element, 'cloudburst', places.program)
    }
  }
  return { ...head, types, instances, goals, methods: [...methods.values()], agents, warnings: [] }
}

/** The definitions that count: a later one of the same tag and name replaces the earlier, and takes its own place in the order. */
function replaceEarlier(reading: Reading, definitions: readonly Definition[]): Definition[] {
  const kept = new Map<string, Definition>()
  for (const definition of definitions) {
    const { name: tag, place } = definition.element
    const name = attribute(definition.element, 'name')
    const key = name === undefined ? `${tag}@${showPlace(place)}` : `${tag} ${name}`
    const before = kept.get(key)?.element
    if (before !== undefined)
      reading.notes.push({ place, message: `<${tag} name="${name}"> replaces that of ${before.place.file}:${before.place.line}` })
    kept.delete(key)
    kept.set(key, definition)
  }
  return [...kept.values()]
}

function goalNames(definitions: readonly Definition[]): Set<string> {
  const names = new Set<string>()
  const add = (element: XmlElement): void => {
    const name = attribute(element, 'name')
    if (element.name === 'goalProto' && name !== undefined) names.add(name)
    if (element.name === 'agent') for (const child of element.children) if (child.kind === 'element') add(child)
  }
  for (const { element } of definitions) add(element)
  return names
}

function checkRoot(reading: Reading, root: XmlElement): void {
  if (root.name !== 'cloudburst' && root.name !== 'hive') {
    fail(reading, root.place, `the root of a program is <cloudburst name="…">, not <${root.name}>`)
  }
  checkAttributes(reading, root)
  for (const child of root.children) {
    if (child.kind === 'text' && child.text.trim() !== '')
      reading.warnings.push({ place: child.place, message: `text in <${root.name}> is ignored` })
  }
  parts(reading, root)
}

function complainOfTopName(reading: Reading, declaration: Declaration): void {
  if ((topNames as readonly string[]).includes(declaration.name)) {
    fail(reading, declaration.place, `<${declaration.kind} name="${declaration.name}"> would hide what ${declaration.name} means`)
  }
}

/** The root's name, else that of its file. */
function programName(roots: readonly { readonly root: XmlElement; readonly file: SourceFile }[]): string {
  const first = roots[0]
  if (first === undefined) return 'empty'
  const base = first.file.name.split('/').at(-1)!
  return attribute(first.root, 'name') ?? base.replace(/\.xml$/, '')
}

function distinct(complaints: readonly Complaint[]): Complaint[] {
  const seen = new Map(complaints.map(complaint => [`${showPlace(complaint.place)} ${complaint.message}`, complaint]))
  return [...seen.values()]
}

function programInvalid(errors: readonly Complaint[]): CloudburstError {
  const lines = errors
    .slice(0, COMPLAINTS_MAX)
    .map(({ place, message }) => (message.startsWith(`${place.file}:`) ? message : `${showPlace(place)}: ${message}`))
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new CloudburstError('CB_PROGRAM_INVALID', `${lines[0]}${more}`, {
    complaints: lines,
    file: errors[0]!.place.file,
    line: errors[0]!.place.line
  })
}
