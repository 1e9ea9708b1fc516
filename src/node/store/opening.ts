/**
 * Opens LevelDB so that it can neither start empty by itself nor lose more than was lost already.
 * Each step answers a measured fault: reference "reliability", 5.3 and 5.4; docs/decisions.
 */
import { existsSync } from 'node:fs'
import { copyFile, cp, link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import { CloudburstError } from '../../errors.ts'
import { replaceWhole, syncPath } from '../files/atomic-file.ts'
import { type Database, headsFile, missingFrom, readHeads } from './heads.ts'
import { beforeMigration, migrate, SCHEMA_VERSION, schemaOf, schemaOp } from './migration.ts'

/** What was wrong with a store when it was opened. */
export interface Damage {
  readonly reason: string
  /** Copy of everything as it was found. */
  readonly copy: string
  /** What is known to have been there and is not any more; empty when the repair brought all back. */
  readonly missing: readonly string[]
}

/** The database of the store in `directory`. Its parts: `db/`, `initialised`, `heads.json`, `preopen/`, `aside-<time>/`. */
export function databasePath(directory: string): string {
  return join(directory, 'db')
}

/**
 * Opens what is there, or makes it the first time.
 * @throws CloudburstError CB_STORE_DAMAGED when nothing could be saved, CB_STORE_NEWER, CB_STORE_DEGRADED when the disk refuses, CB_ALREADY_RUNNING
 */
export async function openDatabase(directory: string): Promise<{ database: Database; damage?: Damage }> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const known = existsSync(join(directory, 'initialised')) || existsSync(headsFile(directory))
  if (!known) await create(directory)
  await keepPreopen(directory)
  const opened = await openSound(directory)
  if (!('reason' in opened)) return opened
  return repair(directory, opened.reason)
}

/** Opens without ever creating; used again after a write error. */
export async function openExisting(directory: string): Promise<Database> {
  const database: Database = new Level(databasePath(directory), { keyEncoding: 'utf8', valueEncoding: 'buffer', createIfMissing: false })
  await database.open()
  return database
}

/** The first opening of a home. */
async function create(directory: string): Promise<void> {
  // Without marker and heads nothing was ever acknowledged from here; even so it is put aside, not removed.
  if (existsSync(databasePath(directory))) await rename(databasePath(directory), asidePath(directory))
  const database = await createDatabase(directory)
  await database.close()
  await markInitialised(directory)
}

/** A new database of this version, open, where there is none. */
export async function createDatabase(directory: string): Promise<Database> {
  const database: Database = new Level(databasePath(directory), { keyEncoding: 'utf8', valueEncoding: 'buffer' })
  await database.open()
  await database.batch([schemaOp()], { sync: true })
  return database
}

/** Says that there is a store, from now on: LevelDB does not sync the names of new files, and a power cut could leave one that does not open. */
export async function markInitialised(directory: string): Promise<void> {
  const path = databasePath(directory)
  for (const name of await readdir(path)) await syncPath(join(path, name))
  await syncPath(path)
  await syncPath(directory)
  await syncPath(dirname(directory))
  await replaceWhole(join(directory, 'initialised'), `${JSON.stringify({ version: SCHEMA_VERSION })}\n`, { mode: 0o600, alone: true })
}

/** Opening may delete files that a repair would need, so all are kept until the next opening. */
function keepPreopen(directory: string): Promise<void> {
  return keepCopy(directory, preopenPath(directory))
}

/** The files of the database as they are now, in `to`; tables never change: a link is enough. */
export async function keepCopy(directory: string, to: string): Promise<void> {
  const from = databasePath(directory)
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { mode: 0o700 })
  if (!existsSync(from)) return
  for (const name of await readdir(from)) {
    if (name === 'LOCK') continue
    if (name.endsWith('.ldb')) await link(join(from, name), join(to, name))
    else await copyFile(join(from, name), join(to, name))
  }
}

async function openSound(directory: string): Promise<{ database: Database } | { reason: string }> {
  let database: Database | undefined
  try {
    database = await openExisting(directory)
    const missing = await missingFrom(database, await readHeads(directory))
    if (missing.length === 0) return { database: await upToDate(database, directory) }
    await database.close()
    return { reason: `missing: ${missing.slice(0, 3).join(', ')}` }
  } catch (error) {
    await database?.close()
    return { reason: damageOf(error, directory) }
  }
}

