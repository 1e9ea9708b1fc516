import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordKey } from '../../../src/node/store/records.ts'
import type { Heads } from '../../../src/node/store/heads.ts'
import { openJournal } from '../../../src/node/store/journal.ts'
import { openStore, type Store, type StoreState } from '../../../src/node/store/store.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'
import { proposed, started } from '../../compliance/journal.ts'
import { fill } from './filled.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('a chain of records', () => {
  const directory = temporaryDirectory()

  /** A store that writes, says that it has not, and reads. */
  function lying(): { store: Store; lie: { next: boolean; written: boolean }; enter(state: StoreState): void } {
    const memory = memoryStore()
    const lie = { next: false, written: true }
    const listeners = new Set<(state: StoreState) => void>()
    return {
      lie,
      enter: state => {
        for (const listener of listeners) listener(state)
      },
      store: {
        ...memory,
        onState: listener => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
        batch: async (ops, how) => {
          const lies = lie.next
          if (!lies || lie.written) await memory.batch(ops, how)
          if (lies) throw new Error('the disk is full')
        }
      }
    }
  }

  for (const written of [true, false])
    it(`goes on from what is on disk after a write that failed and was ${written ? 'made' : 'not made'}`, async () => {
      const { store, lie } = lying()
      const journal = await openJournal(store, { now: () => 1 })
      await journal.append('a', proposed)
      Object.assign(lie, { next: true, written })
      await assert.rejects(journal.append('a', started(1)), /full/)
      lie.next = false
      const { seq } = await journal.append('a', started(2))
      assert.equal(seq, written ? 3 : 2)
      assert.deepEqual(
        (await journal.read('a')).map(event => event.seq),
        written ? [1, 2, 3] : [1, 2]
      )
      assert.equal(await journal.verify('a'), undefined)
    })

  it('is read again when the store has changed its mind', async () => {
    const { store, enter } = lying()
    const journal = await openJournal(store, { now: () => 1 })
    await journal.append('a', proposed)
    // As a second hand would: what was thought to be the end is not.
    const other = await openJournal(store, { now: () => 1 })
    await other.append('a', started(1))
    enter('degraded')
    enter('ready')
    assert.equal((await journal.append('a', started(2))).seq, 3)
    assert.equal(await journal.verify('a'), undefined)
  })

  it('is in the heads file soon after a goal has come to rest, with what is on disk of each open one', async () => {
    const store = await openStore(join(directory(), 'store'), { log: quiet })
    const saved = Promise.withResolvers<Heads>()
    const heads: Heads[] = []
    const journal = await openJournal(
      {
        ...store,
        saveHeads: async given => {
          heads.push(given)
          await store.saveHeads(given)
          saved.resolve(given)
        }
      },
      { now: () => 1 }
    )
    await fill(journal, 'open', 3, { open: true })
    assert.equal(heads.length, 0)
    await fill(journal, 'done', 3)
    const { keys, counts } = await saved.promise
    assert.deepEqual([keys, counts], [[recordKey('open', 3)], { 'r!': 2 }])
    assert.deepEqual(JSON.parse(readFileSync(join(directory(), 'store', 'heads.json'), 'utf8')), { keys, counts })
    await journal.close()
    await store.close()
  })
})
