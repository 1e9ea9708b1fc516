import assert from 'node:assert/strict'
import { join } from 'node:path'
import { sealAsk } from '../../../src/crypto/ask.ts'
import { generateIdentity, type Identity } from '../../../src/crypto/identity.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { type Acceptance, type NodeJournal, openJournal } from '../../../src/node/store/journal.ts'
import { openStore, type Store } from '../../../src/node/store/store.ts'
import { proposed, started } from '../../compliance/journal.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('the journal', () => {
  const directory = temporaryDirectory()
  let store: Store | undefined
  const open = async (): Promise<NodeJournal> => {
    store = await openStore(join(directory(), 'store'), { log: quiet })
    let time = 1_000
    return openJournal(store, { now: () => time++ })
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

  describe('of requests', () => {
    const request = (goalId: string): Acceptance => ({
      caller: 'p',
      request: 'r',
      goalId,
      body: proposed as Acceptance['body'],
      acceptBefore: 9
    })

    it('accepts the same one once, even at the same time and after a restart', async () => {
      const journal = await open()
      const both = await Promise.all([journal.accept(request('g1')), journal.accept(request('g2'))])
      assert.deepEqual(both, [
        { goalId: 'g1', repeated: false },
        { goalId: 'g1', repeated: true }
      ])
      const after = await reopen(journal)
      assert.deepEqual(await after.accept(request('g3')), { goalId: 'g1', repeated: true })
      assert.deepEqual(
        after.runs().map(run => run.id),
        ['g1']
      )
    })

    it('lets its run go on while it is on its way to disk, and both share a sync', async () => {
      const journal = await open()
      const before = store!.counts.syncs
      const told: number[] = []
      journal.subscribe('g1', event => told.push(event.seq))
      const next = Promise.withResolvers<GoalEvent>()
      const accepted = journal.accept({ ...request('g1'), onPlaced: () => next.resolve(journal.append('g1', started(1))) })
      assert.deepEqual(await accepted, { goalId: 'g1', repeated: false })
      assert.equal((await next.promise).seq, 2)
      assert.deepEqual(told, [1, 2])
      assert.equal(store!.counts.syncs, before + 1)
      await journal.accept({ ...request('g1'), onPlaced: () => assert.fail('placed again') })
    })

    it('refuses an id that another run has', async () => {
      const journal = await open()
      await journal.append('g1', proposed)
      await assert.rejects(journal.accept(request('g1')), { code: 'CB_VALUE_INVALID' })
    })

    describe('for a sub-goal that another node has asked for too', () => {
      const asked = (caller: string, chain: readonly string[], goal = 'install') => ({
        caller,
        request: 'g1',
        goalId: 'g1',
        body: { ...proposed, goal, chain } as Extract<GoalEvent['body'], { type: 'proposed' }>,
        acceptBefore: 9
      })

      it('is the same run, known to both, also at the same time and after a restart', async () => {
        const journal = await open()
        const both = await Promise.all([journal.accept(asked('p1', ['root:site'])), journal.accept(asked('p2', ['root:site', 's1:user']))])
        // Whose the run is, is a matter of who comes first on the way.
        assert.deepEqual(both.map(({ goalId, repeated }) => `${goalId} ${repeated}`).sort(), ['g1 false', 'g1 true'])
        const after = await reopen(journal)
        assert.equal((await after.read('g1')).length, 1)
        assert.deepEqual(await Promise.all(['p1', 'p2', 'p3'].map(peer => after.hasAccepted(peer, 'g1'))), [true, true, false])
      })

      it('is kept by those who have asked for it, until each of them has left', async () => {
        const journal = await open()
        for (const peer of ['p1', 'p2']) await journal.accept(asked(peer, ['root:site']))
        await journal.accept({ ...asked('p3', ['root:site']), request: 'g2', goalId: 'g2' })
        assert.deepEqual(await journal.askers('g1'), ['p1', 'p2'])
        await journal.leave('g1', 'p1')
        const after = await reopen(journal)
        assert.deepEqual(await after.askers('g1'), ['p2'])
        assert.equal(await after.hasAccepted('p1', 'g1'), true, 'it may still ask what became of it')
        await after.leave('g1', 'p2')
        assert.deepEqual(await after.askers('g1'), [])
      })

      it('is refused when it is for something else, or of another root', async () => {
        const journal = await open()
        await journal.accept(asked('p1', ['root:site']))
        await assert.rejects(journal.accept(asked('p2', ['other:site'])), { code: 'CB_VALUE_INVALID' })
        await assert.rejects(journal.accept(asked('p2', ['root:site'], 'remove')), { code: 'CB_VALUE_INVALID' })
        assert.equal(await journal.hasAccepted('p2', 'g1'), false)
      })

      it('is refused when nothing that is signed leads to both: anybody may name a root', async () => {
        const journal = await open()
        const [root, part, other, here] = Array.from({ length: 4 }, generateIdentity) as [Identity, Identity, Identity, Identity]
        const ask = (by: Identity, to: string) => sealAsk(by, { to, call: 'dispatch', at: 1 })
        const carried = (asks: readonly Uint8Array[], peer: string) => ({
          peer,
          node: peer,
          behalf: asks.map(each => Buffer.from(each).toString('base64'))
        })
        const signed = (by: ReturnType<typeof carried>) => {
          const request = asked(by.peer, ['root:site'])
          return { ...request, body: { ...request.body, by } }
        }
        await journal.accept(signed(carried([ask(root, here.peer)], root.peer)))
        const stranger = signed(carried([ask(other, here.peer)], other.peer))
        await assert.rejects(journal.accept(stranger), { code: 'CB_VALUE_INVALID', details: { id: 'g1', taken: true } })
        const partOfIt = signed(carried([ask(root, part.peer), ask(part, here.peer)], part.peer))
        assert.deepEqual(await journal.accept(partOfIt), { goalId: 'g1', repeated: true })
      })

      it('is refused when that run waits for the one that asks', async () => {
        const journal = await open()
        await journal.accept(asked('p1', ['root:site']))
        const place = { file: 'f.xml', line: 1, col: 1 }
        const step = {
          type: 'step-began',
          step: 's',
          instance: 'i',
          attempt: 1,
          kind: 'remote',
          key: 'k',
          show: '',
          place,
          reads: {}
        } as const
        await journal.append('g1', { ...step, run: 's2' })
        await assert.rejects(journal.accept(asked('p2', ['root:site', 's2:user'])), { code: 'CB_USAGE', message: /wait for each other/ })
      })
    })
  })
})
