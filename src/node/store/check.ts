/**
 * Whether the store holds together: for each run the chain of its records, their fold against the summary and the snapshot
 * that are kept of it, and records that no run owns. Looks only.
 */
import { advance } from '../../goals/pursuit/summarise.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { StoreCheck } from '../control/contract.ts'
import { findDamage, readSnapshot } from './damage.ts'
import type { Reader } from './reader.ts'
import { eventOf, hashOf, type JournalRecord, RUN_PREFIX, recordsOf, type RunEntry, runKey, type Snapshot } from './records.ts'

type Problem = StoreCheck['problems'][number]

const EVENTS_PREFIX = 'g!'

/** Reads everything once; may be asked while the store is written, and holds one record at a time. */
export async function checkStore(store: Reader): Promise<StoreCheck> {
  const problems: Problem[] = []
  let runs = 0
  let events = 0
  let compacted = 0
  for await (const [key, bytes] of store.rawRange({ prefix: RUN_PREFIX })) {
    const goal = key.slice(RUN_PREFIX.length)
    runs++
    const entry = parse<RunEntry>(bytes)
    if (entry === undefined) problems.push({ goal, reason: `the summary of goal ${goal} is not readable` })
    else if (entry.compacted !== undefined) compacted++
    else {
      const { problem, records } = await checkRun(store, goal)
      events += records
      if (problem !== undefined) problems.push(problem)
    }
  }
  problems.push(...(await orphans(store)))
  return { runs, events, compacted, problems }
}

/** A run that grew while it was read is read again: its summary and its last record are not from one moment then. */
async function checkRun(store: Reader, goal: string): Promise<{ problem?: Problem; records: number }> {
  for (;;) {
    const entry = await store.get<RunEntry>(runKey(goal))
    const found = await problemOf(store, goal, entry)
    const after = await store.get<RunEntry>(runKey(goal))
    if (found === undefined || after?.head === entry?.head || after?.compacted !== undefined) {
      return {
        ...(found !== undefined && after?.compacted === undefined && { problem: { goal, ...found } }),
        records: entry?.summary.seq ?? 0
      }
    }
  }
}

async function problemOf(store: Reader, goal: string, entry: RunEntry | undefined): Promise<Omit<Problem, 'goal'> | undefined> {
  const damage = await findDamage(store, goal, entry)
  if (damage !== undefined) return damage
  const snapshot = await readSnapshot(store, goal)
  const { summary, atSnapshot } = await fold(store, goal, snapshot)
  if (!same(summary, entry?.summary)) return { reason: `the summary of goal ${goal} is not what its records say` }
  if (snapshot !== undefined && (atSnapshot?.hash !== snapshot.hash || !same(atSnapshot.summary, snapshot.summary)))
    return { seq: snapshot.seq, reason: `the snapshot of goal ${goal} is not what its records say` }
  return undefined
}

async function fold(store: Reader, goal: string, snapshot: Snapshot | undefined): Promise<{ summary?: RunSummary; atSnapshot?: Snapshot }> {
  let summary: RunSummary | undefined
  let atSnapshot: Snapshot | undefined
  for await (const [, bytes] of store.rawRange({ prefix: recordsOf(goal) })) {
    const record = JSON.parse(bytes.toString()) as JournalRecord
    summary = advance(summary, eventOf(goal, record))
    if (record.seq === snapshot?.seq && summary !== undefined) atSnapshot = { seq: record.seq, hash: hashOf(bytes), summary }
  }
  return { ...(summary !== undefined && { summary }), ...(atSnapshot !== undefined && { atSnapshot }) }
}

/** Records of goals that have no summary; one look a goal. */
async function orphans(store: Reader): Promise<Problem[]> {
  const problems: Problem[] = []
  for (let after = ''; ; ) {
    const goal = await nextGoal(store, after)
    if (goal === undefined) return problems
    if ((await store.get(runKey(goal)).catch(() => 'there')) === undefined)
      problems.push({ goal, reason: `goal ${goal} has records and no summary` })
    after = `${EVENTS_PREFIX}${goal}!\uffff`
  }
}

async function nextGoal(store: Reader, after: string): Promise<string | undefined> {
  for await (const [key] of store.rawRange({ prefix: EVENTS_PREFIX, limit: 1, ...(after !== '' && { after }) })) return key.split('!', 2)[1]
  return undefined
}

/** In what a summary of any version of this program holds: later ones may say more of the same records. */
function same(a: RunSummary | undefined, b: RunSummary | undefined): boolean {
  return (['id', 'goal', 'status', 'seq', 'createdAt', 'updatedAt'] as const).every(name => a?.[name] === b?.[name])
}

function parse<T>(bytes: Buffer): T | undefined {
  try {
    return JSON.parse(bytes.toString()) as T
  } catch {
    return undefined
  }
}
