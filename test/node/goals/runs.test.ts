import assert from 'node:assert/strict'
import { type InnerNode, openInnerNode } from '../../../bench/inner-node.ts'
import { CloudburstError } from '../../../src/errors.ts'
import { OPEN_GOALS_MAX } from '../../../src/node/goals/accepting.ts'
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

describe('a goal that is cancelled', () => {
  const directory = temporaryDirectory()
  const program = (undo: string): string => `<cloudburst name="four"><goalProto name="four"><method name="m">
    <shell><send name="make">make</send></shell><op name="eq"><int>1</int><int>2</int></op><undo>${undo}</undo>
    </method></goalProto></cloudburst>`
  const back = '<shell><send name="remove">remove</send></shell>'
  const by = { peer: 'p', node: 'here' }
  const suspended = async (undo: string): Promise<InnerNode & { readonly id: string }> => {
    const node = await openInnerNode(directory(), { program: program(undo) })
    await node.accept()
    await node.idle()
    return { ...node, id: node.journal.runs()[0]!.id }
  }
  const undone = async ({ journal, id }: InnerNode & { readonly id: string }): Promise<readonly string[]> =>
    (await journal.read(id)).flatMap(({ body }) => (body.type === 'step-began' && body.step.includes('/undo/') ? [body.step] : []))

  it('is undone first, and says who wanted that and why', async () => {
    const node = await suspended(back)
    try {
      await node.runs.cancel(node.id, by, 'too late')
      await node.idle()
      assert.equal((await node.journal.summary(node.id))?.status, 'cancelled')
      assert.deepEqual(await undone(node), ['four/m/undo/remove'])
      assert.deepEqual((await node.journal.read(node.id)).at(-1)?.body, { type: 'cancelled', by, why: 'too late' })
    } finally {
      await node.close()
    }
  })

  it('is left as it is when that is asked for', async () => {
    const node = await suspended(back)
    try {
      await node.runs.cancel(node.id, by, undefined, false)
      assert.equal((await node.journal.summary(node.id))?.status, 'cancelled')
      assert.deepEqual(await undone(node), [])
    } finally {
      await node.close()
    }
  })

  it('waits when its undo fails, and ends as it is when it is cancelled once more', async () => {
    const node = await suspended('<op name="eq"><int>1</int><int>2</int></op>')
    try {
      await node.runs.cancel(node.id, by)
      await node.idle()
      assert.equal((await node.journal.summary(node.id))?.status, 'suspended')
      await node.runs.cancel(node.id, by)
      assert.equal((await node.journal.summary(node.id))?.status, 'cancelled')
    } finally {
      await node.close()
    }
  })
})

describe('a goal whose acceptance cannot be written', () => {
  const directory = temporaryDirectory()

  it('is not accepted, waits for nobody, and is pursued when it is asked for again', async () => {
    const node = await openInnerNode(directory())
    try {
      const { batch } = node.store
      let isBroken = true
      const failing: typeof batch = async (...words) => {
        if (!isBroken) return await batch.apply(node.store, [...words])
        // Late enough for the walk to be under way.
        await new Promise(resolve => setTimeout(resolve, 50))
        isBroken = false
        throw new CloudburstError('CB_STORE_DEGRADED', 'the disk is broken')
      }
      Object.defineProperty(node.store, 'batch', { value: failing })
      await assert.rejects(node.accept(), { code: 'CB_STORE_DEGRADED' })
      await node.idle()
      assert.deepEqual(node.journal.runs(), [])
      await node.accept()
      await node.idle()
      assert.deepEqual(
        node.journal.runs().map(({ status }) => status),
        ['completed']
      )
    } finally {
      await node.close()
    }
  })
})
