/** Expressions whose values come from the machine, from other nodes or from other goals. */
import type { FactQuery } from '../ports.ts'
import type { Expression, FileTest, GoalCall, Place } from '../program/model.ts'
import { isTrueScalar } from './convert.ts'
import { sameQuery } from './fact-key.ts'
import { paste } from './paste.ts'
import { isDefined, isTrue, maskSecrets, showTree } from './plain.ts'
import type { Trace, Value } from './trace.ts'
import { ask, missing, noteRead, truth, unknown, wrong } from './trace.ts'

/** Longest run of a pure shell without timeout=, in milliseconds: it holds up the plan. */
export const PURE_SHELL_TIMEOUT_MS = 10_000

/** A text that the machine knows. */
export function factValue(trace: Trace, query: FactQuery, name: string, place: Place): Value {
  const fact = ask(trace, query)
  if (fact === undefined) return unknown(place, `${name} is not known yet`)
  if (fact.kind !== 'text' || fact.value === undefined) return missing(place, `${name} is undefined`)
  return {
    tree: { value: fact.value },
    outcome: isTrueScalar(fact.value) ? 'true' : 'false',
    reasons: [{ place, text: `${name} is ${showTree({ value: fact.value })}` }]
  }
}

/** What another node publishes under `path`. */
export function stateValue(trace: Trace, path: string, place: Place): Value {
  const fact = ask(trace, { kind: 'state', path })
  if (fact === undefined) return unknown(place, `${path} is not known yet`)
  const tree = fact.kind === 'tree' ? fact.value : undefined
  if (tree?.unknown) return unknown(place, `${path} is not known yet`)
  noteRead(trace, path, maskSecrets(tree ?? {}))
  if (isDefined(tree) !== 'true') return missing(place, `${path} is undefined`)
  return { tree: tree!, outcome: isTrue(tree) ? 'true' : 'false', reasons: [{ place, text: `${path} is ${showTree(tree)}` }] }
}

/** About a file of the machine where the goal is pursued. */
export function fileTest(test: FileTest, path: Value, place: Place, trace: Trace): Value {
  const name = path.tree?.value
  if (path.tree?.unknown) return truth('possible', place, path.reasons[0]?.text ?? 'the path is not known yet')
  if (name === undefined) return truth('false', place, path.reasons[0]?.text ?? 'the path is undefined')
  return fileAnswer({ kind: 'file', test, path: String(name) }, place, trace)
}

/** The same about a file whose path stands in the program as it is. */
export function literalFileTest(expression: Extract<Expression, { kind: 'fileTest' }>, path: string, trace: Trace): Value {
  return fileAnswer(sameQuery(expression, expression.test, path), expression.place, trace)
}

function fileAnswer(query: Extract<FactQuery, { kind: 'file' }>, place: Place, trace: Trace): Value {
  const { test, path } = query
  const fact = ask(trace, query)
  if (fact === undefined) return truth('possible', place, `whether ${path} ${says[test]} is not known yet`)
  const holds = fact.kind === 'bool' && fact.value
  return truth(holds ? 'true' : 'false', place, `${path} ${holds ? says[test] : denies[test]}`)
}

const says: Readonly<Record<FileTest, string>> = {
  exists: 'exists',
  file: 'is a file',
  directory: 'is a directory',
  executable: 'is executable'
}
const denies: Readonly<Record<FileTest, string>> = {
  exists: 'does not exist',
  file: 'is not a file',
  directory: 'is not a directory',
  executable: 'is not executable'
}

/** Whether a sub-goal was completed in this run; noted as a call when it was not pursued yet. */
export function goalCompleted(call: GoalCall, trace: Trace): Value {
  const done = trace.scope.completed(call)
  if (done === undefined) {
    if (!trace.decided) trace.calls.push(call)
    return truth('possible', call.place, `goal ${call.goal} is not completed yet`)
  }
  return truth(done ? 'true' : 'false', call.place, `goal ${call.goal} ${done ? 'is completed' : 'has failed'}`)
}

/**
 * The value of a `<shell>`: its sends in order, up to the first that fails. Each is asked for when the one before it
 * is known. Output is joined, its last line ends removed, as `$(…)` does.
 */
export function shellValue(expression: Extract<Expression, { kind: 'shell' }>, trace: Trace): Value {
  const { place, shell } = expression
  if (!expression.pure) {
    if (trace.scope.inPlan) return unknown(place, 'the shell is not run by a plan')
    return wrong(trace, place, 'this <shell> is not marked pure="true": only a shell without effects may be part of an expression')
  }
  let stdout = ''
  let code = 0
  for (const send of shell.sends) {
    const query = pureShell(expression, send, trace)
    if ('outcome' in query) return query
    const fact = ask(trace, query)
    if (fact === undefined) return unknown(send.place, 'what the shell gives is not known yet')
    if (fact.kind === 'tree' && fact.value?.unknown === true) return unknown(send.place, 'the shell is not run for this plan')
    if (fact.kind !== 'shell') return missing(send.place, 'the shell could not be run')
    stdout += fact.stdout
    code = fact.code
    if (code !== 0) break
  }
  if (expression.value === 'isZero') return truth(code === 0 ? 'true' : 'false', place, `the shell exited with ${code}`)
  if (expression.value === 'returnCode')
    return {
      tree: { type: 'int', value: code },
      outcome: code === 0 ? 'false' : 'true',
      reasons: [{ place, text: `the shell exited with ${code}` }]
    }
  const text = stdout.replace(/\n+$/, '')
  return {
    tree: { value: text },
    outcome: isTrueScalar(text) ? 'true' : 'false',
    reasons: [{ place, text: `the shell printed '${showTree({ value: text })}'` }]
  }
}

type Shell = Extract<Expression, { kind: 'shell' }>['shell']

function pureShell({ shell }: { readonly shell: Shell }, send: Shell['sends'][number], trace: Trace): FactQuery | Value {
  const last = paste(send.text, trace, shell.prefix === undefined ? 'shell' : 'prefixed')
  const all = [...(shell.prefix ?? []).map(argument => paste(argument, trace, 'argument')), last]
  for (const each of all) {
    Object.assign(trace.reads, each.reads)
    if (!trace.decided) {
      trace.wanted.push(...each.wanted)
      trace.errors.push(...each.errors)
    }
  }
  const first = all.flatMap(each => each.errors)[0]
  if (first !== undefined) return { outcome: 'false', reasons: [{ place: first.place, text: first.message }] }
  if (all.some(each => each.unknown)) return unknown(send.place, `${all.map(each => each.show).join(' ')} is not known yet`)
  if (last.secret.length > 0) return wrong(trace, send.place, 'a shell in an expression cannot be given a secret')
  const argv = shell.prefix === undefined ? [shell.shell, '-c', last.text] : all.map(each => each.text)
  const env = Object.entries(last.env).map(([name, value]) => `${name}=${value}`)
  const timeoutMs = send.timeoutS === undefined ? PURE_SHELL_TIMEOUT_MS : send.timeoutS * 1000
  return { kind: 'shell', argv: env.length === 0 ? argv : ['/usr/bin/env', ...env, ...argv], timeoutMs }
}
