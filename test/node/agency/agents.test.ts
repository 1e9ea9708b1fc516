import assert from 'node:assert/strict'
import { readProgram } from '../../../src/goals/program/read.ts'
import type { AgentProto, Program } from '../../../src/goals/program/model.ts'
import { AGENTS_MAX, type Agent, type Agents, openAgents } from '../../../src/node/agency/agents.ts'
import type { Op, StoreState } from '../../../src/node/store/store.ts'
import { memoryStore } from '../../fakes/memory-store.ts'

const text = `<cloudburst name="web"><agent name="web"><variable name="count" type="int">1</variable>
  <goalProto name="g"><method name="m"><shell><send>true</send></shell></method></goalProto></agent></cloudburst>`

describe('the agents of a node', () => {
  const program: Program = readProgram([{ name: 'web.xml', text }])
  const proto: AgentProto = program.agents.get('web')!
  const written = (value: number): { path: string; value: { type: 'int'; value: number } }[] => [
    { path: 'agent.count', value: { type: 'int', value } }
  ]
  const countOf = (agent: Agent | undefined): unknown => agent?.variables['count']?.value

  /** A store that holds its writes back until it is told how they end. */
  async function opened(): Promise<{
    agents: Agents
    told: Agent[]
    held: { ops: readonly Op[]; end(error?: Error): Promise<void> }[]
    enter(state: StoreState): Promise<void>
    reopened(): Promise<Agents>
    hold(): void
  }> {
    const memory = memoryStore()
    const listeners = new Set<(state: StoreState) => void>()
    const held: { ops: readonly Op[]; end(error?: Error): Promise<void> }[] = []
    let holding = false
    const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    const store = {
      range: memory.range,
      batch: async (ops: readonly Op[], how: { readonly sync: boolean }): Promise<void> => {
        if (!holding) return await memory.batch(ops as never, how)
        const done = Promise.withResolvers<void>()
        held.push({
          ops,
          end: async error => {
            if (error === undefined) await memory.batch(ops as never, how)
            if (error === undefined) done.resolve()
            else done.reject(error)
            await turn()
          }
        })
        await done.promise
      },
      onState: (listener: (state: StoreState) => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      }
    }
    const agents = await openAgents(store as never, () => 7)
    const told: Agent[] = []
    agents.onChange(agent => told.push(agent))
    return {
      agents,
      told,
      held,
      enter: async state => {
        for (const listener of listeners) listener(state)
        await turn()
      },
      reopened: () => openAgents(store as never, () => 7),
      hold: () => {
        holding = true
      }
    }
  }

  it('tell of a change only once it is on disk', async () => {
    const { agents, told, held, hold } = await opened()
    await agents.start(program, proto, 'web')
    told.length = 0
    hold()
    const saving = agents.setStatus('web', 'suspended')
    assert.equal(told.length, 0)
    await held[0]!.end()
    assert.equal((await saving).status, 'suspended')
    assert.equal(told.map(agent => agent.status).join(), 'suspended')
  })

  it('are as they were when a change could not be written', async () => {
    const { agents, told, held, hold } = await opened()
    await agents.start(program, proto, 'web')
    told.length = 0
    hold()
    const saving = agents.setStatus('web', 'suspended')
    const failed = assert.rejects(saving, /disk/)
    await held[0]!.end(new Error('the disk is full'))
    await failed
    assert.deepEqual([agents.get('web').status, told], ['running', []])
    const starting = agents.start(program, proto, 'second')
    const refused = assert.rejects(starting, /disk/)
    await held[1]!.end(new Error('the disk is full'))
    await refused
    assert.equal(agents.has('second'), false)
  })

  it('lose nothing when a step writes while another change is on its way', async () => {
    const { agents, held, reopened, hold } = await opened()
    await agents.start(program, proto, 'web')
    hold()
    const saving = agents.setStatus('web', 'suspended')
    const change = agents.write('web', written(2))!
    assert.equal(countOf(agents.get('web')), 2)
    await held[0]!.end()
    await saving
    assert.equal(countOf(agents.get('web')), 2)
    assert.deepEqual(
      change.ops.map(op => (op as { value?: Agent }).value?.status),
      ['suspended']
    )
    assert.equal(countOf((await reopened()).get('web')), 1)
  })

  it('are read again once the store can be written again, also what was thought to have failed', async () => {
    const { agents, told, held, enter, hold } = await opened()
    await agents.start(program, proto, 'web')
    hold()
    const change = agents.write('web', written(2))!
    await enter('degraded')
    assert.equal(countOf(agents.get('web')), 1)
    // It was written after all.
    const saving = agents.assign('web', 'agent.count', { type: 'int', value: 3 }).catch(() => undefined)
    const [last] = held.slice(-1)
    await last!.end()
    await saving
    told.length = 0
    await enter('ready')
    assert.deepEqual([countOf(agents.get('web')), told.map(countOf)], [3, [3]])
    change.written()
  })

  it('are so many at most; the name of a stopped one can be given again', async () => {
    const { agents } = await opened()
    for (let at = 0; at < AGENTS_MAX; at++) await agents.start(program, proto, `a${at}`)
    await assert.rejects(agents.start(program, proto, 'more'), { code: 'CB_BUSY', message: /1000 agents are here already: stop one/ })
    await agents.setStatus('a0', 'stopped')
    assert.equal((await agents.start(program, proto, 'a0')).status, 'running')
  })
})
