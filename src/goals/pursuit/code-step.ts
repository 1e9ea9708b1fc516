/**
 * `<code>`: a block of code in a process of its own. Values go in and come out as JSON in private files; the outcome of
 * the step carries what came out. Source: docs/language.md, "code".
 */
import { createHash } from 'node:crypto'
import { CloudburstError } from '../../errors.ts'
import { artifactQuery, hasFilesToKeep, isArtifact } from '../expression/artifacts.ts'
import { evaluate } from '../expression/evaluate.ts'
import { showPath } from '../expression/path.ts'
import { fromPlain } from '../expression/plain.ts'
import type { ExprResult, Scope } from '../expression/result.ts'
import { keepType } from '../expression/typed.ts'
import type { FactQuery, Finished } from '../ports.ts'
import type { CodeStatement, Complaint, Expression, Path } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Plain, Tree } from '../tree.ts'
import type { Here } from './call.ts'
import { access, codeBody, interpreterArguments, literal, scriptOf } from './code-text.ts'
import { settled } from './exit-outcome.ts'
import { described, type Performed, type Prepared, type Step, timeoutOf, type Try } from './step.ts'

interface PreparedCode extends Prepared {
  readonly text: string
  /** What the code reads, by path. */
  readonly input: Readonly<Record<string, Plain>>
}

type Get = Extract<Expression, { kind: 'get' }>

/** One block of code. */
export function codeStep(here: Here, statement: CodeStatement, id: string): Step<PreparedCode> {
  const { scope } = here
  const { language, place } = statement
  const results = statement.text.flatMap(part => (part.kind === 'set' ? [part.path] : []))
  const named: readonly Path[] = statement.name === undefined ? [] : [['goal', statement.name]]
  const file = showPlace(place).replace(/:\d+:\d+$/, '')
  const conclude = async (world: Parameters<Step['perform']>[0], attempt: Try, finished: Finished): Promise<Performed> => {
    const outcome = settled(statement, finished)
    const { interpreters } = world.driver
    const explained: Performed = { ...outcome, ...cleaned(outcome, language, interpreters[language], file) }
    if (outcome.status !== 'completed') return explained
    const written = await returned(world, attempt, scope, results)
    return 'reason' in written
      ? { ...explained, status: 'failed', reason: written.reason }
      : { ...explained, writes: [...outcome.writes, ...written.writes] }
  }
  return {
    id,
    kind: 'code',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: [...results, ...named],
    prepare: () => prepare(statement, scope),
    async perform(world, prepared, attempt) {
      const { driver } = world
      const files = filesOf(attempt, language)
      const [input, output, script] = await Promise.all([
        driver.writeFile(attempt.goalId, files.input, JSON.stringify(prepared.input)),
        driver.writeFile(attempt.goalId, files.output, ''),
        driver.writeFile(attempt.goalId, files.script, prepared.text)
      ])
      const finished = await driver.run({
        key: { goalId: attempt.goalId, step: attempt.step, attempt: attempt.attempt },
        ...(attempt.group !== undefined && { group: attempt.group }),
        argv: [driver.interpreters[language], ...interpreterArguments(language, script, file)],
        env: { CB_INPUT: input, CB_OUTPUT: output },
        ...timeoutOf(statement.timeoutS, attempt, world.clock)
      })
      return await conclude(world, attempt, finished)
    },
    async recover(world, attempt, beganAt) {
      return await conclude(world, attempt, await world.driver.recover(attempt, beganAt))
    }
  }
}

/** Private files of one try; its step may be called anything, so a hash stands for it. */
function filesOf({ step, attempt }: Try, language: CodeStatement['language']): Readonly<Record<'input' | 'output' | 'script', string>> {
  const base = `code.${createHash('sha256').update(step).digest('hex').slice(0, 24)}.${attempt}`
  return { input: `${base}.in`, output: `${base}.out`, script: `${base}.${language === 'python' ? 'py' : 'mjs'}` }
}

function prepare(statement: CodeStatement, scope: Scope): PreparedCode {
  const gets = statement.text.filter((part): part is Get => part.kind === 'get')
  const values = new Map<Expression, { readonly result: ExprResult; readonly plain: Plain }>()
  const errors: Complaint[] = []
  const needs: Needs = { scope, wanted: [], lost: [], missing: [] }
  let unknown = false
  for (const get of gets) {
    const result = evaluate(get, scope)
    errors.push(...result.errors)
    if (result.tree?.unknown === true) unknown = true
    else if (result.tree === undefined && result.wanted.length === 0 && result.errors.length === 0) {
      if (scope.inPlan) unknown = true
      else errors.push({ place: get.place, message: `${showPath(get.path)} is undefined` })
    }
    values.set(get, { result, plain: plainOf(showPath(get.path), result.tree, needs) })
  }
  for (const message of needs.missing) errors.push({ place: statement.place, message })
  for (const path of needs.lost) errors.push({ place: statement.place, message: `the secret ${path} cannot be had now` })
  const all = [...values.values()].map(each => each.result)
  const { language, pasted } = statement
  const body = codeBody(statement, get => {
    return pasted ? literal(language, values.get(get)?.plain ?? null) : access(language, 'in', get.path)
  })
  return {
    show: `${language}: ${codeBody(statement, get => `\${${showPath(get.path)}}`).trim()}`,
    reads: Object.assign({}, ...all.map(each => each.reads)),
    wanted: [...needs.wanted, ...all.flatMap(each => each.wanted)],
    unknown,
    errors,
    text: scriptOf(statement, body),
    input: pasted ? {} : Object.fromEntries(gets.map(get => [showPath(get.path), values.get(get)?.plain ?? null]))
  }
}

