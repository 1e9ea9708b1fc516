import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '../../bench/connection.ts'
import { FOUR, openInnerNode } from '../../bench/inner-node.ts'
import { hold } from '../../bench/load.ts'
import type { Keeping } from '../../src/node/goals/compaction.ts'
import type { NodeInfo } from '../../src/node/control/contract.ts'
import { openStore } from '../../src/node/store/store.ts'
import { fill, hasty, journalAt } from '../node/store/filled.ts'
import { quiet } from '../node/store/quiet.ts'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { whyBusy } from './busy.ts'
import { type Mesh, mesh } from './mesh.ts'

/** Tries of a figure: one that other work on the machine spoiled says nothing. */
const TRIES = 3

/** The first try within the limit, or the last. Every try is printed. */
async function best<T>(what: string, measure: () => Promise<T>, within: (found: T) => boolean): Promise<T> {
  for (let left = TRIES; ; left--) {
    const found = await measure()
    console.log(`    ${what}: ${JSON.stringify(found)}`)
    if (left === 1 || within(found)) return found
  }
}

describe('a node with a past', function () {
  this.timeout(120_000)
  let m: Mesh
  const FINISHED = 10_000
  const OPEN = 100
  before(async () => {
    m = await mesh(1, { started: false })
    const store = await openStore(join(m.node(1).home.state, 'store'), { log: quiet })
    const journal = await journalAt(hasty(store), Date.now)
    for (let at = 0; at < FINISHED; at += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, more) => fill(journal, `F${at + more}`, 8)))
    }
    for (let at = 0; at < OPEN; at++) {
      await fill(journal, `O${at}`, 199, { open: true })
      await journal.append(`O${at}`, { type: 'suspended', code: 'requested', reason: 'for this test' })
    }
    await journal.close()
    await store.close()
  })
  after(() => m?.stop())

  it('opens a journal of 100,000 events within 1 s', async () => {
    const ms = await best(
      'ms to open',
      async () => {
        const began = performance.now()
        const store = await openStore(join(m.node(1).home.state, 'store'), { log: quiet })
        const journal = await journalAt(store, Date.now)
        const took = Math.round(performance.now() - began)
        assert.equal(journal.runs().length, FINISHED + OPEN)
        assert.equal(journal.damaged.size, 0)
        await journal.close()
        await store.close()
        return took
      },
      took => took <= 1_000
    )
    assert.ok(ms <= 1_000, `${ms} ms`)
  })

  it('is ready within 2 s of its start, with 10,000 goals finished and 100 open', async () => {
    const node = m.node(1)
    const ms = await best(
      'ms to ready',
      async () => {
        const began = performance.now()
        await node.start()
        const took = Math.round(performance.now() - began)
        await node.kill('SIGTERM')
        return took
      },
      took => took <= 2_000
    )
    assert.ok(ms <= 2_000, `${ms} ms`)
  })
})

/** Seconds that 25 goals a second are held for in the suite; `npm run soak` holds them for five minutes. */
const HELD_S = 20
/** How long a figure waits for others to leave the machine alone, in milliseconds. */
const QUIET_WITHIN_MS = 30_000

/** The first try within the limit, or the last that others did not spoil; undefined when they spoiled all, with why. */
async function undisturbed<T>(
  what: string,
  measure: () => Promise<T>,
  within: (found: T) => boolean
): Promise<{ readonly found?: T; readonly why?: string }> {
  let last: { readonly found?: T; readonly why?: string } = {}
  for (let left = TRIES; left > 0; left--) {
    const before = await whyBusy(QUIET_WITHIN_MS)
    if (before !== undefined) return last.found === undefined ? { why: before } : last
    const found = await measure()
    console.log(`    ${what}: ${JSON.stringify(found)}`)
    if (within(found)) return { found }
    const after = await whyBusy(0)
    last = after === undefined ? { found } : { ...last, why: after }
  }
  return last
}

describe('a node under load', function () {
  this.timeout(600_000)
  const directory = temporaryDirectory()

  it('accepts 25 goals of 4 commands a second within 150 ms each, and keeps up', async function () {
    const m = await mesh(1)
    const connections = Array.from({ length: 8 }, () => connect(m.node(1).home.socket))
    try {
      const post = (at: number, path: string, body: object): Promise<unknown> => connections[at % connections.length]!.post(path, body)
      await post(0, 'calls/load', { files: [{ name: 'four.xml', text: FOUR }] })
      const idle = async (): Promise<void> => {
        while (((await post(0, 'calls/hello', {})) as NodeInfo).counts.running > 0) await pause(20)
      }
      const { found: held, why = '' } = await undisturbed(
        `25 a second for ${HELD_S} s, 4 commands each`,
        () => hold(25, HELD_S, number => post(number, 'calls/pursue', { goal: 'four', program: 'four', assignments: [] }), idle),
        ({ acceptP99, restMs }) => acceptP99 <= 150 && restMs <= 2_000
      )
      if (held === undefined) skip(this, `25 goals a second: ${why}`)
      assert.ok(held.acceptP99 <= 150, `p99 is ${held.acceptP99} ms`)
      assert.ok(held.restMs <= 2_000, `${held.restMs} ms behind`)
      const suspended = (await post(0, 'calls/goals', { suspended: true })) as readonly unknown[]
      assert.deepEqual(suspended, [])
    } finally {
      for (const each of connections) each.close()
      await m.stop()
    }
  })

  it('takes 100 goals a second when their commands cost nothing', async function () {
    const node = await openInnerNode(directory())
    const { found: held, why = '' } = await undisturbed(
      '100 a second, no-op driver',
      () =>
        hold(
          100,
          5,
          () => node.accept(),
          () => node.idle()
        ),
      ({ acceptP99, restMs }) => acceptP99 <= 150 && restMs <= 1_000
    )
    await node.close()
    if (held === undefined) skip(this, `100 goals a second: ${why}`)
    assert.ok(held.acceptP99 <= 150 && held.restMs <= 1_000, JSON.stringify(held))
  })

  it('holds no more memory after many goals than after some', async () => {
    if (globalThis.gc === undefined) (await import('node:v8')).setFlagsFromString('--expose-gc')
    const collect = globalThis.gc ?? (await import('node:vm')).runInNewContext('gc')
    const keep: Keeping = { events: { ageMs: 1e12, count: 200 }, summaries: { ageMs: 1e12, count: 400 } }
    const node = await openInnerNode(directory(), { keep })
    const heapAfter = async (goals: number): Promise<number> => {
      for (let at = 0; at < goals; at += 50) {
        await Promise.all(Array.from({ length: 50 }, () => node.accept()))
        await node.idle()
      }
      // The first may be one that began before the last goals ended.
      for (const _ of [1, 2]) await node.compaction.sweep()
      collect()
      return process.memoryUsage().heapUsed / 2 ** 20
    }
    const some = await heapAfter(500)
    const many = await heapAfter(1_500)
    console.log(`    heap after 500 and after 2,000 goals: ${some.toFixed(1)} and ${many.toFixed(1)} MB`)
    assert.ok(node.journal.runs().length <= 400)
    await node.close()
    assert.ok(many - some < 4, `${(many - some).toFixed(1)} MB more`)
  })
})
