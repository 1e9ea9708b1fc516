import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store } from '../../../src/node/store/store.ts'
import { aStore } from '../../compliance/store.ts'
import { skip } from '../../skip.ts'
import { quiet } from './quiet.ts'
import { temporaryDirectory, until } from './temporary-directory.ts'

describe('a store', () => {
  const directory = temporaryDirectory()
  const opened: Store[] = []
  const open = async (path = join(directory(), 'store')): Promise<Store> => {
    const store = await openStore(path, { log: quiet, retryMs: 20 })
    opened.push(store)
    return store
  }
  const database = (): string => join(directory(), 'store', 'db')
  const fileOf = (pattern: RegExp): string => join(database(), readdirSync(database()).find(name => pattern.test(name))!)
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })

  aStore(open)

  it('gives every opening a larger boot number and another nonce', async () => {
    const first = await open()
    await first.close()
    opened.length = 0
    const second = await open()
    assert.ok(second.boot > first.boot)
    assert.notEqual(second.nonce, first.nonce)
  })

  it('is not opened twice in one process', async () => {
    await open()
    await assert.rejects(open(), { code: 'CB_ALREADY_RUNNING' })
  })

  it('shares one sync among batches that come together', async () => {
    const store = await open()
    const before = { ...store.counts }
    await Promise.all(Array.from({ length: 100 }, (_, at) => store.batch([{ type: 'put', key: `k${at}`, value: at }], { sync: true })))
    assert.equal(store.counts.batches - before.batches, 100)
    assert.ok(store.counts.syncs - before.syncs <= 5, `${store.counts.syncs - before.syncs} syncs`)
  })

  describe('that was damaged', () => {
    const fill = async (): Promise<void> => {
      const store = await open()
      await store.batch(
        Array.from({ length: 50 }, (_, at) => ({ type: 'put', key: `k!${at}`, value: at })),
        { sync: true }
      )
      await store.saveHeads({ keys: ['k!7'], counts: { 'k!': 50 } })
      await store.close()
      opened.length = 0
    }
    const damages: { it: string; damage: () => void }[] = [
      { it: 'has lost its CURRENT', damage: () => rmSync(fileOf(/^CURRENT$/)) },
      { it: 'has lost its manifest', damage: () => rmSync(fileOf(/^MANIFEST/)) },
      { it: 'has a manifest cut short', damage: () => truncateSync(fileOf(/^MANIFEST/), 40) },
      { it: 'has an empty CURRENT', damage: () => truncateSync(fileOf(/^CURRENT$/)) }
    ]
    for (const { it: name, damage } of damages) {
      it(`brings back everything when it ${name}, and says so`, async () => {
        await fill()
        damage()
        const store = await open()
        assert.equal(await store.get('k!7'), 7)
        assert.deepEqual(store.damage?.missing, [])
        assert.ok(readdirSync(store.damage.copy).length > 0)
      })
    }

    it('says what is missing when its log has lost a part', async () => {
      await fill()
      truncateSync(fileOf(/\.log$/), 200)
      const store = await open()
      assert.deepEqual(store.damage?.missing.slice(0, 1), ['k!7'])
    })

    it('does not start empty when nothing is left', async () => {
      await fill()
      rmSync(database(), { recursive: true })
      await assert.rejects(open(), { code: 'CB_STORE_DAMAGED' })
      mkdirSync(database(), { recursive: true })
      await assert.rejects(open(), { code: 'CB_STORE_DAMAGED' })
    })
  })

  it('that is newer than this program is refused', async () => {
    const store = await open()
    await store.batch([{ type: 'put', key: 's!schema', value: { version: 999 } }], { sync: true })
    await store.close()
    opened.length = 0
    await assert.rejects(open(), { code: 'CB_STORE_NEWER' })
  })

  it('says degraded on a full disk, acknowledges nothing, and goes on when there is room', async function () {
    this.timeout(15_000)
    if (process.getuid?.() !== 0 || process.platform !== 'linux') skip(this, 'only root on Linux can mount a small disk')
    const disk = join(directory(), 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      skip(this, 'mounting is not allowed here')
    }
    try {
      await outlivesFullDisk(disk)
    } finally {
      for (const store of opened.splice(0)) await store.close()
      execFileSync('umount', [disk])
    }
  })

  async function outlivesFullDisk(disk: string): Promise<void> {
    const store = await open(join(disk, 'store'))
    const states: string[] = []
    store.onState(state => states.push(state))
    const acknowledged: string[] = []
    const put = async (at: number): Promise<void> => {
      await store.batch([{ type: 'put', key: `k${at}`, value: 'x'.repeat(10_000) }], { sync: true })
      acknowledged.push(`k${at}`)
    }
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(4 * 1024 * 1024))
    const fill = async (): Promise<void> => {
      for (let at = 0; ; at++) await put(at)
    }
    await assert.rejects(fill(), { code: 'CB_STORE_DEGRADED' })
    assert.deepEqual(states, ['degraded'])
    await assert.rejects(put(1_000_000), { code: 'CB_STORE_DEGRADED' })
    rmSync(join(disk, 'ballast'))
    await until('the store is ready again', () => store.state === 'ready')
    for (const key of acknowledged) assert.equal(((await store.get<string>(key)) ?? '').length, 10_000)
    await put(1_000_001)
    const keys: string[] = []
    for await (const [key] of store.rawRange({ prefix: 'b!' })) keys.push(key)
    assert.deepEqual(keys.includes('b!probe'), false, 'what was tried is not left behind')
  }

  it('names what it was told last in its heads file', async () => {
    const store = await open()
    await Promise.all([store.saveHeads({ keys: ['a'], counts: {} }), store.saveHeads({ keys: ['b'], counts: {} })])
    assert.deepEqual(JSON.parse(readFileSync(join(directory(), 'store', 'heads.json'), 'utf8')), { keys: ['b'], counts: {} })
    // 'b' was never written: as far as the store can tell it has been lost.
    await store.close()
    opened.length = 0
    assert.deepEqual((await open()).damage?.missing, ['b'])
  })
})
