import assert from 'node:assert/strict'
import { followKeys } from '../../../src/node/neighborhood/follow.ts'
import type { LiveNeighborhood } from '../../../src/node/neighborhood/neighborhood.ts'
import type { Neighborhood, Neighbour } from '../../../src/node/neighborhood/read.ts'

function neighbour(name: string, peer: string): Neighbour {
  return { name, peer, addresses: ['/ip4/192.0.2.1/tcp/4710'] }
}

describe('neighbours whose keys were replaced', () => {
  let listed: readonly Neighbour[]
  let successors: Record<string, string>
  let warned: string[]
  let told: number
  const fileChanged = new Set<() => void>()
  const keysChanged = new Set<() => void>()

  function follow(): LiveNeighborhood {
    const file = {
      get current() {
        return { name: 'here', neighbours: listed } as unknown as Neighborhood
      },
      reload: () => undefined,
      onChange: (listener: () => void) => {
        fileChanged.add(listener)
        return () => fileChanged.delete(listener)
      },
      close: () => undefined
    }
    const keys = {
      successorOf: (peer: string) => successors[peer] ?? peer,
      onChange: (listener: () => void) => {
        keysChanged.add(listener)
        return () => keysChanged.delete(listener)
      }
    }
    const silent = (): void => undefined
    const log = { debug: silent, info: silent, error: silent, warn: (_: object, message: string) => void warned.push(message) }
    const followed = followKeys(file as unknown as LiveNeighborhood, keys, log)
    followed.onChange(() => told++)
    return followed
  }
  const change = (listeners: ReadonlySet<() => void>): void => {
    for (const listener of listeners) listener()
  }
  beforeEach(() => {
    listed = [neighbour('web1', 'old'), neighbour('web2', 'other')]
    successors = {}
    warned = []
    told = 0
  })

  it('are dialled by their new ones, at the same places, and the log says what to write', () => {
    const followed = follow()
    assert.deepEqual(followed.current.neighbours, listed)
    successors = { old: 'new' }
    change(keysChanged)
    assert.deepEqual(followed.current.neighbours, [neighbour('web1', 'new'), neighbour('web2', 'other')])
    assert.equal(told, 1)
    assert.match(warned.join(), /^neighborhood.xml has an old key of web1, .*put id="new" there$/)
    change(keysChanged)
    assert.deepEqual([told, warned.length], [1, 1], 'nothing has changed')
  })

  it('are known from the start, and are left to a line of their own', () => {
    successors = { old: 'new' }
    assert.equal(follow().current.neighbours[0]?.peer, 'new')
    listed = [neighbour('web1', 'old'), neighbour('web1-again', 'new')]
    assert.deepEqual(follow().current.neighbours, [neighbour('web1-again', 'new')])
  })

  it('are as the file says once it has the new one', () => {
    successors = { old: 'new' }
    const followed = follow()
    listed = [neighbour('web1', 'new'), neighbour('web2', 'other')]
    change(fileChanged)
    assert.deepEqual(followed.current.neighbours, listed)
  })
})
