import assert from 'node:assert/strict'
import { Places } from '../../../src/node/goals/places.ts'

const never = new AbortController().signal

describe('places', () => {
  it('are taken in order, as many at a time as there are', async () => {
    const places = new Places(1)
    const order: string[] = []
    await places.take(never)
    const second = places.take(never).then(() => order.push('second'))
    const third = places.take(never).then(() => order.push('third'))
    assert.deepEqual(order, [])
    places.give()
    await second
    assert.deepEqual(order, ['second'])
    places.give()
    await third
    assert.deepEqual(order, ['second', 'third'])
  })

  it('are free while their holder waits for somebody who needs one', async () => {
    const places = new Places(1)
    await places.take(never)
    const inner = async (): Promise<string> => {
      await places.take(never)
      places.give()
      return 'done'
    }
    assert.equal(await places.aside(inner, never), 'done')
  })

  it('are given at once to those who are asked to stop', async () => {
    const places = new Places(0)
    const stop = new AbortController()
    const taken = places.take(stop.signal)
    stop.abort()
    await taken
  })
})
