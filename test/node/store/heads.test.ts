import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Level } from 'level'
import { join } from 'node:path'
import { type Database, headsFile, missingFrom, readHeads, writeHeads } from '../../../src/node/store/heads.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('the heads file', () => {
  const directory = temporaryDirectory()

  it('says what was last written, and nothing when it is missing or spoiled', async () => {
    assert.deepEqual(await readHeads(directory()), { keys: [], counts: {} })
    await writeHeads(directory(), { keys: ['g!a!j!1'], counts: { 'r!': 3 } })
    await writeHeads(directory(), { keys: ['g!a!j!2'], counts: { 'r!': 4 } })
    assert.deepEqual(await readHeads(directory()), { keys: ['g!a!j!2'], counts: { 'r!': 4 } })
    writeFileSync(headsFile(directory()), '{"keys":')
    assert.deepEqual(await readHeads(directory()), { keys: [], counts: {} })
  })

  it('tells which keys a database lacks, and of which kind there are too few', async () => {
    const path = join(directory(), 'db')
    mkdirSync(path)
    const database: Database = new Level(path, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
    try {
      await database.batch(['r!a', 'r!b', 's!a'].map(key => ({ type: 'put', key, value: Buffer.from('1') })))
      assert.deepEqual(await missingFrom(database, { keys: ['r!b', 's!a'], counts: { 'r!': 2, 's!': 1 } }), [])
      assert.deepEqual(await missingFrom(database, { keys: ['r!b', 'r!c'], counts: { 'r!': 5, 't!': 1 } }), [
        'r!c',
        '3 of 5 keys r!…',
        '1 of 1 keys t!…'
      ])
    } finally {
      await database.close()
    }
  })
})
