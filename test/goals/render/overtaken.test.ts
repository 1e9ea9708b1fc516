import assert from 'node:assert/strict'
import type { RenderItem } from '../../../src/goals/render/events.ts'
import { withOvertaken } from '../../../src/goals/render/overtaken.ts'
import type { GoalEventBody } from '../../../src/goals/pursuit/events.ts'

const STOPPED: GoalEventBody = { type: 'suspended', code: 'stopped', reason: 'stopped on request' }
const BY = { peer: 'p', node: 'n' }

async function* stream(bodies: readonly GoalEventBody[], error?: Error): AsyncGenerator<RenderItem> {
  for (const [at, body] of bodies.entries()) yield { type: 'event', event: { goalId: 'g', seq: at + 1, at, body } }
  if (error !== undefined) throw error
}

async function overtaken(bodies: readonly GoalEventBody[], error?: Error): Promise<string> {
  const told: string[] = []
  const read = async (): Promise<void> => {
    for await (const { item, overtaken } of withOvertaken(stream(bodies, error)))
      told.push(`${item.type === 'event' ? item.event.body.type : item.type}${overtaken ? ' overtaken' : ''}`)
  }
  await read().catch(failure => told.push(failure.message))
  return told.join(', ')
}

describe('a suspension by somebody', () => {
  it('is overtaken by the end that it was for', async () => {
    assert.equal(await overtaken([STOPPED, { type: 'cancelled', by: BY }]), 'suspended overtaken, cancelled')
    assert.equal(await overtaken([STOPPED, { type: 'undoing', by: BY }]), 'suspended overtaken, undoing')
  })

  it('is told when it stays, or is repaired', async () => {
    assert.equal(await overtaken([STOPPED]), 'suspended')
    assert.equal(await overtaken([STOPPED, { type: 'started', stretch: 2, cause: 'repair' }]), 'suspended, started')
  })

  it('is told before the stream fails', async () => {
    assert.equal(await overtaken([STOPPED], new Error('gone')), 'suspended, gone')
  })

  it('is not what a failure is', async () => {
    const failed: GoalEventBody = { type: 'suspended', code: 'step-failed', reason: 'exit 1' }
    assert.equal(await overtaken([failed, { type: 'cancelled', by: BY }]), 'suspended, cancelled')
  })
})
