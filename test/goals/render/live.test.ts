import assert from 'node:assert/strict'
import { eventRenderer, quietest } from '../../../src/goals/render/events.ts'
import { eventsOf, failing, repaired } from '../../fakes/agency.ts'

const live = (bodies: typeof failing, now: number): readonly string[] => {
  const renderer = eventRenderer(quietest)
  for (const event of eventsOf(bodies)) renderer.next({ type: 'event', event })
  return renderer.live(1_700_000_000_000 + now)
}

describe('the live tree', () => {
  it('shows the goal, its method, what runs in it, progress and elapsed time', () =>
    assert.deepEqual(live(failing.slice(0, 8), 2_300), [
      '  >     2.0 s  publish by files: Publish the site',
      '  …     1.6 s    listen 80',
      '  1 done, 1 running, 2.3 s'
    ]))

  it('counts what was done and what failed, without the time of waiting for a person', () =>
    assert.deepEqual(live(repaired.slice(0, 13), 5_000).at(-1), '  1 done, 1 failed, 1 running, 4.9 s'))

  it('is empty while the goal waits, and when it is over', () => {
    assert.deepEqual(live(failing, 9_000), [])
    assert.deepEqual(live(repaired, 9_000), [])
  })
})
