import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { type NodeJournal, openJournal } from '../../../src/node/store/journal.ts'
import { recordKey, snapshotKey } from '../../../src/node/store/records.ts'
import { openStore, type Op, type Store } from '../../../src/node/store/store.ts'
import { aJournal, proposed, started } from '../../compliance/journal.ts'
import { fakeJournal } from '../../fakes/journal.ts'
import { fill, hasty } from './filled.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('the fake journal', () => {
  aJournal(async () => fakeJournal())
})

describe('the journal', () => {
  const directory = temporaryDirectory()
  let store: Store | undefined
  const agentWrites = (goalId: string): { ops: Op[]; written(): void } => ({
    ops: [{ type: 'put', key: `a!${goalId}`, value: 'written' }],
    written: () => undefined
  })
  const open = async (): Promise<NodeJournal> => {
    store = await openStore(join(directory(), 'store'), { log: quiet })
    let time = 1_000
    return openJournal(store, { now: () => time++, agentWrites })
  }
  const reopen = async (journal: NodeJournal): Promise<NodeJournal> => {
    await journal.close()
    await store?.close()
    return open()
  }
  afterEach(async () => {
    await store?.close()
    store = undefined
  })

  aJournal(open)

  it('goes on with its numbers after a restart', async () => {
    const journal = await open()
    await journal.append('g1', proposed)
    const after = await reopen(journal)
    assert.equal((await after.append('g1', started(1))).seq, 2)
    assert.equal(await after.verify('g1'), undefined)
  })

  it('keeps the summary beside the record', async () => {
    const journal = await open()
    await journal.append('g1', proposed)
    await journal.append('g1', started(1))
    const after = await reopen(journal)
    assert.equal((await after.summary('g1'))?.status, 'pursuing')
    assert.deepEqual(
      after.runs().map(({ id, status, seq }) => ({ id, status, seq })),
      [{ id: 'g1', status: 'pursuing', seq: 2 }]
    )
  })

  it('tells nobody else of what a failed write has left, before it is known to be on disk', async () => {
    const first = await open()
    await first.append('g1', proposed)
    await first.append('g1', started(1))
    const journal = await reopen(first)
    const left = { seq: 3, prev: '', at: 1, body: started(2) }
    await store!.batch([{ type: 'put', key: recordKey('g1', 3), value: left }], { sync: true })
    assert.deepEqual(
      (await journal.readDurable('g1')).map(({ seq }) => seq),
      [1, 2]
    )
  })

  it('lists runs newest first', async () => {
    const journal = await open()
    for (const id of ['b', 'c', 'a']) await journal.append(id, proposed)
    const ids: string[] = []
    for await (const { id } of journal.summaries()) ids.push(id)
    assert.deepEqual(ids, ['a', 'c', 'b'])
  })

  it('reads from any number on', async () => {
    const journal = await open()
    await Promise.all([proposed, started(1), started(2)].map(body => journal.append('g1', body)))
    assert.deepEqual(
      (await journal.read('g1', 3)).map(event => event.seq),
      [3]
    )
  })

  it('reads from any number on also what is no longer in memory', async () => {
    const journal = await open()
    await Promise.all([proposed, ...Array.from({ length: 199 }, (_, at) => started(at))].map(body => journal.append('g1', body)))
    const readAll = async (each: NodeJournal): Promise<void> => {
      for (const from of [1, 2, 100, 199, 200, 201]) {
        const seqs = (await each.read('g1', from)).map(event => event.seq)
        assert.deepEqual([seqs.length, seqs[0], seqs.at(-1)], from > 200 ? [0, undefined, undefined] : [201 - from, from, 200])
      }
    }
    await readAll(journal)
    await readAll(await reopen(journal))
  })

  it('tells readers only what is on disk, in order', async () => {
    const journal = await open()
    const told: string[] = []
    const durable = new Set<string>()
    journal.subscribe('*', ({ goalId, seq }) => told.push(`${goalId} ${seq}`))
    const one: number[] = []
    const end = journal.subscribe('g2', ({ seq }) => one.push(seq))
    const bodies = [proposed, started(1), started(2)]
    const appended = bodies.flatMap(body => ['g1', 'g2'].map(id => journal.append(id, body)))
    assert.deepEqual(told, [], 'nothing is told before it is durable')
    for (const event of await Promise.all(appended)) durable.add(`${event.goalId} ${event.seq}`)
    assert.deepEqual(told, ['g1 1', 'g2 1', 'g1 2', 'g2 2', 'g1 3', 'g2 3'])
    end()
    await journal.append('g2', started(3))
    assert.deepEqual(one, [1, 2, 3])
  })

  it('writes to the agent in the batch of the step that did', async () => {
    const journal = await open()
    await journal.append('g1', proposed)
    const write = { path: 'agent.count', value: { value: 1 } }
    await journal.append('g1', { type: 'step-ended', step: 's', attempt: 1, status: 'completed', durationMs: 1, writes: [write] })
    assert.equal(await store!.get('a!g1'), 'written')
  })

  it('writes to the agent in the batch of the repair that says so', async () => {
    const journal = await open()
    await journal.append('g1', proposed)
    const assignments = [{ path: 'goal.port', value: { value: 80 } }]
    const repaired = { type: 'repaired', by: { peer: 'p', node: 'here' }, verb: 'retry' } as const
    await journal.append('g1', { ...repaired, assignments })
    assert.equal(await store!.get('a!g1'), undefined)
    await journal.append('g1', { ...repaired, assignments: [...assignments, { path: 'agent.count', value: { value: 1 } }] })
    assert.equal(await store!.get('a!g1'), 'written')
  })

  it('refuses events of a goal that was never proposed', async () => {
    await assert.rejects((await open()).append('g1', started(1)), { code: 'CB_RUN_UNKNOWN' })
  })

  describe('of events from elsewhere', () => {
    const events = (from: number, to: number): GoalEvent[] =>
      Array.from({ length: to - from + 1 }, (_, at) => ({
        goalId: 'far',
        seq: from + at,
        at: 5,
        body: from + at === 1 ? proposed : started(from + at)
      }))

    it('keeps each once, whatever is sent again', async () => {
      const journal = await open()
      await journal.mirror('far', events(1, 3))
      await journal.mirror('far', events(2, 5), [{ type: 'put', key: 'extra', value: 5 }], { sync: true })
      assert.deepEqual(
        (await journal.read('far')).map(({ seq }) => seq),
        [1, 2, 3, 4, 5]
      )
      assert.equal(await store!.get('extra'), 5)
      assert.equal((await reopen(journal)).runs()[0]?.mirrored, true)
    })

    it('lets go of what is over, also when its end is told again', async () => {
      const journal = await open()
      const end: GoalEvent = { goalId: 'far', seq: 4, at: 5, body: { type: 'completed', outcome: 'completed', results: {} } }
      await journal.mirror('far', [...events(1, 3), end])
      const again = await reopen(journal)
      await again.mirror('far', [end])
      // Only what nobody holds may be removed.
      assert.equal(await again.compact(['far'], 1), 1)
    })

    it('refuses a gap and says what is due', async () => {
      const journal = await open()
      await journal.mirror('far', events(1, 2))
      await assert.rejects(journal.mirror('far', events(4, 5)), { code: 'CB_FRAME_INVALID', details: { id: 'far', expected: 3 } })
      assert.equal((await journal.read('far')).length, 2)
    })
  })

  describe('that was damaged', () => {
    const key = (seq: number): string => `g!g1!j!${String(seq).padStart(10, '0')}`
    const written = async (change: (store: Store) => Promise<void>): Promise<NodeJournal> => {
      const journal = await open()
      for (const body of [proposed, started(1), started(2)]) await journal.append('g1', body)
      await journal.append('g2', proposed)
      await change(store!)
      return reopen(journal)
    }
    const flip = async (store: Store, seq: number): Promise<void> => {
      const record = JSON.stringify(await store.get(key(seq)))
      await store.batch([{ type: 'put', key: key(seq), json: record.replace('"at":1', '"at":3') }], { sync: true })
    }
    const cases: { it: string; change: (store: Store) => Promise<void>; seq: number }[] = [
      { it: 'a changed record', change: store => flip(store, 2), seq: 2 },
      { it: 'a changed last record', change: store => flip(store, 3), seq: 3 },
      { it: 'a missing record', change: store => store.batch([{ type: 'del', key: key(2) }], { sync: true }), seq: 2 },
      { it: 'a missing last record', change: store => store.batch([{ type: 'del', key: key(3) }], { sync: true }), seq: 3 },
      { it: 'an unreadable record', change: store => store.batch([{ type: 'put', key: key(1), json: '{"seq":' }], { sync: true }), seq: 1 }
    ]
    for (const { it: name, change, seq } of cases) {
      it(`finds ${name} at opening, suspends that run and no other`, async () => {
        const journal = await written(change)
        assert.equal(journal.damaged.get('g1')?.seq, seq)
        assert.deepEqual([...journal.damaged.keys()], ['g1'])
        assert.equal((await journal.summary('g1'))?.suspended?.code, 'journal-damaged')
        await assert.rejects(journal.append('g1', started(3)), { code: 'CB_STORE_DAMAGED' })
        assert.equal((await journal.append('g2', started(1))).seq, 2)
      })
    }
  })

  it('has a summary of what is on disk, never of what is only on its way there', async () => {
    const journal = await open()
    const first = journal.append('g1', proposed)
    assert.equal(await journal.summary('g1'), undefined)
    await first
    const second = journal.append('g1', started(1))
    assert.equal((await journal.summary('g1'))?.seq, 1)
    await second
    assert.equal((await journal.summary('g1'))?.seq, 2)
  })

  describe('of a long run', () => {
    const long = async (...change: readonly Op[]): Promise<NodeJournal> => {
      store = await openStore(join(directory(), 'store'), { log: quiet })
      const first = await openJournal(hasty(store), { now: () => 5 })
      await fill(first, 'g1', 2_010, { open: true })
      await store.batch(change, { sync: true })
      return reopen(first)
    }
    const broken: Op = { type: 'put', key: recordKey('g1', 2_005), json: '{"seq":2005,' }

    it('is checked at opening from its last snapshot on', async () => {
      assert.equal((await long(broken)).damaged.get('g1')?.seq, 2_005)
    })

    it('costs an opening nothing for what lies before the snapshot', async () => {
      const journal = await long({ type: 'del', key: recordKey('g1', 7) })
      assert.equal(journal.damaged.size, 0)
      assert.equal((await journal.verify('g1'))?.seq, 7, 'whoever asks for all of it is told')
    })

    for (const value of [{ seq: 2_000, hash: '00', summary: {} }, { seq: 9_999, hash: '', summary: {} }, 'nonsense']) {
      const wrong: Op = { type: 'put', key: snapshotKey('g1'), value }
      it(`holds by its records alone when its snapshot is ${JSON.stringify(value)}`, async () => {
        assert.equal((await long(wrong)).damaged.size, 0)
      })
      it(`is found damaged when its snapshot is ${JSON.stringify(value)} and a record is broken too`, async () => {
        assert.equal((await long(wrong, broken)).damaged.get('g1')?.seq, 2_005)
      })
    }
  })

  it('loses nothing that it acknowledged to a writer that was killed, 25 times', async function () {
    this.timeout(60_000)
    const path = join(directory(), 'store')
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < 25; round++) {
      for (const [goalId, seq] of await killedWriter(path, 5 + round * 4)) acknowledged.set(goalId, seq)
    }
    const journal = await open()
    assert.equal(acknowledged.size, 4)
    for (const [goalId, seq] of acknowledged) {
      assert.equal(await journal.verify(goalId), undefined)
      assert.ok((await journal.read(goalId)).length >= seq, `${goalId} has lost something`)
    }
  })
})

/** Starts the writer and kills it when it has printed some lines. @returns the last acknowledged number of each goal */
function killedWriter(path: string, afterLines: number): Promise<Map<string, number>> {
  const script = fileURLToPath(new URL('./writer.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > afterLines) child.kill('SIGKILL')
  })
  return new Promise(resolve =>
    child.once('close', () => {
      const lines = text.split('\n').slice(0, -1)
      resolve(new Map(lines.map(line => line.split(' ')).map(([goalId, seq]) => [goalId!, Number(seq)])))
    })
  )
}
