/** Statements in order: blocks, loops, and the steps in them. */
import { evaluate } from '../expression/evaluate.ts'
import { toPlain } from '../expression/plain.ts'
import type { ExprResult } from '../expression/result.ts'
import type { DoStatement, FindStatement, RepeatStatement, ShellStatement, Statement } from '../program/model.ts'
import { showPlace } from '../program/xml.ts'
import type { Tree } from '../tree.ts'
import { callGoal, type Here, takeStep } from './call.ts'
import { codeStep } from './code-step.ts'
import { editStep } from './edit-step.ts'
import { settled } from './evaluated.ts'
import { type Failure, failed, type Walked, went } from './failure.ts'
import { itemName, labelOf, Names } from './instance.ts'
import { isPlain, persist } from './persist.ts'
import { sendStep } from './send-step.ts'
import { snapshotStep } from './snapshot-step.ts'
import { assignStep, checkStep } from './step.ts'
import { tempFileStep } from './temp-file-step.ts'
import { waitStep } from './wait-step.ts'
import { because, settle } from './walk.ts'

/** Most turns of one `repeat` or items of one `find`: a typo must not fill the disk with journal. */
export const ITEMS_MAX = 1_000_000

/** Walks statements one after the other; the first that fails stops them. */
export async function walkStatements(here: Here, statements: readonly Statement[]): Promise<Walked> {
  for (const statement of statements) {
    const walked = await walkStatement(here, statement)
    if (!walked.ok) return walked
  }
  return went
}

async function walkStatement(around: Here, statement: Statement): Promise<Walked> {
  const here: Here = statement.debug === true ? { ...around, how: { ...(around.how ?? around.frame.how), debug: true } } : around
  switch (statement.kind) {
    case 'do':
      return await policed(here, statement, at =>
        inParallel(
          at,
          statement.parallel,
          statement.body.map(each => () => walkStatement(beside(at, statement), each))
        )
      )
    case 'find':
      return await policed(here, statement, at => find(at, statement))
    case 'repeat':
      return await policed(here, statement, at => repeat(at, statement))
    case 'shell':
      return await sends(here, statement)
    case 'call':
      return await policed(here, statement, at => callGoal(at, statement.call, statement.name))
    case 'tempFile':
      return await takeStep(here, tempFileStep(here, statement, name(here, labelOf(statement))))
    case 'update':
      return await takeStep(here, assignStep(here, statement, name(here, labelOf(statement))))
    case 'code':
      return await takeStep(here, codeStep(here, statement, name(here, labelOf(statement))))
    case 'editFile':
      return await takeStep(here, editStep(here, statement, name(here, labelOf(statement))))
    case 'wait':
      return await takeStep(here, waitStep(here, statement, name(here, labelOf(statement))))
    case 'snapshot':
      return await takeStep(here, snapshotStep(here, statement, name(here, labelOf(statement))))
    case 'check':
      return await takeStep(here, checkStep(here, statement, name(here, labelOf(statement))))
  }
}

/** As the statement says about failures; one that says nothing is simply walked. */
async function policed(here: Here, statement: Statement, walk: (at: Here) => Promise<Walked>): Promise<Walked> {
  return isPlain(statement) ? await walk(here) : await persist(here, statement, name(here, labelOf(statement)), walk)
}

async function sends(here: Here, shell: ShellStatement): Promise<Walked> {
  for (const send of shell.sends) {
    const walked = await takeStep(here, sendStep(here, shell, send, name(here, labelOf(send))))
    if (!walked.ok) return walked
  }
  return went
}

async function find(here: Here, statement: FindStatement): Promise<Walked> {
  const { frame, scope } = here
  const label = name(here, labelOf(statement))
  const results: ExprResult[] = []
  for (const expression of statement.in) {
    const result = await settle(frame.run, () => evaluate(expression, scope))
    const { tree } = result
    if (tree?.unknown === true || (tree === undefined && result.outcome === 'possible')) {
      if (frame.run.mode === 'plan') return await onceForAll(here, statement, statement.symbol)
      return failed(
        frame.instance,
        'step-failed',
        `${showPlace(statement.place)}: ${because(result, `the list of ${statement.symbol} is not known`)}`
      )
    }
    if (result.errors.length > 0)
      return failed(
        frame.instance,
        'step-failed',
        `${showPlace(statement.place)}: ${because(result, `the list of ${statement.symbol} is wrong`)}`
      )
    results.push(result)
  }
  const now: Tree = { items: results.flatMap(result => elements(result.tree)) }
  const { items = [] } = await settled(here, label, statement.in, results, now)
  if (items.length > ITEMS_MAX)
    return failed(frame.instance, 'step-failed', `${statement.symbol}: ${items.length} items are more than ${ITEMS_MAX}`)
  const names = new Names()
  return await inParallel(
    here,
    statement.parallel,
    items.map(item => {
      if (frame.run.mode === 'plan' && !isKnown(item)) return () => onceForAll(here, statement, statement.symbol, item)
      const path = names.next(`${label}[${itemName(item)}]`)
      const at: Here = { ...beside(here, statement), scope: scope.with(statement.symbol, item), path, names: new Names() }
      return () => walkStatements(at, statement.body)
    })
  )
}

