/** A write that fails, at each place of a goal: lost, or made all the same, which shows only when the store is opened anew. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openInnerNode } from '../../../bench/inner-node.ts'
import { CloudburstError } from '../../../src/errors.ts'
import type { Driver } from '../../../src/goals/ports.ts'
import { type Disk, machineDisk, type Tables } from '../../../src/node/store/store.ts'
import { fakeDriver } from '../../fakes/driver.ts'
import { temporaryDirectory, until } from '../store/temporary-directory.ts'

const ID = '01JD0000000000000000000000'
const by = { peer: 'p', node: 'here' }

/** The machine's disk, whose synced write number `at` from the arming on fails; `made`: it is there all the same. */
function failing(disk: Disk, at: number, made: boolean) {
  let left = Number.POSITIVE_INFINITY
  const withFault = (tables: Tables): Tables => ({
    get: key => tables.get(key),
    iterator: bounds => tables.iterator(bounds),
    close: () => tables.close(),
    batch: async (ops, options) => {
      const fails = options.sync && --left === 0
      if (!fails || made) await tables.batch(ops, options)
      if (fails) throw new Error('IO error: fdatasync: Input/output error')
    }
  })
  return {
    arm: () => {
      left = at
    },
    hasStruck: () => left <= 0,
    disk: {
      ...disk,
      open: async () => {
        const { database, ...rest } = await disk.open()
        return { database: withFault(database), ...rest }
      },
      reopen: async () => withFault(await disk.reopen())
    } satisfies Disk
  }
}

/** A runner knows of each command whether it was started. */
function remembering(): Driver & Pick<ReturnType<typeof fakeDriver>, 'started'> {
  const driver = fakeDriver()
  const isKnown = (step: string): boolean => driver.started.some(({ key }) => key.step === step)
  const never = {
    exit: { kind: 'not-started', message: 'it was not begun' },
    durationMs: 0,
    stdout: '',
    stderr: '',
    truncated: false
  } as const
  return { ...driver, recover: async key => (isKnown(key.step) ? await driver.recover(key) : never) }
}

describe('a goal during which a write fails', () => {
  const directory = temporaryDirectory()

  /** @returns whether the fault came before the end */
  async function pursued(at: number, made: boolean): Promise<boolean> {
    const place = join(directory(), `${at}-${made}`)
    mkdirSync(join(place, 'store'), { recursive: true })
    const fault = failing(machineDisk(join(place, 'store')), at, made)
    const driver = remembering()
    const node = await openInnerNode(place, { disk: fault.disk, driver })
    const told = `write ${at}${made ? ', made all the same' : ''}`
    try {
      let isTold = false
      node.journal.subscribe(ID, ({ body }) => {
        isTold ||= body.type === 'completed'
      })
      fault.arm()
      const ready = (): Promise<unknown> => until(`${told}: the store is ready`, () => node.store.state === 'ready')
      for (let acknowledged = false; !acknowledged; ) {
        try {
          await node.runs.accept({ id: ID, goal: 'four', program: 'four', assignments: [], by })
          acknowledged = true
        } catch (error) {
          assert.ok(error instanceof CloudburstError && error.code === 'CB_STORE_DEGRADED', `${told}: ${String(error)}`)
          await ready()
        }
      }
      await until(`${told}: the goal is over`, async () => {
        await ready()
        const status = await node.journal.summary(ID).catch(() => undefined)
        return status?.status === 'completed' || status?.status === 'suspended'
      })
      await node.idle()
      await ready()
      assert.equal((await node.journal.summary(ID))?.status, 'completed', told)
      const ran = driver.started.map(({ key }) => key.step)
      assert.equal(ran.length, 4, `${told}: ${ran.join(' ')}`)
      assert.equal(await node.journal.verify(ID), undefined, told)
      await until(`${told}: whoever waits is told of its end`, () => isTold)
      return fault.hasStruck()
    } finally {
      await node.close()
    }
  }

  for (const made of [false, true])
    it(`comes to its end, each step done once, whichever of its writes is ${made ? 'called lost and made all the same' : 'lost'}`, async () => {
      let struck = 0
      while (await pursued(struck + 1, made)) struck++
      assert.ok(struck >= 6, `${struck} writes were synced: accepted, four steps, completed`)
    })
})
