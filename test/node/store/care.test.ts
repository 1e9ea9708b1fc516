import assert from 'node:assert/strict'
import { mkdirSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkAtRest, exportAtRest, importAtRest } from '../../../src/node/store/care.ts'
import { checkStore } from '../../../src/node/store/check.ts'
import { recordKey, runKey, snapshotKey } from '../../../src/node/store/records.ts'
import { type Op, openStore, type Store } from '../../../src/node/store/store.ts'
import { fill, hasty, journalAt } from './filled.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('the care of a store', () => {
  const directory = temporaryDirectory()
  const path = (name = 'store'): string => join(directory(), name)
  const file = (): string => join(directory(), 'export.ndjson')
  let store: Store | undefined
  /** Two goals and some bytes, with `change` made behind the journal's back. */
  const filled = async (change: (store: Store) => readonly Op[] | Promise<readonly Op[]> = () => []): Promise<void> => {
    store = await openStore(path(), { log: quiet })
    const journal = await journalAt(hasty(store), () => 5)
    await fill(journal, 'g1', 1_005, { open: true })
    await fill(journal, 'g2', 3)
    await store.batch(
      [
        { type: 'put', key: 'bytes', value: Uint8Array.of(0, 255, 10) },
        { type: 'put', key: 'odd', value: 'a\u2028b\r' }
      ],
      { sync: true }
    )
    await store.batch(await change(store), { sync: true })
    await journal.close()
    await store.close()
    store = undefined
  }
  const contents = async (at: string): Promise<Record<string, string>> => {
    const opened = await openStore(at, { log: quiet })
    const found: Record<string, string> = {}
    for await (const [key, bytes] of opened.rawRange({ prefix: '' })) if (!key.startsWith('b!')) found[key] = bytes.toString('hex')
    await opened.close()
    return found
  }
  afterEach(async () => {
    await store?.close()
    store = undefined
  })

  describe('check', () => {
    it('counts what is sound, and leaves every file as it was', async () => {
      await filled()
      const before = readdirSync(join(path(), 'db')).map(name => [name, readFileSync(join(path(), 'db', name)).toString('hex')])
      assert.deepEqual(await checkAtRest(path()), { runs: 2, events: 1_008, compacted: 0, problems: [] })
      assert.deepEqual(
        readdirSync(join(path(), 'db')).map(name => [name, readFileSync(join(path(), 'db', name)).toString('hex')]),
        before
      )
      assert.ok(!readdirSync(path()).some(name => name.startsWith('look')))
    })

    const entry = async (store: Store, change: (text: string) => string, key: string): Promise<readonly Op[]> => [
      { type: 'put', key, json: change(JSON.stringify(await store.get(key))) }
    ]
    const cases: { it: string; change: (store: Store) => readonly Op[] | Promise<readonly Op[]>; says: RegExp }[] = [
      { it: 'a missing record', change: () => [{ type: 'del', key: recordKey('g1', 7) }], says: /record 7 of goal g1 is missing/ },
      {
        it: 'a record that was changed, in a goal that is over',
        change: store => entry(store, text => text.replace('"at":5', '"at":6'), recordKey('g2', 2)),
        says: /record 2 of goal g2 was changed/
      },
      {
        it: 'a summary that its records do not give',
        change: store => entry(store, text => text.replace('"status":"completed"', '"status":"cancelled"'), runKey('g2')),
        says: /the summary of goal g2 is not what its records say/
      },
      {
        it: 'a snapshot that its records do not give',
        change: store => entry(store, text => text.replace('"updatedAt":5', '"updatedAt":4'), snapshotKey('g1')),
        says: /the snapshot of goal g1 is not what its records say/
      },
      {
        it: 'records without a summary',
        change: () => [{ type: 'put', key: recordKey('lost', 1), value: {} }],
        says: /goal lost has records and no summary/
      },
      {
        it: 'a summary that cannot be read',
        change: () => [{ type: 'put', key: runKey('g2'), json: '{' }],
        says: /summary of goal g2 is not readable/
      }
    ]
    for (const { it: name, change, says } of cases) {
      it(`finds ${name}`, async () => {
        await filled(change)
        const { problems } = await checkAtRest(path())
        assert.match(problems.map(problem => problem.reason).join('\n'), says)
        assert.equal(problems.length, 1)
      })
    }

    it('says what the heads file promises and the store lacks', async () => {
      const gone = [runKey('g2'), ...[1, 2, 3].map(seq => recordKey('g2', seq))]
      await filled(() => gone.map(key => ({ type: 'del', key })))
      const { problems } = await checkAtRest(path())
      assert.match(problems[0]!.reason, /missing: 1 of 2 keys r!/)
    })

    it('says what keeps a store from opening, and does not mend it', async () => {
      await filled()
      truncateSync(join(path(), 'db', readdirSync(join(path(), 'db')).find(name => name === 'CURRENT')!))
      const { problems } = await checkAtRest(path())
      assert.match(problems[0]!.reason, /cannot be opened/)
      assert.equal(statSync(join(path(), 'db', 'CURRENT')).size, 0)
    })

    it('is not misled by goals that grow meanwhile', async () => {
      store = await openStore(path(), { log: quiet })
      const journal = await journalAt(hasty(store), () => 5)
      await fill(journal, 'g1', 500, { open: true })
      const checking = checkStore(store)
      const growing = (async () => {
        for (let at = 0; at < 200; at++) await journal.append('g1', { type: 'started', stretch: at, cause: 'restart' })
      })()
      assert.deepEqual((await checking).problems, [])
      await growing
      await journal.close()
    })
  })

  describe('export', () => {
    it('and import give the same store, byte for byte', async () => {
      await filled()
      const { keys } = await exportAtRest(path(), file())
      assert.deepEqual(await importAtRest(path('other'), file()), { keys, runs: 2 })
      assert.deepEqual(await contents(path('other')), await contents(path()))
      assert.deepEqual((await checkAtRest(path('other'))).problems, [])
    })

    it('is for its owner only, and one JSON object a line', async () => {
      await filled()
      await exportAtRest(path(), file())
      assert.equal(statSync(file()).mode & 0o777, 0o600)
      for (const line of readFileSync(file(), 'utf8').split('\n').slice(0, -1)) assert.ok(JSON.parse(line))
    })

    it('of a home whose daemon was never started is refused', async () => {
      await assert.rejects(exportAtRest(path('nowhere'), file()), { code: 'CB_HOME_MISSING' })
    })
  })

  describe('import', () => {
    const lines = (): string[] => readFileSync(file(), 'utf8').split('\n')
    const rewrite = (change: (lines: string[]) => string[]): void => writeFileSync(file(), change(lines()).join('\n'))
    const cases: { it: string; change: (lines: string[]) => string[]; says: RegExp }[] = [
      {
        it: 'a changed value',
        change: all => all.map(line => line.replace('"at":5', '"at":6')),
        says: /:\d+: this line, or one before it, was changed/
      },
      { it: 'a missing line', change: all => all.filter((_, at) => at !== 4), says: /:5: this line, or one before it, was changed/ },
      { it: 'a missing end', change: all => [...all.slice(0, -2), ''], says: /ends here, before its last line/ },
      { it: 'half a line', change: all => [...all.slice(0, 9), all[9]!.slice(0, 20)], says: /:10: this is no line of an export/ },
      { it: 'something else', change: () => ['{"type":"version"}', ''], says: /:1: this is no export of a store/ }
    ]
    for (const { it: name, change, says } of cases) {
      it(`refuses ${name} and leaves nothing behind`, async () => {
        await filled()
        await exportAtRest(path(), file())
        rewrite(change)
        await assert.rejects(importAtRest(path('other'), file()), { code: 'CB_STORE_DAMAGED', message: says })
        assert.ok(!existsSync(join(path('other'), 'db')))
      })
    }

    it('refuses an export whose runs do not hold together', async () => {
      await filled(() => [{ type: 'del', key: recordKey('g1', 7) }])
      await exportAtRest(path(), file())
      await assert.rejects(importAtRest(path('other'), file()), { code: 'CB_STORE_DAMAGED', message: /record 7 of goal g1 is missing/ })
    })

    it('refuses an export of a newer store', async () => {
      writeFileSync(file(), '{"type":"store","version":999}\n')
      await assert.rejects(importAtRest(path(), file()), { code: 'CB_STORE_NEWER' })
    })

    it('refuses a store that holds anything, and takes one that was only opened', async () => {
      await filled()
      await exportAtRest(path(), file())
      await assert.rejects(importAtRest(path(), file()), { code: 'CB_STORE_NOT_EMPTY' })
      await (await openStore(path('other'), { log: quiet })).close()
      assert.equal((await importAtRest(path('other'), file())).runs, 2)
    })

    it('begins anew after one that was killed', async () => {
      await filled()
      await exportAtRest(path(), file())
      mkdirSync(path('other/import'), { recursive: true })
      const killed = await openStore(path('other/import'), { log: quiet })
      await killed.batch([{ type: 'put', key: 'left over', value: 1 }], { sync: true })
      await killed.close()
      await importAtRest(path('other'), file())
      assert.deepEqual(await contents(path('other')), await contents(path()))
    })
  })
})