/**
 * The database, migrated when it is older. What it was before is kept beside it until the next migration:
 * moved to `db/`, without the heads file, it serves the older program again.
 */
async function upToDate(database: Database, directory: string): Promise<Database> {
  const version = await schemaOf(database)
  if (version === SCHEMA_VERSION) return database
  await database.close()
  if (version === undefined) throw new Error('the schema version is missing')
  if (version > SCHEMA_VERSION) {
    const message = `the store in ${directory} has version ${version}, this program knows ${SCHEMA_VERSION}`
    throw new CloudburstError('CB_STORE_NEWER', message, { directory, version })
  }
  const kept = beforeMigration(directory, version)
  await keepCopy(directory, kept)
  for (const name of await readdir(kept)) await syncPath(join(kept, name))
  await syncPath(kept)
  const older = await openExisting(directory)
  try {
    await migrate(older, version)
  } catch (error) {
    await older.close()
    throw error
  }
  return older
}

/**
 * After an upgrade that was taken back: the store as it was before the newer program migrated it. The newer one is put aside.
 * @returns where the newer one is; undefined when nothing was kept of before
 */
export async function goBack(directory: string): Promise<string | undefined> {
  const kept = beforeMigration(directory, SCHEMA_VERSION)
  if (!existsSync(kept)) return undefined
  const [beside, newer] = [join(directory, 'db-back'), asidePath(directory)]
  await rm(beside, { recursive: true, force: true })
  await cp(kept, beside, { recursive: true })
  for (const name of await readdir(beside)) await syncPath(join(beside, name))
  await rename(databasePath(directory), newer)
  await rm(headsFile(directory), { force: true })
  await rename(beside, databasePath(directory))
  return newer
}

/** Everything found is put aside whole; the repair works on a copy. */
async function repair(directory: string, reason: string): Promise<{ database: Database; damage: Damage }> {
  const path = databasePath(directory)
  const copy = asidePath(directory)
  await rename(preopenPath(directory), copy)
  await rm(path, { recursive: true, force: true })
  await cp(copy, path, { recursive: true })
  const found = (await readdir(path)).some(name => /\.(ldb|log)$/.test(name))
  if (!found) throw damaged(directory, `${reason}; no table or log is left`, copy)
  await (Level as unknown as { repair(location: string): Promise<void> }).repair(path)
  const database = await openExisting(directory).catch(error => {
    throw damaged(directory, `${reason}; repair did not help: ${textOf(error)}`, copy)
  })
  if ((await schemaOf(database)) === undefined) throw damaged(directory, `${reason}; repair found nothing of ours`, copy)
  const current = await upToDate(database, directory)
  return { database: current, damage: { reason, copy, missing: await missingFrom(current, await readHeads(directory)) } }
}

/** @throws unless the error means that files are damaged: a full disk or a second opening is no reason to repair */
function damageOf(error: unknown, directory: string): string {
  if (error instanceof CloudburstError) throw error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const text = textOf(cause)
  const code = (cause as { code?: string }).code
  if (code === 'LEVEL_LOCKED') {
    throw new CloudburstError('CB_ALREADY_RUNNING', `the store in ${directory} is open in another process`, { directory }, error)
  }
  if (/no space left|input\/output error|too many open files|permission denied|read-only file system|quota/i.test(text)) {
    throw new CloudburstError('CB_STORE_DEGRADED', `the store in ${directory} cannot be opened: ${text}`, { home: directory }, error)
  }
  return text
}

function damaged(directory: string, reason: string, copy: string): CloudburstError {
  return new CloudburstError('CB_STORE_DAMAGED', `the store in ${directory} is damaged: ${reason}; all that was found is in ${copy}`, {
    directory,
    copy
  })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function preopenPath(directory: string): string {
  return join(directory, 'preopen')
}

function asidePath(directory: string): string {
  return join(directory, `aside-${new Date().toISOString().replaceAll(':', '')}`)
}
