import assert from 'node:assert/strict'
import { type Asker, Turns } from '../../../src/goals/pursuit/turns.ts'

const never = new AbortController().signal

/** Asks for turns and notes who got one, in order. */
function stage(limits: { here: number; perPeer: number }) {
  const turns = new Turns(limits)
  const order: string[] = []
  const backs = new Map<string, (() => void)[]>()
  return {
    order,
    ask: (goalId: string, rest: Partial<Asker> = {}, stop = never): Promise<void> =>
      turns.take({ goalId, place: '', ...rest }, stop).then(back => {
        order.push(back === undefined ? `${goalId} left` : goalId)
        if (back !== undefined) backs.set(goalId, [...(backs.get(goalId) ?? []), back])
      }),
    /** One step of the goal ends. */
    end: async (goalId: string): Promise<void> => {
      backs.get(goalId)!.shift()!()
      await settled()
    }
  }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('turns of steps', () => {
  it('are given at once while there are some', async () => {
    const { ask, order } = stage({ here: 2, perPeer: 1 })
    await Promise.all([ask('a'), ask('b')])
    assert.deepEqual(order, ['a', 'b'])
  })

  it('are no more at a time than there are', async () => {
    const { ask, order, end } = stage({ here: 2, perPeer: 1 })
    for (let i = 0; i < 5; i++) void ask('a')
    await settled()
    assert.deepEqual(order, ['a', 'a'])
    await end('a')
    assert.deepEqual(order, ['a', 'a', 'a'])
  })

  it('go round among goals: one with ten thousand steps that are ready does not keep one with a single step waiting', async () => {
    const { ask, order, end } = stage({ here: 1, perPeer: 1 })
    for (let i = 0; i < 10_000; i++) void ask('large')
    void ask('small')
    void ask('other')
    await settled()
    for (let i = 0; i < 3; i++) await end(order.at(-1)!)
    assert.deepEqual(order, ['large', 'large', 'small', 'other'], 'each waited for one step of the large goal')
    await end('other')
    assert.equal(order.at(-1), 'large')
  })

  it('are no more for one goal than were asked for, whatever is free', async () => {
    const { ask, order, end } = stage({ here: 9, perPeer: 9 })
    for (let i = 0; i < 3; i++) void ask('a', { most: 2 })
    void ask('b')
    await settled()
    assert.deepEqual(order, ['a', 'a', 'b'])
    await end('a')
    assert.deepEqual(order, ['a', 'a', 'b', 'a'])
  })

  it('count what one goal does here and at peers together', async () => {
    const { ask, order, end } = stage({ here: 9, perPeer: 9 })
    void ask('a', { most: 1, place: 'node2' })
    void ask('a', { most: 1 })
    void ask('a', { most: 1, place: 'node3' })
    await settled()
    assert.equal(order.length, 1)
    await end('a')
    assert.equal(order.length, 2)
    await end('a')
    assert.equal(order.length, 3)
  })

  it('have limits of their own at each peer', async () => {
    const { ask, order, end } = stage({ here: 1, perPeer: 2 })
    for (let i = 0; i < 3; i++) void ask('a', { place: 'node2' })
    void ask('b', { place: 'node3' })
    void ask('c')
    await settled()
    assert.deepEqual(order, ['a', 'a', 'b', 'c'])
    await end('a')
    assert.deepEqual(order.slice(4), ['a'])
  })

  it('are not waited for at a peer by a goal that another node waits for, or two nodes could wait for each other', async () => {
    const { ask, order } = stage({ here: 1, perPeer: 1 })
    void ask('a', { place: 'node2' })
    void ask('a', { place: 'node2' })
    void ask('b', { place: 'node2', isAwaited: true })
    await settled()
    assert.deepEqual(order, ['a', 'b'])
  })

  it('are not waited for any more once the goal is to rest, and go to the next then', async () => {
    const { ask, order, end } = stage({ here: 1, perPeer: 1 })
    const stop = new AbortController()
    void ask('a')
    void ask('b', {}, stop.signal)
    void ask('c')
    await settled()
    stop.abort()
    await settled()
    assert.deepEqual(order, ['a', 'b left'])
    await end('a')
    assert.deepEqual(order, ['a', 'b left', 'c'])
  })
})
