import assert from 'node:assert/strict'
import { CloudburstError } from '../../../src/errors.ts'
import { Supervisor } from '../../../src/node/mesh/supervisor.ts'

/** A supervisor whose peer fails with each of `answers` in turn and is up from then on. */
function supervise(answers: Error[]): {
  supervisor: Supervisor
  failures: string[]
  tries: () => number
  up: Promise<void>
  drop: () => void
} {
  const failures: string[] = []
  let tries = 0
  let drop: () => void = () => undefined
  let isUp: () => void = () => undefined
  const up = new Promise<void>(resolve => {
    isUp = resolve
  })
  const supervisor = new Supervisor({
    async connect() {
      tries++
      const error = answers.shift()
      if (error !== undefined) throw error
    },
    untilDown: (_peer, signal) =>
      new Promise(resolve => {
        drop = resolve
        signal.addEventListener('abort', () => resolve())
        isUp()
      }),
    onFailure: (_peer, error) => void failures.push((error as Error).message),
    now: () => 0,
    random: () => 0
  })
  return { supervisor, failures, tries: () => tries, up, drop: () => drop() }
}

describe('a supervisor', () => {
  it('tries until the peer is up', async () => {
    const { supervisor, failures, up } = supervise([new Error('one'), new Error('two')])
    supervisor.watch(['p'])
    await up
    assert.deepEqual(failures, ['one', 'two'])
    supervisor.stop()
  })

  it('tries at once when there is news, even of a peer that denies us', async () => {
    const { supervisor, tries, up } = supervise([new CloudburstError('CB_DENIED', 'no')])
    supervisor.watch(['p'])
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tries(), 1)
    supervisor.wake('another')
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tries(), 1)
    supervisor.wake('p')
    await up
    supervisor.stop()
  })

  it('forgets a peer that is no neighbour any more', async () => {
    const { supervisor, tries } = supervise([new Error('one')])
    supervisor.watch(['p'])
    supervisor.watch([])
    supervisor.wake()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(tries(), 1)
  })
})
