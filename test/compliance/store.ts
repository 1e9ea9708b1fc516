import assert from 'node:assert/strict'
import type { Store } from '../../src/node/store/store.ts'

/** What every Store must do. */
export function aStore(open: () => Promise<Store>): void {
  it('keeps values of JSON and bytes', async () => {
    const store = await open()
    const bytes = new Uint8Array([0, 255, 123])
    await store.batch(
      [
        { type: 'put', key: 'a', value: { deep: [1, 'ü', null] } },
        { type: 'put', key: 'b', value: bytes }
      ],
      { sync: true }
    )
    assert.deepEqual([await store.get('a'), await store.get('b'), await store.get('c')], [{ deep: [1, 'ü', null] }, bytes, undefined])
  })

  it('walks keys of a prefix in order, from either end, on from where one stopped', async () => {
    const store = await open()
    await store.batch(
      ['x!1', 'x!2', 'x!3', 'y!1'].map(key => ({ type: 'put', key, value: key })),
      { sync: false }
    )
    const keys = async (range: Parameters<Store['range']>[0]): Promise<string[]> => {
      const found: string[] = []
      for await (const [key] of store.range(range)) found.push(key)
      return found
    }
    assert.deepEqual(await keys({ prefix: 'x!' }), ['x!1', 'x!2', 'x!3'])
    assert.deepEqual(await keys({ prefix: 'x!', reverse: true, limit: 2 }), ['x!3', 'x!2'])
    assert.deepEqual(await keys({ prefix: 'x!', after: 'x!1' }), ['x!2', 'x!3'])
    assert.deepEqual(await keys({ prefix: 'x!', after: 'x!3', reverse: true }), ['x!2', 'x!1'])
  })

  it('removes a key', async () => {
    const store = await open()
    await store.batch([{ type: 'put', key: 'a', value: 1 }], { sync: false })
    await store.batch([{ type: 'del', key: 'a' }], { sync: false })
    assert.equal(await store.get('a'), undefined)
  })
}
