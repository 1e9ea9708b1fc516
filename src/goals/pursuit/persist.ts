/** Failures of blocks and sub-goals: tried again, ignored, or left to a person, as their attributes say. */
import type { StatementBase } from '../program/model.ts'
import type { Here } from './call.ts'
import { type Failure, type Walked, went } from './failure.ts'
import { Names } from './instance.ts'
import type { How } from './recall.ts'
import { outOf, type TimeLimit } from './time-limits.ts'
import type { Run } from './walk.ts'

/** How many times more a statement is tried after its first failure. */
export function triesLeft({ retries, onFail }: Pick<StatementBase, 'retries' | 'onFail'>): number {
  return onFail === 'retry' ? Math.max(1, retries) : retries
}

/** Whether nothing is said about failures and time. */
export function isPlain(statement: StatementBase): boolean {
  return statement.onFail === 'stop' && statement.retries === 0 && statement.timeoutS === undefined
}

/** Walks, at `path` and under names of its own, what `statement` stands for, as often as it says. */
export async function persist(here: Here, statement: StatementBase, path: string, walk: (at: Here) => Promise<Walked>): Promise<Walked> {
  const { run } = here.frame
  const { timeoutS, place } = statement
  const limit: TimeLimit | undefined = timeoutS === undefined ? undefined : { path, timeoutS, place }
  const around = here.how ?? here.frame.how
  const how: How = {
    ...around,
    ...(limit !== undefined && { limits: [...(around?.limits ?? []), limit] }),
    ...(triesLeft(statement) > 0 && { recall: true as const }),
    ...(statement.onFail === 'ignore' && { lenient: true as const })
  }
  for (let tries = 0; ; tries++) {
    const walked = timed(run, limit, await walk({ ...here, how, path, names: new Names() }))
    if (walked.ok) return went
    const { failure } = walked
    if (!failure.final && !failure.known && (await run.hand.mayRetry(path, statement, tries, around))) forgetFailures(run)
    else return rest(statement, failure)
  }
}

/** What came of a block within its time, told to the journal. */
function timed({ hand }: Run, limit: TimeLimit | undefined, walked: Walked): Walked {
  if (limit === undefined) return walked
  if (walked.ok) hand.blockEnded(limit, 'completed')
  else if (walked.failure.limit === limit.path) hand.blockEnded(limit, 'timed-out')
  else if (!walked.failure.final) hand.blockEnded(limit, 'failed')
  return walked.ok ? walked : { ok: false, failure: outOf(limit, walked.failure) }
}

/** Sub-goals that failed in this run may be pursued again. */
export function forgetFailures({ outcomes, shared }: Run): void {
  for (const [key, done] of outcomes) {
    if (done) continue
    outcomes.delete(key)
    shared.delete(key)
  }
}

function rest({ onFail }: StatementBase, failure: Failure): Walked {
  if (failure.final) return { ok: false, failure }
  if (onFail === 'ignore') return went
  return { ok: false, failure: { ...failure, final: onFail === 'suspend' } }
}
