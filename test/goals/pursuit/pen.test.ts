import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { CloudburstError } from '../../../src/errors.ts'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { stage } from './stage.ts'

const xml = `
  <goalProto name="site">
    <method name="shell"><shell shell="/bin/sh"><send>one</send><send>two</send><send>three</send></shell></method>
  </goalProto>
`

/** Holds every event until it is told to sync. */
function slowDisk() {
  let held: { event: GoalEvent; done: () => void }[] = []
  return {
    write: (event: GoalEvent) => new Promise<void>(done => held.push({ event, done })),
    /** @returns what this sync brings to disk */
    async sync(): Promise<string[]> {
      // Everything that does not wait for the disk happens within a turn.
      await turn()
      const group = held
      held = []
      for (const { done } of group) done()
      await turn()
      return group.map(({ event }) => event.body.type)
    }
  }
}

describe('what a goal has on disk', () => {
  it('is the outcome of one step with the intent of the next, before that has an effect', async () => {
    const disk = slowDisk()
    const goal = stage({ xml, goal: 'site', disk: disk.write })
    const ended = goal.go()
    assert.deepEqual((await disk.sync()).at(-1), 'step-began')
    assert.deepEqual(goal.ran, ['one'])
    assert.deepEqual(await disk.sync(), ['step-ended', 'step-began'])
    assert.deepEqual(goal.ran, ['one', 'two'])
    assert.deepEqual(await disk.sync(), ['step-ended', 'step-began'])
    assert.deepEqual(goal.ran, ['one', 'two', 'three'])
    // Outcomes are there before the files are dropped that tell of them, and those before the goal has its outcome.
    assert.deepEqual(await disk.sync(), ['step-ended', 'goal-ended'])
    assert.deepEqual(await disk.sync(), ['completed'])
    assert.equal(await ended, 'completed')
  })

  for (const type of ['step-began', 'step-ended'] as const) {
    it(`ends with what could be written: nothing is done behind a lost ${type}`, async () => {
      const full = new CloudburstError('CB_STORE_DEGRADED', 'disk full')
      let count = 0
      const disk = async ({ body }: GoalEvent): Promise<void> => {
        if (body.type === type && ++count === 2) throw full
      }
      const goal = stage({ xml, goal: 'site', disk })
      await assert.rejects(goal.go(), { code: 'CB_STORE_DEGRADED' })
      assert.deepEqual(goal.ran, type === 'step-began' ? ['one'] : ['one', 'two'])
    })
  }
})