/**
 * In a plan with a list or count that is not known yet: once, for an item or turn that stands for all.
 * An item of a known list of which something is not known yet has no name yet either.
 */
async function onceForAll(
  here: Here,
  statement: FindStatement | RepeatStatement,
  symbol: string,
  item: Tree = { unknown: true }
): Promise<Walked> {
  const { frame, scope } = here
  const before = frame.possible
  frame.possible = true
  const path = name(here, `${labelOf(statement)}[*]`)
  const walked = await walkStatements({ ...here, scope: scope.with(symbol, item), path, names: new Names() }, statement.body)
  frame.possible = before
  if (!walked.ok) frame.mayGoOn = true
  return walked
}

async function repeat(here: Here, statement: RepeatStatement): Promise<Walked> {
  const { frame, scope } = here
  const label = name(here, labelOf(statement))
  const result = await settle(frame.run, () => evaluate(statement.count, scope))
  if (result.tree?.unknown === true && frame.run.mode === 'plan') return await onceForAll(here, statement, 'goal.repeat')
  const tree = result.tree && (await settled(here, label, [statement.count], [result], result.tree))
  const plain = tree === undefined ? null : toPlain(tree)
  const count = Number(plain)
  if (plain === null || !Number.isSafeInteger(count) || count < 0 || count > ITEMS_MAX) {
    return failed(
      frame.instance,
      'step-failed',
      `${showPlace(statement.place)}: ${because(result, `repeat needs a number from 0 to ${ITEMS_MAX}, not ${JSON.stringify(plain)}`)}`
    )
  }
  for (let i = 0; i < count; i++) {
    const path = `${label}[${i}]`
    const turn: Here = {
      ...here,
      scope: scope.with('goal.repeat', { value: i }),
      path,
      names: new Names(),
      how: { ...here.how, again: true }
    }
    const walked = await walkStatements(turn, statement.body)
    if (!walked.ok) return walked
  }
  return went
}

/** Whether all of it is known, at any depth. */
function isKnown({ unknown, fields = {}, items = [] }: Tree): boolean {
  return unknown !== true && Object.values(fields).every(isKnown) && items.every(isKnown)
}

function beside(here: Here, { parallel }: DoStatement | FindStatement): Here {
  if (parallel <= 1) return here
  const how = here.how ?? here.frame.how
  return { ...here, how: { ...how, parallel: true, abreast: (how?.abreast ?? 1) * parallel } }
}

/**
 * Runs up to `most` at a time. All that have begun are waited for. What the program lets be done beside others goes as far as it can
 * when one of them fails; what comes one after the other ends with the first that fails.
 */
async function inParallel({ frame }: Here, most: number, tasks: readonly (() => Promise<Walked>)[]): Promise<Walked> {
  // a plan has no time to save, and one branch must not show another what is possible only
  const limit = frame.run.mode === 'plan' ? 1 : Math.max(1, most)
  const sides = most > 1 ? frame.run.hand.sideBySide?.(frame.instance, most) : undefined
  let failure: Failure | undefined
  let next = 0
  const worker = async (): Promise<void> => {
    while (failure === undefined || (most > 1 && !isForAll(failure))) {
      const task = tasks[next++]
      if (task === undefined) return
      sides?.begins()
      const walked = await task()
      sides?.ended()
      if (!walked.ok) failure = failure === undefined ? walked.failure : foremost(failure, walked.failure)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, worker))
  sides?.over()
  return failure === undefined ? went : { ok: false, failure }
}

/** Not this failed, but the goal is to rest, or may not go on, or has no time left. */
const ALL_REST: ReadonlySet<Failure['code']> = new Set(['requested', 'stepping', 'stopped', 'denied'])

function isForAll({ code, limit }: Failure): boolean {
  return ALL_REST.has(code) || limit !== undefined
}

/** What is told of two that failed beside each other: the one after which nothing else may be tried, or else the first. */
function foremost(first: Failure, second: Failure): Failure {
  const weight = (failure: Failure): number => (isForAll(failure) ? 2 : failure.final ? 1 : 0)
  const told = weight(second) > weight(first) ? second : first
  return { ...told, beside: (first.beside ?? 0) + (second.beside ?? 0) + 1 }
}

function name(here: Here, label: string): string {
  return here.names.next(`${here.path}/${label}`)
}

/** Elements of a list; the fields of a struct; a scalar is a list of one; undefined is empty. */
function elements(tree: Tree | undefined): readonly Tree[] {
  if (tree === undefined) return []
  if (tree.items !== undefined) return tree.items
  if (tree.fields !== undefined) return Object.values(tree.fields)
  return tree.value === undefined ? [] : [tree]
}
