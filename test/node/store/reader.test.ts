import assert from 'node:assert/strict'
import { Level } from 'level'
import { join } from 'node:path'
import type { Database } from '../../../src/node/store/heads.ts'
import { readerOf } from '../../../src/node/store/reader.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('a reader of a database', () => {
  const directory = temporaryDirectory()

  it('gives values by key and by prefix, on from where one stopped', async () => {
    const database: Database = new Level(join(directory(), 'db'), { keyEncoding: 'utf8', valueEncoding: 'buffer' })
    try {
      await database.batch(['w!9', 'x!1', 'x!2', 'x!3', 'y!1'].map(key => ({ type: 'put', key, value: Buffer.from(JSON.stringify(key)) })))
      const reader = readerOf(database)
      const keys = async (prefix: string, after?: string): Promise<string> => {
        const found: string[] = []
        for await (const [key, value] of reader.range<string>({ prefix, ...(after !== undefined && { after }) })) {
          assert.equal(value, key)
          found.push(key)
        }
        return found.join(' ')
      }
      assert.deepEqual([await reader.get('x!2'), await reader.get('x!4')], ['x!2', undefined])
      assert.deepEqual(
        [await keys('x!'), await keys('x!', 'x!1'), await keys('x!', 'x!3'), await keys('z!')],
        ['x!1 x!2 x!3', 'x!2 x!3', '', '']
      )
      const raw: string[] = []
      for await (const [, bytes] of reader.rawRange({ prefix: 'y!' })) raw.push(bytes.toString())
      assert.deepEqual(raw, ['"y!1"'])
    } finally {
      await database.close()
    }
  })
})
