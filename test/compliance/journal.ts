import assert from 'node:assert/strict'
import type { Journal } from '../../src/goals/ports.ts'
import type { GoalEventBody } from '../../src/goals/pursuit/events.ts'

/** The first event of every run. */
export const proposed: GoalEventBody = {
  type: 'proposed',
  version: 1,
  goal: 'install',
  program: { name: 'sample', hash: 'ab' },
  mode: 'pursue',
  assignments: [],
  by: { peer: 'p', node: 'n' },
  chain: []
}

/** One of many that may follow. */
export const started = (stretch: number): GoalEventBody => ({ type: 'started', stretch, cause: 'first' })

/** What every Journal must do, run against the real one and the fake alike. */
export function aJournal(open: () => Promise<Journal>): void {
  it('gives back events in the order in which they were appended', async () => {
    const journal = await open()
    await journal.append('g1', proposed)
    await journal.append('g1', started(1))
    const events = await journal.read('g1')
    assert.deepEqual(
      events.map(event => event.body),
      [proposed, started(1)]
    )
  })

  it('numbers the events of each goal from 1 without gaps, in order of the calls', async () => {
    const journal = await open()
    const appended = await Promise.all([
      journal.append('g1', proposed),
      journal.append('g2', proposed),
      journal.append('g1', started(1)),
      journal.append('g1', started(2))
    ])
    assert.deepEqual(
      appended.map(({ goalId, seq }) => [goalId, seq]),
      [
        ['g1', 1],
        ['g2', 1],
        ['g1', 2],
        ['g1', 3]
      ]
    )
    assert.deepEqual(
      (await journal.read('g1')).map(event => event.seq),
      [1, 2, 3]
    )
  })

  it('knows an event as soon as append was called', async () => {
    const journal = await open()
    const appending = journal.append('g1', proposed)
    assert.deepEqual(
      (await journal.read('g1')).map(event => event.seq),
      [1]
    )
    await appending
  })

  it('is empty for a goal that it does not know', async () => {
    assert.deepEqual(await (await open()).read('nobody'), [])
  })
}
