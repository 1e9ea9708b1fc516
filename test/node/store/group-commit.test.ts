import assert from 'node:assert/strict'
import { groupCommit, type RawOp } from '../../../src/node/store/group-commit.ts'
import type { Op } from '../../../src/node/store/value.ts'

const puts = (name: string, count: number): Op[] =>
  Array.from({ length: count }, (_, at) => ({ type: 'put', key: `${name}${at}`, value: at }))

describe('batches that wait for a write', () => {
  /** Writes that are held until they are let go. */
  function held() {
    const writes: { keys: string[]; sync: boolean; end: (error?: Error) => void }[] = []
    const commits = groupCommit(
      (ops: RawOp[], sync) =>
        new Promise((resolve, reject) => {
          writes.push({ keys: ops.map(op => op.key), sync, end: error => (error === undefined ? resolve() : reject(error)) })
        })
    )
    const turns = async (): Promise<void> => {
      for (let at = 0; at < 3; at++) await new Promise(resolve => setImmediate(resolve))
    }
    return { writes, commits, turns }
  }

  it('become one write in the order of calls, synced when one of them asks for it', async () => {
    const { writes, commits, turns } = held()
    const done: string[] = []
    const add = (name: string, sync: boolean): Promise<unknown> => commits.add(puts(name, 2), sync).then(() => done.push(name))
    const first = [add('a', false), add('b', true), add('c', false)]
    await turns()
    const second = [add('d', false)]
    await turns()
    assert.deepEqual(
      writes.map(({ keys, sync }) => [keys.join(' '), sync]),
      [['a0 a1 b0 b1 c0 c1', true]]
    )
    assert.deepEqual(done, [], 'nobody is told before it is written')
    writes[0]!.end()
    await Promise.all(first)
    await turns()
    assert.deepEqual([writes[1]!.keys.join(' '), writes[1]!.sync, done.join('')], ['d0 d1', false, 'abc'])
    writes[1]!.end()
    await Promise.all(second)
    assert.deepEqual(commits.counts, { batches: 4, writes: 2, syncs: 1 })
  })

  it('are not more than a thousand operations together, but one of more is written whole', async () => {
    const { writes, commits, turns } = held()
    for (const [name, count] of [
      ['a', 600],
      ['b', 400],
      ['c', 1],
      ['d', 2_500],
      ['e', 1]
    ] as const)
      void commits.add(puts(name, count), true)
    for (let at = 0; at < 4; at++) {
      await turns()
      writes[at]?.end()
    }
    await commits.idle()
    assert.deepEqual(
      writes.map(({ keys }) => keys.length),
      [1_000, 1, 2_500, 1]
    )
  })

  it('fail together, and those after them are tried all the same', async () => {
    const { writes, commits, turns } = held()
    const failed = [commits.add(puts('a', 1), true), commits.add(puts('b', 1), false)].map(each => assert.rejects(each, /full/))
    await turns()
    const later = commits.add(puts('c', 1), true)
    writes[0]!.end(new Error('the disk is full'))
    await Promise.all(failed)
    await turns()
    writes[1]!.end()
    await later
    await commits.idle()
    assert.equal(writes.length, 2)
  })
})
