import assert from 'node:assert/strict'
import { openInnerNode } from '../../../bench/inner-node.ts'
import { CloudburstError } from '../../../src/errors.ts'
import type { EffectCheck } from '../../../src/node/permissions/effect.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const program = `<cloudburst name="four"><goalProto name="four"><method name="m"><shell><send name="make">make</send></shell>
  <undo><shell><send name="remove">remove</send></shell></undo></method></goalProto></cloudburst>`

describe('a goal that is to be undone', () => {
  const directory = temporaryDirectory()
  const by = { peer: 'p', node: 'here' }
  const destroy = { goal: 'four', assignments: [], destroy: true, by } as const

  it('is undone by who may repair goals, and by nobody else', async () => {
    let mayRepair = false
    const asked: string[] = []
    const permits = {
      require: (_by: unknown, capability: string) => {
        asked.push(capability)
        if (capability === 'goal:repair' && !mayRepair) throw new CloudburstError('CB_DENIED', 'not permitted')
      },
      whyNot: () => undefined,
      isCounted: () => false
    } as unknown as EffectCheck
    const node = await openInnerNode(directory(), { program, permits })
    try {
      await node.accept()
      await node.idle()
      await assert.rejects(node.runs.accept(destroy), { code: 'CB_DENIED' })
      assert.equal(node.journal.runs().length, 1)
      mayRepair = true
      await node.runs.accept(destroy)
      await node.idle()
      assert.equal(node.journal.runs().length, 2)
      assert.ok(asked.includes('goal:dispatch'))
    } finally {
      await node.close()
    }
  })

  it('is undone once: the run that undid it says so, and what was done since is undone by the next', async () => {
    const node = await openInnerNode(directory(), { program })
    const undoing = async (): Promise<readonly string[] | undefined> => {
      const { id } = await node.runs.accept(destroy)
      await node.idle()
      return (await node.journal.summary(id))?.undoes
    }
    try {
      await node.accept()
      await node.idle()
      const first = node.journal.runs()[0]!.id
      assert.deepEqual(await undoing(), [first])
      assert.deepEqual(await undoing(), [])
      await node.accept()
      await node.idle()
      const latest = node.journal.runs().find(({ id }) => id !== first && node.journal.find(id)?.status === 'completed')
      assert.ok(latest !== undefined)
      assert.equal((await undoing())?.length, 1)
    } finally {
      await node.close()
    }
  })
})