/** What is needed to give a value to code besides the value. */
interface Needs {
  readonly scope: Scope
  readonly wanted: FactQuery[]
  /** Paths of secrets that cannot be had. */
  readonly lost: string[]
  /** Why files cannot be had. */
  readonly missing: string[]
}

/** A tree as JSON with its secrets in it: the file is private, and lives as long as the goal. */
function plainOf(path: string, tree: Tree | undefined, needs: Needs): Plain {
  if (tree === undefined || tree.unknown === true) return null
  if (tree.sealed !== undefined) return secretOf(path, tree.sealed, needs)
  if (isArtifact(tree)) return fileFor(path, tree, needs)
  if (tree.value !== undefined) return tree.value
  if (tree.items !== undefined) return tree.items.map((item, at) => plainOf(`${path}[${at}]`, item, needs))
  if (tree.fields !== undefined)
    return Object.fromEntries(Object.entries(tree.fields).map(([name, field]) => [name, plainOf(`${path}.${name}`, field, needs)]))
  return null
}

/** The path of a file by what is in it. */
function fileFor(path: string, tree: Tree & { readonly value: string }, { scope, wanted, missing }: Needs): Plain {
  const query = artifactQuery(tree, !scope.inPlan)
  const fact = scope.fact(query)
  if (fact?.kind === 'artifact' && 'path' in fact) return fact.path
  if (fact === undefined) wanted.push(query)
  else if (!scope.inPlan)
    missing.push(`the file of ${path} cannot be had: ${fact.kind === 'artifact' ? fact.why : 'nobody fetches it here'}`)
  return null
}

function secretOf(path: string, sealed: string, { scope, wanted, lost }: Needs): Plain {
  const query: FactQuery = { kind: 'secret', sealed }
  const fact = scope.fact(query)
  if (fact?.kind === 'text' && fact.value !== undefined) return fact.value
  if (scope.inPlan) return null
  if (fact === undefined) wanted.push(query)
  else lost.push(path)
  return null
}

/** What the code assigned, in the types of the places; or why it cannot be kept. */
async function returned(
  world: Parameters<Step['perform']>[0],
  attempt: Try,
  scope: Scope,
  results: readonly Path[]
): Promise<{ readonly writes: Performed['writes'] } | { readonly reason: string }> {
  try {
    const text = (await readOutput(world, attempt)) ?? ''
    if (text === '') return results.length === 0 ? { writes: [] } : { reason: 'the code ended without giving its results back' }
    const values = JSON.parse(text) as Readonly<Record<string, Plain>>
    const writes = results.flatMap(path => {
      const value = Object.hasOwn(values, showPath(path)) ? values[showPath(path)] : undefined
      if (value === undefined) return []
      const place = scope.place(path)
      return [{ path: place, value: typed(place, scope.read(path), fromPlain(value)) }]
    })
    return { writes: [...new Map(writes.map(write => [showPath(write.path), write])).values()] }
  } catch (error) {
    if (error instanceof CloudburstError) return { reason: error.message }
    return { reason: `the results cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function readOutput(world: Parameters<Step['perform']>[0], attempt: Try): Promise<string | undefined> {
  return world.driver.readFile(attempt.goalId, filesOf(attempt, 'python').output)
}

/** A value takes the types that were declared for its place, fields included. @throws CloudburstError CB_VALUE_INVALID */
function typed(path: Path, before: Tree | undefined, value: Tree): Tree {
  // It is known by what is in it once it is kept.
  if (value.value !== undefined && hasFilesToKeep(before, value)) return value
  const same = keepType(path, before, value)
  if (same.fields === undefined || before?.fields === undefined) return same
  const { fields } = before
  const inner = Object.entries(same.fields).map(([name, field]) => [
    name,
    typed([...path, name], Object.hasOwn(fields, name) ? fields[name] : undefined, field)
  ])
  return { ...same, fields: Object.fromEntries(inner) }
}

/** How to get what is missing, and the place in the program instead of that in the private file. */
function cleaned(outcome: Performed, language: CodeStatement['language'], program: string, file: string): Partial<Performed> {
  if (outcome.exit?.kind === 'not-started') {
    const install =
      language === 'python'
        ? 'install it: apt install python3 (Debian, Ubuntu), dnf install python3 (Fedora), apk add python3 (Alpine), brew install python3 (macOS)'
        : 'the program of this daemon is gone'
    return { reason: `${program} ${outcome.reason ?? 'could not be started'}; ${install}` }
  }
  if (outcome.tail === undefined) return {}
  return { tail: outcome.tail.replace(/(?:file:\/\/)?\/[^\s"':]*\/code\.[0-9a-f]{24}\.\d+\.mjs/g, file) }
}
