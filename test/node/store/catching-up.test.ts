import assert from 'node:assert/strict'
import type { GoalEvent } from '../../../src/goals/pursuit/events.ts'
import { catchingUp } from '../../../src/node/store/catching-up.ts'
import type { RunIndex, RunNote } from '../../../src/node/store/run-index.ts'
import { subscribers } from '../../../src/node/store/subscribers.ts'

/** An index and a disk of goal `g`, and what readers have heard of it. */
function goal(known: number) {
  const event = (seq: number): GoalEvent => ({ goalId: 'g', seq, at: 0, body: { type: 'resumed' } }) as unknown as GoalEvent
  let seq = known
  let disk = known
  const heard: number[] = []
  const readers = subscribers()
  readers.subscribe('g', each => void heard.push(each.seq))
  const index = { newestFirst: () => [{ id: 'g', seq } as RunNote] } as unknown as RunIndex
  /** Called while all is read again. */
  let meanwhile = (): void => undefined
  const catching = catchingUp(readers, index, {
    runs: async () => {
      await Promise.resolve()
      meanwhile()
      seq = disk
    },
    events: (_, from) => Promise.resolve(Array.from({ length: disk - from + 1 }, (_, at) => event(from + at)))
  })
  const write = (number: number): void => {
    disk = number
    seq = number
    catching.tell(event(number))
  }
  return {
    catching,
    heard,
    write,
    tell: (number: number) => catching.tell(event(number)),
    found: (last: number) => void (disk = last),
    whileReading: (what: () => void) => void (meanwhile = what)
  }
}

describe('readers of a journal whose disk had refused a write', () => {
  it('hear what it has written all the same', async () => {
    const { catching, heard, found } = goal(2)
    found(5)
    await catching.run()
    assert.deepEqual(heard, [3, 4, 5])
  })

  it('hear what is written while it is read again in its place, and once', async () => {
    const { catching, heard, found, write, whileReading } = goal(0)
    found(6)
    whileReading(() => write(7))
    await catching.run()
    write(8)
    assert.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('hear once what was on disk before its writer knew', async () => {
    const { catching, heard, found, tell } = goal(2)
    found(4)
    await catching.run()
    for (const number of [3, 4, 5]) tell(number)
    assert.deepEqual(heard, [3, 4, 5])
  })

  it('are made up for by the next time when reading fails', async () => {
    const { catching, heard, found, write, whileReading } = goal(1)
    found(3)
    whileReading(() => {
      throw new Error('the disk refuses')
    })
    await assert.rejects(catching.run(), /refuses/)
    write(4)
    assert.deepEqual(heard, [])
    whileReading(() => undefined)
    await Promise.all([catching.run(), catching.run()])
    assert.deepEqual(heard, [2, 3, 4])
  })
})
