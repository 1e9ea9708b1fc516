/**
 * What the store is known to hold, kept in a small file beside it: LevelDB itself does not notice
 * when a damaged log or manifest makes it forget, so somebody else has to remember.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Level } from 'level'
import { replaceWhole } from '../files/atomic-file.ts'

/** A lower bound: the store may hold more, never less. */
export interface Heads {
  /** Keys that are there, such as the last record of each open goal. */
  readonly keys: readonly string[]
  /** How many keys there are at least with this prefix. */
  readonly counts: Readonly<Record<string, number>>
}

/** The raw database: string keys, byte values. */
export type Database = Level<string, Buffer>

const NO_HEADS: Heads = { keys: [], counts: {} }

/** Path of the heads file of the store in `directory`. */
export function headsFile(directory: string): string {
  return join(directory, 'heads.json')
}

/** What was last written; nothing is expected when the file is missing or unreadable. */
export async function readHeads(directory: string): Promise<Heads> {
  try {
    const read = JSON.parse(await readFile(headsFile(directory), 'utf8')) as Partial<Heads>
    return { keys: read.keys ?? [], counts: read.counts ?? {} }
  } catch {
    return NO_HEADS
  }
}

/** Durable on return. */
export async function writeHeads(directory: string, heads: Heads): Promise<void> {
  await replaceWhole(headsFile(directory), JSON.stringify(heads), { mode: 0o600, alone: true })
}

/** What the heads promise and the database lacks, in words; empty when all is there. */
export async function missingFrom(database: Database, heads: Heads): Promise<readonly string[]> {
  const missing: string[] = []
  const values = await database.getMany([...heads.keys])
  heads.keys.forEach((key, at) => {
    if (values[at] === undefined) missing.push(key)
  })
  for (const [prefix, expected] of Object.entries(heads.counts)) {
    const found = (await database.keys({ gte: prefix, lt: `${prefix}\uffff`, limit: expected }).all()).length
    if (found < expected) missing.push(`${expected - found} of ${expected} keys ${prefix}…`)
  }
  return missing
}
