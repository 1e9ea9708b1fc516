import assert from 'node:assert/strict'
import { openInnerNode } from '../../../bench/inner-node.ts'
import { OPEN_GOALS_MAX } from '../../../src/node/goals/runs.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('the goals of a node', () => {
  const directory = temporaryDirectory()

  it('are so many at most that are open, and the next one is told so', async () => {
    const node = await openInnerNode(directory())
    try {
      await node.accept()
      await node.idle()
      // As if so many were: only the count is looked at.
      let open = OPEN_GOALS_MAX
      Object.defineProperty(node.journal, 'open', { get: () => open })
      await assert.rejects(node.accept(), { code: 'CB_BUSY', message: /^10000 goals are open here already: repair or cancel what waits/ })
      assert.equal(node.journal.runs().length, 1)
      open--
      await node.accept()
      await node.idle()
      assert.equal(node.journal.runs().length, 2)
    } finally {
      await node.close()
    }
  })
})
