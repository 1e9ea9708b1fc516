import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Compaction, type Keeping, startCompaction } from '../../../src/node/goals/compaction.ts'
import { closedKey, type DispatchRecord } from '../../../src/node/dispatch/dispatch-records.ts'
import type { Acceptance, NodeJournal } from '../../../src/node/store/journal.ts'
import { openStore, type Store } from '../../../src/node/store/store.ts'
import { proposed } from '../../compliance/journal.ts'
import { fill, journalAt } from '../store/filled.ts'
import { quiet } from '../store/quiet.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('compaction', () => {
  const directory = temporaryDirectory()
  const dropped: string[] = []
  let store: Store
  let journal: NodeJournal
  let compaction: Compaction | undefined
  let time = 0

  const open = async (keep?: Keeping): Promise<void> => {
    store = await openStore(join(directory(), 'store'), { log: quiet })
    journal = await journalAt(store, () => time)
    const dropOutput = async (id: string): Promise<void> => void dropped.push(id)
    compaction = startCompaction({ store, journal, dropOutput, now: () => time, log: quiet, ...(keep !== undefined && { keep }) })
  }
  const close = async (): Promise<void> => {
    await compaction?.stop()
    await journal.close()
    await store.close()
  }
  const goals = async (...ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      time += 1_000
      await fill(journal, id, 4)
    }
  }
  const keys = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const [key] of store.rawRange({ prefix: '' })) found.push(key)
    return found
  }
  const keep = (events: number, summaries: number): Keeping => ({
    events: { ageMs: 1e9, count: events },
    summaries: { ageMs: 1e9, count: summaries }
  })
  beforeEach(() => {
    time = 1_000_000
    dropped.length = 0
  })
  afterEach(close)

  it('removes events and output of all but the last goals, and keeps what became of them', async () => {
    await open(keep(2, 10))
    await goals('a', 'b', 'c')
    assert.deepEqual(await compaction?.sweep(), { compacted: 1, forgotten: 0, requests: 0 })
    assert.deepEqual(dropped, ['a'])
    assert.equal((await journal.summary('a'))?.status, 'completed')
    assert.equal((await journal.read('b')).length, 4)
    assert.deepEqual(
      (await keys()).filter(key => key.startsWith('g!a!')),
      []
    )
  })

  it('says of a goal whose events are gone that they are, also after a restart', async () => {
    await open(keep(0, 10))
    await goals('a')
    await compaction?.sweep()
    const refused = { code: 'CB_RUN_COMPACTED', details: { id: 'a' } }
    await assert.rejects(journal.read('a'), refused)
    await close()
    await open()
    await assert.rejects(journal.readDurable('a'), refused)
    assert.equal(journal.damaged.size, 0)
    assert.equal(await journal.verify('a'), undefined)
  })

  it('removes what is older, however few there are', async () => {
    await open({ events: { ageMs: 5_000, count: 100 }, summaries: { ageMs: 50_000, count: 100 } })
    await goals('old')
    time += 10_000
    await goals('young')
    assert.equal((await compaction?.sweep())?.compacted, 1)
    time += 45_000
    assert.deepEqual(await compaction?.sweep(), { compacted: 1, forgotten: 1, requests: 0 })
    assert.equal(await journal.summary('old'), undefined)
    assert.deepEqual(
      journal.runs().map(run => run.id),
      ['young']
    )
  })

  it('leaves the store such that its next opening misses nothing', async () => {
    await open(keep(0, 0))
    await goals('a', 'b', 'c')
    await compaction?.sweep()
    await close()
    await open()
    assert.equal(store.damage, undefined)
    assert.deepEqual(journal.runs(), [])
  })

  it('leaves it so also when the daemon is killed right after it', async () => {
    await open(keep(0, 0))
    await goals('a', 'b', 'c')
    // The heads file promises three goals from here on, unless it is told otherwise.
    await journal.close()
    await compaction?.sweep()
    await compaction?.stop()
    await store.close()
    await open()
    assert.deepEqual([store.damage, journal.runs()], [undefined, []])
  })

  it('never touches a goal that is not over', async () => {
    await open(keep(0, 0))
    await fill(journal, 'open', 4, { open: true })
    await compaction?.sweep()
    assert.equal((await journal.read('open')).length, 4)
  })

  it('remembers a goal that was sent away for one that is not over', async () => {
    await open(keep(0, 0))
    await fill(journal, 'parent', 2, { open: true })
    await goals('child')
    const record = { id: 'child', request: { chain: ['parent:build'], acceptBefore: 1 } } as unknown as DispatchRecord
    await store.batch([{ type: 'put', key: closedKey('child'), value: record }], { sync: true })
    assert.deepEqual(await compaction?.sweep(), { compacted: 1, forgotten: 0, requests: 0 })
    await journal.append('parent', { type: 'completed', outcome: 'completed', results: {} })
    assert.equal((await compaction?.sweep())?.forgotten, 2)
    assert.equal(await store.get(closedKey('child')), undefined)
  })

  it('forgets requests that cannot come in time any more, and no others', async () => {
    await open()
    const request = (goalId: string, acceptBefore: number): Acceptance => ({
      caller: 'p',
      request: goalId,
      goalId,
      body: proposed as Acceptance['body'],
      acceptBefore
    })
    await journal.accept(request('late', time + 1_000))
    await journal.accept(request('later', time + 3_600_000))
    time += 1_800_000
    assert.equal((await compaction?.sweep())?.requests, 1)
    assert.deepEqual(
      (await keys()).filter(key => key.startsWith('d!')),
      ['d!p!later']
    )
    assert.deepEqual(await journal.accept(request('later', 0)), { goalId: 'later', repeated: true })
    await assert.rejects(journal.accept(request('late', 0)), { code: 'CB_VALUE_INVALID' }, 'the goal itself is still known')
  })

  it('forgets as many requests as there are', async () => {
    await open()
    const ops = Array.from({ length: 1_203 }, (_, at) => ({
      type: 'put' as const,
      key: `d!p!${at}`,
      value: { goalId: 'g', acceptBefore: 0 }
    }))
    await store.batch(ops, { sync: false })
    time = 1e9
    assert.equal((await compaction?.sweep())?.requests, ops.length)
    assert.deepEqual(
      (await keys()).filter(key => key.startsWith('d!')),
      []
    )
  })

  it('removes every event of a goal that has had thousands', async () => {
    await open(keep(0, 10))
    await fill(journal, 'long', 2_500)
    assert.equal((await compaction?.sweep())?.compacted, 1)
    assert.deepEqual(
      (await keys()).filter(key => key.startsWith('g!')),
      []
    )
    assert.equal((await journal.summary('long'))?.status, 'completed')
  })
})
