/** `<wait>`: some time, or until something holds. Its time counts from its first try, also through interruptions. */
import { factKey } from '../expression/fact-key.ts'
import { conjunction } from '../expression/evaluate.ts'
import { interpolate } from '../expression/interpolate.ts'
import type { ExprResult, Scope } from '../expression/result.ts'
import type { Fact, FactQuery, World } from '../ports.ts'
import type { WaitStatement } from '../program/model.ts'
import type { Here } from './call.ts'
import { described, joined, type Performed, type Prepared, type Step, type Try } from './step.ts'
import { because, settle } from './walk.ts'

/** Longest single sleep, in milliseconds: what timers can hold is less than a month. */
const SLEEP_MS_MAX = 24 * 3_600_000

interface PreparedWait extends Prepared {
  readonly ms: number
}

/** One `<wait>`. */
export function waitStep(here: Here, statement: WaitStatement, id: string): Step<PreparedWait> {
  const { scope } = here
  return {
    id,
    kind: 'wait',
    statement,
    key: statement.key,
    scope,
    ...described(statement, scope),
    outputs: statement.name === undefined ? [] : [['goal', statement.name]],
    prepare: () => (statement.seconds === undefined ? prepareCondition(here, statement) : prepareTime(here, statement)),
    async perform(world, prepared, attempt) {
      const since = attempt.since ?? world.clock.now()
      const outcome =
        statement.seconds === undefined
          ? await poll(here, statement, world, attempt, since)
          : await rest(world, attempt, since + prepared.ms)
      const value = { fields: { seconds: { value: Math.round((world.clock.now() - since) / 1000) } } }
      return { ...outcome, writes: statement.name === undefined ? [] : [{ path: ['goal', statement.name], value }] }
    }
  }
}

function prepareTime({ scope }: Here, { seconds = [], place }: WaitStatement): PreparedWait {
  const text = interpolate(seconds, scope, 'text')
  const amount = Number(text.text)
  const known = !text.unknown && text.errors.length === 0 && text.wanted.length === 0
  const wrong = known && (text.text.trim() === '' || !Number.isFinite(amount) || amount < 0)
  const errors = wrong ? [{ place, message: `'${text.show}' is not a number of seconds` }] : text.errors
  return { ...joined([text]), errors, show: `wait ${text.show} s`, ms: amount * 1000 }
}

/** A value that is not known is what is waited for, so only a fault of the expression is an error. */
function prepareCondition({ scope }: Here, { until, timeoutS }: WaitStatement): PreparedWait {
  const result = conjunction(until, scope)
  const limit = timeoutS === undefined ? '' : ` at most ${timeoutS} s`
  const { reads, wanted, errors } = result
  return {
    show: `wait${limit} for: ${because(result, 'what is not known yet')}`,
    reads,
    wanted,
    unknown: scope.inPlan && result.outcome === 'possible',
    errors,
    ms: 0
  }
}

/** Waits to the end, or as long as the blocks around it have time. */
async function rest(world: World, attempt: Try, end: number): Promise<Omit<Performed, 'writes'>> {
  const slept = await sleep(world, attempt, Math.min(end, attempt.until ?? end))
  return slept.status === 'completed' && world.clock.now() < end ? { status: 'failed' } : slept
}

async function sleep(world: World, { signal }: Try, until: number): Promise<Omit<Performed, 'writes'>> {
  for (let left = until - world.clock.now(); left > 0; left = until - world.clock.now()) {
    if (signal?.aborted) return { status: 'stopped', reason: 'suspended on request' }
    await world.clock.sleep(Math.min(left, SLEEP_MS_MAX), signal).catch(() => undefined)
  }
  return { status: 'completed' }
}

async function poll(
  here: Here,
  { until, everyS, timeoutS }: WaitStatement,
  world: World,
  attempt: Try,
  since: number
): Promise<Omit<Performed, 'writes'>> {
  const own = timeoutS === undefined ? Number.POSITIVE_INFINITY : since + timeoutS * 1000
  const deadline = Math.min(own, attempt.until ?? own)
  for (;;) {
    const result = await look(here, until)
    if (result.outcome === 'true') return { status: 'completed' }
    const wrong = result.errors[0]
    if (wrong !== undefined) return { status: 'failed', reason: wrong.message }
    const now = world.clock.now()
    if (now >= deadline)
      return {
        status: 'failed',
        reason: `still not so${now >= own ? ` after ${timeoutS} s` : ''}: ${because(result, 'a value is not known')}`
      }
    const slept = await sleep(world, attempt, Math.min(now + everyS * 1000, deadline))
    if (slept.status !== 'completed') return slept
  }
}

/** Evaluates with what the machine says now; what others asked of it stays. */
async function look({ frame, scope }: Here, until: WaitStatement['until']): Promise<ExprResult> {
  const { run } = frame
  const asked = new Set<string>()
  conjunction(until, listening(scope, asked))
  for (const key of asked) run.facts.delete(key)
  return await settle(run, () => conjunction(until, scope))
}

/** The same scope; the facts that are asked of it are noted. */
function listening(scope: Scope, asked: Set<string>): Scope {
  const fact = (query: FactQuery): Fact | undefined => {
    asked.add(factKey(query))
    return scope.fact(query)
  }
  return Object.assign(Object.create(scope) as Scope, { fact })
}
