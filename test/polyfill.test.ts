import assert from 'node:assert/strict'
import '../src/polyfill.ts'

describe('Promise.withResolvers', () => {
  it('resolves from outside', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    resolve(1)
    assert.equal(await promise, 1)
  })

  it('rejects from outside', async () => {
    const { promise, reject } = Promise.withResolvers<number>()
    reject(new Error('no'))
    await assert.rejects(promise, /no/)
  })

  it('makes a promise of the class it is called on', () => {
    class Mine<T> extends Promise<T> {}
    assert.ok(Mine.withResolvers<void>().promise instanceof Mine)
  })
})
