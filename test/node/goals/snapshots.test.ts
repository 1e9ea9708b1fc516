import assert from 'node:assert/strict'
import { openInnerNode } from '../../../bench/inner-node.ts'
import { begun, beginningAt } from '../../../src/node/goals/snapshots.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const program = `<cloudburst name="four"><goalProto name="four"><method name="m">
  <shell><send name="make">make</send></shell><snapshot name="made"/></method></goalProto></cloudburst>`

describe('a goal that begins at a snapshot', () => {
  const directory = temporaryDirectory()

  it('takes over what a crash has left out, once', async () => {
    const node = await openInnerNode(directory(), { program })
    try {
      await node.accept()
      await node.idle()
      const { journal } = node
      const { id: run } = journal.runs()[0]!
      const from = await beginningAt(journal, 'four', { id: run })
      const all = await journal.read(run)
      const first = all[0]!.body
      assert.ok(first.type === 'proposed')
      const goalId = '01JD0000000000000000000000'
      await journal.accept({ caller: 'me', request: goalId, goalId, acceptBefore: Date.now(), body: { ...first, from } })
      // the crash: only some of it was on disk
      await journal.takeOver(
        goalId,
        all.slice(1, 3).map(({ body }) => body)
      )
      const events = await begun(journal, goalId, await journal.read(goalId))
      assert.deepEqual(
        events.map(({ body }) => body.type),
        [...all.slice(0, from.seq).map(({ body }) => body.type), 'repaired']
      )
      assert.deepEqual(await begun(journal, goalId, events), events)
      assert.equal(await journal.verify(goalId), undefined)
    } finally {
      await node.close()
    }
  })
})
