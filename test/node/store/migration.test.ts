import assert from 'node:assert/strict'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeMigration, SCHEMA_KEY, SCHEMA_VERSION } from '../../../src/node/store/migration.ts'
import { readSnapshot } from '../../../src/node/store/damage.ts'
import { type Snapshot, snapshotKey } from '../../../src/node/store/records.ts'
import { type Op, openStore, type Store } from '../../../src/node/store/store.ts'
import { fill, hasty, journalAt } from './filled.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('a store of version 1', () => {
  const directory = temporaryDirectory()
  const path = (): string => join(directory(), 'store')
  let store: Store | undefined
  let snapshot: Snapshot | undefined
  const open = async (): Promise<Store> => {
    store = await openStore(path(), { log: quiet })
    return store
  }
  const close = async (): Promise<void> => {
    await store?.close()
    store = undefined
  }
  /** As version 1 left it: without snapshots. */
  const makeOld = async (...more: readonly Op[]): Promise<void> => {
    const made = await open()
    const journal = await journalAt(hasty(made), () => 5)
    await fill(journal, 'long', 1_203, { open: true })
    await fill(journal, 'short', 3, { open: true })
    snapshot = await readSnapshot(made, 'long')
    await made.batch([{ type: 'put', key: SCHEMA_KEY, value: { version: 1 } }, { type: 'del', key: snapshotKey('long') }, ...more], {
      sync: true
    })
    await journal.close()
    await close()
  }
  afterEach(close)

  it('becomes one of this version, with nothing lost', async () => {
    await makeOld()
    const opened = await open()
    assert.deepEqual(await opened.get(SCHEMA_KEY), { version: SCHEMA_VERSION })
    assert.equal(opened.damage, undefined)
    assert.equal(snapshot?.seq, 1_000)
    assert.deepEqual(await readSnapshot(opened, 'long'), snapshot)
    assert.equal(await readSnapshot(opened, 'short'), undefined)
    const journal = await journalAt(opened, () => 6)
    assert.equal(journal.damaged.size, 0)
    assert.equal((await journal.read('long')).length, 1_203)
  })

  it('is kept as it was, for the way back', async () => {
    await makeOld()
    const newer = await journalAt(await open(), () => 6)
    await fill(newer, 'since', 3)
    await newer.close()
    await close()
    const kept = beforeMigration(path(), 1)
    rmSync(join(path(), 'db'), { recursive: true })
    rmSync(join(path(), 'heads.json'))
    cpSync(kept, join(path(), 'db'), { recursive: true })
    rmSync(kept, { recursive: true })
    assert.equal((await open()).damage, undefined)
    assert.ok(existsSync(kept), 'it was of version 1, and has been migrated again')
    assert.equal((await (await journalAt(store!, () => 7)).read('long')).length, 1_203)
  })

  it('opens also when one of its records cannot be read, and that goal alone is suspended', async () => {
    await makeOld({ type: 'put', key: 'g!long!j!0000000007', json: '{"seq":7' })
    const journal = await journalAt(await open(), () => 6)
    assert.deepEqual([...journal.damaged.keys()], ['long'])
  })
})
