import assert from 'node:assert/strict'
import { Turns } from '../../../src/goals/pursuit/turns.ts'
import { type Stage, type StageOptions, stage } from './stage.ts'

const XML = `<goalProto name="g"><variable name="x">1</variable><method name="m"><shell>
  <send name="one">one</send><send name="two" retries="1">two <get>goal.x</get></send>
</shell></method></goalProto>`

describe('the request that a step makes', () => {
  it('is the same at each try, and another one when the step is done again', async () => {
    const groups: string[] = []
    let bad = true
    const s = stage({
      goal: 'g',
      xml: XML,
      play: (text, { group = 0 }) => {
        groups.push(`${text} ${group}`)
        return { code: bad && text.startsWith('two') ? 1 : 0 }
      }
    })
    await s.go()
    s.repair()
    await s.go('repair')
    bad = false
    s.repair({ 'goal.x': { value: '2' } }, { decisions: [{ step: 'g/m/one', verdict: 'again' }] })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(groups, ['one 0', 'two 1 0', 'two 1 0', 'two 1 0', 'two 1 0', 'one 1', 'two 2 1'])
  })
})

const MANY = `<goalProto name="g"><list name="all"><variable>a</variable><variable>b</variable><variable>c</variable></list>
  <method name="m"><find symbol="one" parallel="3"><in><get>goal.all</get></in><do><update><set>goal.x</set>1</update>
  <shell><send name="s">do <get>one</get></send></shell></do></find></method></goalProto>`

describe('steps that may be done beside one another', () => {
  const most = async (options: Partial<StageOptions>): Promise<number> => {
    let [now, highest] = [0, 0]
    const until = async (): Promise<void> => {
      highest = Math.max(highest, ++now)
      await new Promise(resolve => setImmediate(resolve))
      now -= 1
    }
    assert.equal(await stage({ goal: 'g', xml: MANY, until, ...options }).go(), 'completed')
    return highest
  }

  it('are as many at a time as the program says, the node lets, and a person asked for', async () => {
    assert.equal(await most({}), 3)
    assert.equal(await most({ turns: new Turns({ here: 9, perPeer: 9 }) }), 3)
    assert.equal(await most({ turns: new Turns({ here: 2, perPeer: 9 }) }), 2)
    assert.equal(await most({ turns: new Turns({ here: 9, perPeer: 9 }), abreast: 1 }), 1)
  })

  it('are not begun while they wait for their turn, and not at all once the goal is to rest', async () => {
    const turns = new Turns({ here: 1, perPeer: 1 })
    const other = new AbortController()
    const back = await turns.take({ goalId: 'other', place: '' }, other.signal)
    const s = stage({ goal: 'g', xml: MANY, turns })
    const rests = s.go()
    await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(
      s.bodies('step-began').filter(({ kind }) => kind === 'send'),
      []
    )
    s.stop.abort()
    assert.equal(await rests, 'suspended')
    back!()
    assert.deepEqual(s.ran, [])
  })
})

const METHODS = `<goalProto name="g">
  <method name="second"><shell><send>second</send></shell></method>
  <method name="first"><shell><send name="risky">risky</send></shell></method>
</goalProto>`

const one = (policy: string): string =>
  `<goalProto name="g"><method name="m"><shell><send name="risky" ${policy}>risky</send><send>after</send></shell></method></goalProto>`

/** A goal whose step `risky` had begun when the machine went down. */
async function inDoubt(xml: string, more: Partial<StageOptions> = {}): Promise<Stage> {
  const s = stage({ goal: 'g', xml, ...more })
  await s.go()
  s.cut(s.events.findIndex(event => event.body.type === 'step-began') + 1)
  s.ran.length = 0
  assert.equal(await s.go('restart'), 'suspended')
  assert.equal(s.bodies('suspended').at(-1)?.code, 'in-doubt')
  return s
}

const failedAt = (step: string) => ({ decisions: [{ step, verdict: 'failed' as const }], why: 'no trace of it' })

describe('a step in doubt that a person says has failed', () => {
  it('is left to the next method, which the preview shows', async () => {
    const s = await inDoubt(METHODS)
    const marked = failedAt('g/first/risky')
    assert.deepEqual(await s.preview({}, marked), ['+ second'])
    s.repair({}, marked)
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['second'])
    assert.equal(s.bodies('step-ended').find(({ step }) => step === 'g/first/risky')?.status, 'in-doubt')
    assert.match(s.bodies('method-failed')[0]?.reason ?? '', /it failed, says .*: no trace of it/)
  })

  it('suspends its goal as any failure when nothing else is left, and runs again at the next repair', async () => {
    const s = await inDoubt(one(''))
    const marked = failedAt('g/m/risky')
    assert.match((await s.plan({}, marked)).problems[0]?.message ?? '', /no trace of it/)
    s.repair({}, marked)
    assert.equal(await s.go('repair'), 'suspended')
    assert.equal(s.bodies('suspended').at(-1)?.code, 'step-failed')
    assert.deepEqual(s.ran, [])
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['risky', 'after'])
  })

  it('is tried again as often as it has tries left', async () => {
    let bad = 0
    const s = await inDoubt(one('retries="2"'), { play: text => ({ code: text === 'risky' && bad-- > 0 ? 1 : 0 }) })
    bad = 1
    const marked = failedAt('g/m/risky')
    assert.deepEqual(await s.preview({}, marked), ['~ risky', '+ after'])
    s.repair({}, marked)
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['risky', 'risky', 'after'])
  })

  it('is passed over if its failure is to be ignored', async () => {
    const s = await inDoubt(one('onFail="ignore"'))
    const marked = failedAt('g/m/risky')
    assert.deepEqual(await s.preview({}, marked), ['= risky', '+ after'])
    s.repair({}, marked)
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['after'])
  })
})

describe('a step that failed while nobody was looking', () => {
  it('has the tries that its program gives it', async () => {
    const s = stage({ goal: 'g', xml: one('retries="1"'), recover: () => ({ kind: 'exited', code: 1 }) })
    await s.go()
    s.cut(s.events.findIndex(event => event.body.type === 'step-began') + 1)
    s.ran.length = 0
    assert.equal(await s.go('restart'), 'completed')
    assert.deepEqual(s.ran, ['risky', 'after'])
  })
})
