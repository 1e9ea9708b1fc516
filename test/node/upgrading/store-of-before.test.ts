import assert from 'node:assert/strict'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { SCHEMA_VERSION } from '../../../src/node/store/migration.ts'
import { openStore } from '../../../src/node/store/store.ts'
import { openStoreOfBefore } from '../../../src/node/upgrading/store-of-before.ts'
import { quiet } from '../store/quiet.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('the store of a node that has gone back', () => {
  const directory = temporaryDirectory()
  const path = (): string => join(directory(), 'store')

  /** As a newer program leaves it: migrated, with what it was before beside it. */
  beforeEach(async () => {
    const before = await openStore(path(), { log: quiet })
    await before.batch([{ type: 'put', key: 'x!of-before', value: 1 }], { sync: true })
    await before.close()
    cpSync(join(path(), 'db'), join(path(), `version-${SCHEMA_VERSION}`), { recursive: true })
    const newer = await openStore(path(), { log: quiet })
    await newer.batch(
      [
        { type: 'put', key: 's!schema', value: { version: SCHEMA_VERSION + 1 } },
        { type: 'put', key: 'x!of-newer', value: 1 }
      ],
      { sync: true }
    )
    await newer.close()
  })

  it('is as it was before the release that was taken back, and what that wrote is kept', async () => {
    const store = await openStoreOfBefore(path(), quiet, true)
    assert.equal(await store.get('x!of-before'), 1)
    assert.equal(await store.get('x!of-newer'), undefined)
    await store.close()
    assert.ok(existsSync(join(path(), `version-${SCHEMA_VERSION}`)))
  })

  it('is refused as always when nothing was taken back', async () => {
    await assert.rejects(openStoreOfBefore(path(), quiet, false), { code: 'CB_STORE_NEWER' })
  })
})
