import assert from 'node:assert/strict'
import type { GoalEvent, GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { tell } from '../../../src/protocols/dispatch/tell.ts'
import { decodeJson } from '../../../src/protocols/wire/json-text.ts'
import { callerWith } from '../../fakes/caller.ts'
import { channelPair } from '../../fakes/channel-pair.ts'
import { fakeExecutor } from '../../fakes/executor.ts'

const SERVER = '12D3KooWServer1111111111111111111111111111'
const ID = '01JD0000000000000000000000'
const BEGAN: GoalEventBody = { type: 'started', stretch: 1, cause: 'first' }
const STOPPED: GoalEventBody = { type: 'suspended', code: 'stopped', reason: 'stopped on request' }
const CANCELLED: GoalEventBody = { type: 'cancelled', by: { peer: SERVER, node: 'n2' } }

/** Numbers of the events in each message about a goal that began, and then this happened. */
async function messages(together: boolean, ...bodies: readonly GoalEventBody[]): Promise<readonly (readonly number[])[]> {
  const executor = fakeExecutor(SERVER, new Set())
  const all = [BEGAN, ...bodies].map((body, at): GoalEvent => ({ goalId: ID, seq: at + 1, at, body }))
  for (const event of all) executor.happen(event)
  const { client, server } = channelPair({ client: 'me', server: SERVER })
  const told = tell(executor, server, callerWith(['goal:dispatch'], 'me'), ID, { from: 1, together })
  const numbers: number[][] = []
  while (numbers.flat().length < all.length) {
    const { event, events } = (await client.read()) as { event?: GoalEvent; events?: Uint8Array }
    numbers.push((events === undefined ? [event!] : (decodeJson(events) as GoalEvent[])).map(({ seq }) => seq))
  }
  await told
  return numbers
}

describe('what is told of a goal that was ended', () => {
  it('is its outcome by itself, behind all that was printed', async () => {
    assert.deepEqual(await messages(true, CANCELLED), [[1], [2]])
  })

  it('is the suspension on the way there together with its outcome, so that nobody takes the goal for one that waits', async () => {
    assert.deepEqual(await messages(true, STOPPED, CANCELLED), [[1], [2, 3]])
    assert.deepEqual(await messages(false, STOPPED, CANCELLED), [[1], [2], [3]])
  })
})
