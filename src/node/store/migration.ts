/**
 * From each version of the store to the next. A step only reads, and says what has to be written: its changes and the new
 * version are one synced batch, so a store is of one version or of the other.
 */
import { join } from 'node:path'
import { advance } from '../../goals/pursuit/summarise.ts'
import type { RunSummary } from '../../goals/pursuit/summary.ts'
import type { RawOp } from './group-commit.ts'
import type { Database } from './heads.ts'
import {
  eventOf,
  hashOf,
  type JournalRecord,
  RUN_PREFIX,
  recordKey,
  recordsOf,
  type RunEntry,
  SNAPSHOT_EVERY,
  type Snapshot,
  snapshotKey
} from './records.ts'
import { encodePut } from './value.ts'

/** Raised when keys or values change so that an older version would misread them. */
export const SCHEMA_VERSION = 2

/** Where the version stands. */
export const SCHEMA_KEY = 's!schema'

/** What leads from the version that is the key to the next one. */
const steps: Readonly<Record<number, (database: Database) => Promise<RawOp[]>>> = {
  // Version 2 has compacted goals, which version 1 would take for damaged, and snapshots.
  1: snapshotLongRuns
}

/** What is to be written under `key` so that the store says that it has this version. */
export function schemaOp(version: number = SCHEMA_VERSION): RawOp {
  return { type: 'put', key: SCHEMA_KEY, value: encodePut({ type: 'put', key: SCHEMA_KEY, value: { version } }) }
}

/** The version of a store; undefined when it does not say. */
export async function schemaOf(database: Database): Promise<number | undefined> {
  const bytes = await database.get(SCHEMA_KEY)
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as { version: number }).version
}

/** Where the store in `directory` is kept as it was before it was migrated from `version`. */
export function beforeMigration(directory: string, version: number): string {
  return join(directory, `version-${version}`)
}

/** Brings an older store up to this version. On disk on return; a crash in between leaves a whole older one. */
export async function migrate(database: Database, from: number): Promise<void> {
  for (let version = from; version < SCHEMA_VERSION; version++) {
    const step = steps[version]
    if (step === undefined) throw new Error(`there is no way from version ${version} of the store`)
    await database.batch([...(await step(database)), schemaOp(version + 1)], { sync: true })
  }
}

/** Long runs get their snapshot behind the last full thousand of records. */
async function snapshotLongRuns(database: Database): Promise<RawOp[]> {
  const ops: RawOp[] = []
  for await (const bytes of database.values({ gte: RUN_PREFIX, lt: `${RUN_PREFIX}\uffff` })) {
    const { id, seq } = (JSON.parse(bytes.toString()) as RunEntry).summary
    const snapshot = await snapshotOf(database, id, seq - (seq % SNAPSHOT_EVERY))
    if (snapshot === undefined) continue
    const key = snapshotKey(id)
    ops.push({ type: 'put', key, value: encodePut({ type: 'put', key, value: snapshot }) })
  }
  return ops
}

/** The fold of the first `seq` records. @returns undefined for none, and for a run that is damaged: opening will say so */
async function snapshotOf(database: Database, goalId: string, seq: number): Promise<Snapshot | undefined> {
  let summary: RunSummary | undefined
  let hash = ''
  let last = 0
  if (seq === 0) return undefined
  for await (const bytes of database.values({ gte: recordsOf(goalId), lte: recordKey(goalId, seq) })) {
    const record = recordIn(bytes)
    if (record === undefined) return undefined
    summary = advance(summary, eventOf(goalId, record))
    hash = hashOf(bytes)
    last = record.seq
  }
  return summary === undefined || last !== seq ? undefined : { seq, hash, summary }
}

function recordIn(bytes: Buffer): JournalRecord | undefined {
  try {
    return JSON.parse(bytes.toString()) as JournalRecord
  } catch {
    return undefined
  }
}
