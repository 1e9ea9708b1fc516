import assert from 'node:assert/strict'
import type { GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { isNeededHere, type Leaving, openLeaving } from '../../../src/node/goals/leaving.ts'
import { type NodeJournal, openJournal } from '../../../src/node/store/journal.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'
import { proposed } from '../../compliance/journal.ts'

const by = { peer: 'p1', node: 'n1' }
const place = { file: 'a.xml', line: 1, col: 1 }
const completed: GoalEventBody = { type: 'completed', outcome: 'completed', results: {} }
const cancelled: GoalEventBody = { type: 'cancelled', by }
const undoing: GoalEventBody = { type: 'undoing', by }
/** A step that asks for run `base` of another node, and its end. */
const asks: GoalEventBody = {
  type: 'step-began',
  step: 'g/m>base',
  instance: 'g',
  attempt: 1,
  kind: 'remote',
  key: '',
  show: '',
  place,
  reads: {},
  run: 'base',
  peer: 'n3'
}
const hears: GoalEventBody = { type: 'step-ended', step: 'g/m>base', attempt: 1, status: 'completed', durationMs: 1, writes: [] }

describe('a goal that several have asked for', () => {
  let journal: NodeJournal
  let ended: string[]
  let leaving: Leaving
  beforeEach(async () => {
    journal = await openJournal(memoryStore(), { now: () => 0 })
    ended = []
    leaving = openLeaving(journal, id => Promise.resolve(void ended.push(id)))
  })
  const asked = async (...callers: readonly string[]): Promise<void> => {
    const body = { ...proposed, chain: ['root:site'] } as Extract<GoalEventBody, { type: 'proposed' }>
    for (const caller of callers) await journal.accept({ caller, request: 'g1', goalId: 'g1', body, acceptBefore: 0 })
  }

  it('ends when the last of them has no need of it any more', async () => {
    await asked('p1', 'p2')
    assert.deepEqual(await leaving.leave('g1', 'p1', by, {}), { kept: true })
    assert.deepEqual(ended, [])
    assert.deepEqual(await leaving.leave('g1', 'p2', by, {}), { kept: false })
    assert.deepEqual(ended, ['g1'])
  })

  it('is taken back when the last of them wants that, once', async () => {
    await asked('p1', 'p2')
    await assert.rejects(leaving.toUndo('nothing', 'p1'), { code: 'CB_RUN_UNKNOWN' })
    await assert.rejects(leaving.toUndo('g1', 'p1'), { code: 'CB_BUSY', message: /is proposed: cancel it/ })
    await journal.append('g1', completed)
    assert.deepEqual(await leaving.toUndo('g1', 'p1'), [])
    assert.deepEqual(await leaving.toUndo('g1', 'p2'), ['g1'])
    await journal.append('u1', { ...proposed, undoes: ['g1'] } as GoalEventBody)
    assert.deepEqual(await leaving.toUndo('g1', 'p2'), [], 'it is being taken back')
    await journal.append('u1', cancelled)
    assert.deepEqual(await leaving.toUndo('g1', 'p2'), ['g1'], 'that was given up')
  })

  it('has nothing to be taken back when it was given up itself', async () => {
    await asked('p1')
    await journal.append('g1', cancelled)
    assert.deepEqual(await leaving.toUndo('g1', 'p1'), [])
  })
})

describe('what a goal of this node has asked of another', () => {
  const cases: ReadonlyArray<{ it: string; other: readonly GoalEventBody[]; chain?: readonly string[]; open: boolean; done: boolean }> = [
    { it: 'is needed by another that waits for it', other: [asks], open: true, done: true },
    { it: 'is needed, once done, by another that has gone on with it', other: [asks, hears], open: false, done: true },
    { it: 'is needed, once done, by another that is over', other: [asks, hears, completed], open: false, done: true },
    { it: 'is not needed by one that never asked for it', other: [], open: false, done: false },
    { it: 'is not needed by one that was given up', other: [asks, hears, cancelled], open: false, done: false },
    { it: 'is not needed by one that is given up', other: [asks, undoing], open: false, done: false },
    { it: 'is not needed by goals of another root', other: [asks], chain: ['elsewhere:site'], open: false, done: false }
  ]
  for (const { it: name, other, chain = ['root:site'], open, done } of cases) {
    it(name, async () => {
      const journal = await openJournal(memoryStore(), { now: () => 0 })
      for (const body of [{ ...proposed, chain } as GoalEventBody, ...other]) await journal.append('other', body)
      for (const body of [{ ...proposed, chain: ['root:site'] } as GoalEventBody, asks]) await journal.append('asker', body)
      const needed = (isDone: boolean) => isNeededHere(journal, 'base', { chain: ['root:site', 'asker:part'], done: isDone })
      assert.deepEqual([await needed(false), await needed(true)], [open, done])
    })
  }

  it('is not needed by one whose work is taken back', async () => {
    const journal = await openJournal(memoryStore(), { now: () => 0 })
    for (const body of [{ ...proposed, chain: ['root:site'] } as GoalEventBody, asks, hears, completed]) await journal.append('other', body)
    const needed = () => isNeededHere(journal, 'base', { chain: ['root:site', 'asker:part'], done: true })
    assert.equal(await needed(), true)
    await journal.append('undo', { ...proposed, undoes: ['other'] } as GoalEventBody)
    assert.equal(await needed(), false)
  })
})
