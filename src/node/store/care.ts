/** The store of a home whose daemon is down: looked at through a copy, so that looking changes nothing; or made from an export. */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { StoreCheck } from '../control/contract.ts'
import { checkStore } from './check.ts'
import { type Database, missingFrom, readHeads, writeHeads } from './heads.ts'
import { migrate, SCHEMA_VERSION, schemaOf } from './migration.ts'
import { createDatabase, databasePath, keepCopy, markInitialised, openExisting } from './opening.ts'
import { type Reader, readerOf } from './reader.ts'
import { RUN_PREFIX } from './records.ts'
import { EMPTY_KEYS, exportStore, importStore } from './transfer.ts'

/** Checks the store in `directory`. @throws CloudburstError CB_HOME_MISSING, CB_STORE_NEWER */
export async function checkAtRest(directory: string): Promise<StoreCheck> {
  return await withCopy(directory, async (reader, database) => {
    const found = await checkStore(reader)
    const missing = await missingFrom(database, await readHeads(directory))
    return { ...found, problems: [...missing.map(what => ({ reason: `missing: ${what}` })), ...found.problems] }
  }).catch(error => {
    if (error instanceof CloudburstError) throw error
    const reason = `the store in ${directory} cannot be opened: ${textOf(error)}; the daemon puts a copy aside and repairs it when it starts`
    return { runs: 0, events: 0, compacted: 0, problems: [{ reason }] }
  })
}

/** Writes the store in `directory` to `file`. @throws CloudburstError CB_HOME_MISSING, CB_STORE_NEWER, CB_STORE_DAMAGED */
export async function exportAtRest(directory: string, file: string): Promise<{ readonly keys: number; readonly bytes: number }> {
  return await withCopy(directory, async (reader, _database, version) => await exportStore(reader, file, version)).catch(error => {
    if (error instanceof CloudburstError || !String((error as { code?: string }).code).startsWith('LEVEL_')) throw error
    throw new CloudburstError('CB_STORE_DAMAGED', `the store in ${directory} cannot be read: ${textOf(error)}`, { directory }, error)
  })
}

/**
 * Makes the store in `directory` from an export; nothing is there before all of it is, and has been checked.
 * @throws CloudburstError CB_STORE_NOT_EMPTY, CB_STORE_NEWER, CB_STORE_DAMAGED when the export or a run in it does not hold together
 */
export async function importAtRest(directory: string, file: string): Promise<{ readonly keys: number; readonly runs: number }> {
  await refuseNonEmpty(directory)
  const fresh = join(directory, 'import')
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  try {
    const database = await createDatabase(fresh)
    const { keys, runs } = await fill(database, file)
    await database.close()
    await writeHeads(directory, { keys: [], counts: { [RUN_PREFIX]: runs } })
    await rm(databasePath(directory), { recursive: true, force: true })
    await rename(databasePath(fresh), databasePath(directory))
    await markInitialised(directory)
    return { keys, runs }
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function fill(database: Database, file: string): Promise<{ keys: number; runs: number }> {
  try {
    const { keys } = await importStore(file, database)
    const version = (await schemaOf(database)) ?? SCHEMA_VERSION
    if (version < SCHEMA_VERSION) await migrate(database, version)
    const { runs, problems } = await checkStore(readerOf(database))
    const [first] = problems
    if (first !== undefined)
      throw new CloudburstError('CB_STORE_DAMAGED', `${file}: ${problems.length} goals in it do not hold together: ${first.reason}`, {
        file
      })
    return { keys, runs }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function refuseNonEmpty(directory: string): Promise<void> {
  if (!existsSync(databasePath(directory))) return
  const full = await withCopy(directory, async reader => {
    for await (const [key] of reader.rawRange({ prefix: '' })) if (!EMPTY_KEYS.has(key)) return true
    return false
  }).catch(() => true)
  if (full)
    throw new CloudburstError('CB_STORE_NOT_EMPTY', `the store in ${directory} is not empty; an export is imported into a new home`, {
      directory
    })
}

/** What was linked and copied is opened in place of the store: opening LevelDB writes, and may delete. */
async function withCopy<T>(directory: string, use: (reader: Reader, database: Database, version: number) => Promise<T>): Promise<T> {
  if (!existsSync(databasePath(directory))) {
    throw new CloudburstError('CB_HOME_MISSING', `there is no store in ${directory}: its daemon was never started`, { directory })
  }
  const copy = join(directory, `look-${process.pid}`)
  await mkdir(copy, { recursive: true, mode: 0o700 })
  try {
    await keepCopy(directory, databasePath(copy))
    const database = await openExisting(copy)
    try {
      const version = (await schemaOf(database)) ?? 0
      if (version > SCHEMA_VERSION) {
        const message = `the store in ${directory} has version ${version}, this program knows ${SCHEMA_VERSION}`
        throw new CloudburstError('CB_STORE_NEWER', message, { directory, version })
      }
      return await use(readerOf(database), database, version)
    } finally {
      await database.close()
    }
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

function textOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
