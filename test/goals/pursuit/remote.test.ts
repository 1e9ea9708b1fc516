import assert from 'node:assert/strict'
import type { RemoteGoal, RemoteOutcome } from '../../../src/goals/ports.ts'
import { type Stage, stage } from './stage.ts'

const part = '<goalProto name="part"><variable name="n">1</variable><method name="m"><shell><send>part</send></shell></method></goalProto>'
const goal = (body: string): string => `${part}<goalProto name="g"><method name="m">${body}
  <shell><send name="bad">bad</send></shell></method></goalProto>`

/** `bad` fails each time; other nodes answer as `answers` says, and complete what they are asked for after that. */
function asking(body: string, answers: RemoteOutcome[] = []): Stage & { readonly asked: RemoteGoal[] } {
  const asked: RemoteGoal[] = []
  const s = stage({
    xml: goal(body),
    goal: 'g',
    play: text => ({ code: text === 'bad' ? 1 : 0 }),
    dispatch: request => {
      asked.push(request)
      return Promise.resolve(answers.shift() ?? { kind: 'completed', results: {} })
    }
  })
  return Object.assign(s, { asked })
}

describe('a sub-goal on another node', () => {
  const ids = ({ asked }: { readonly asked: readonly RemoteGoal[] }): readonly string[] => asked.map(({ id }) => id)

  it('is one goal for two steps that ask for it, and is asked for by the id that the journal has', async () => {
    const s = asking('<part peer="n2"/><part peer="n2"/><part peer="n3"/>')
    await s.go()
    assert.equal(new Set(ids(s)).size, 2)
    assert.deepEqual(
      s.bodies('step-began').flatMap(({ run }) => (run === undefined ? [] : [run])),
      ids(s)
    )
  })

  it('is another goal each time when it is to be pursued anew', async () => {
    const again = asking('<part peer="n2"/><part peer="n2" again="true"/>')
    await again.go()
    assert.equal(new Set(ids(again)).size, 2)
    const repeated = asking('<repeat><count><int>3</int></count><do><part peer="n2"/></do></repeat>')
    await repeated.go()
    assert.equal(new Set(ids(repeated)).size, 3)
  })

  it('is another goal when a person wants it done again, and that one again after a crash', async () => {
    const s = asking('<part peer="n2"/>')
    await s.go()
    for (const times of [2, 3]) {
      s.repair({}, { decisions: [{ step: 'g/m>part', verdict: 'again' }] })
      const before = s.events.length
      await s.go('repair')
      assert.equal(new Set(ids(s)).size, times)
      const began = s.events.findIndex(({ seq, body }) => seq > before && body.type === 'step-began')
      s.cut(s.events[began]!.seq)
      await s.go('restart')
      assert.equal(new Set(ids(s)).size, times, 'it is asked for what it was asked for')
    }
  })

  it('is the same goal when its caller goes on after something else has failed, and after a failure there', async () => {
    const s = asking('<part peer="n2"/>', [{ kind: 'failed', message: 'it was not accepted' }])
    await s.go()
    for (let round = 0; round < 2; round++) {
      s.repair()
      await s.go('repair')
    }
    assert.equal(s.asked.length, 2)
    assert.equal(new Set(ids(s)).size, 1)
  })

  it('says when what was asked for last has failed, for it may have been cancelled there', async () => {
    const anew: boolean[] = []
    const s = stage({
      xml: goal('<part peer="n2"/>'),
      goal: 'g',
      dispatch: () => Promise.resolve({ kind: 'failed', message: 'it was cancelled there' }),
      locate: (_goal, runOn, isAnew) => {
        anew.push(isAnew)
        return Promise.resolve({ id: runOn('p-n2'), node: 'p-n2' })
      }
    })
    await s.go()
    s.cut(s.events.findLast(({ body }) => body.type === 'step-began')!.seq)
    await s.go('restart')
    s.repair()
    await s.go('repair')
    assert.deepEqual(anew, [false, false, true])
  })

  it('waits no longer when the goal that needs it is given up, and is asked for again when that goes on', async () => {
    const s = asking('<part peer="n2"/>', [{ kind: 'left' }])
    assert.equal(await s.go(), 'suspended')
    assert.equal(s.bodies('step-ended')[0]?.status, 'stopped')
    s.repair()
    await s.go('repair')
    assert.deepEqual([s.asked.length, new Set(ids(s)).size], [2, 1])
  })
})
