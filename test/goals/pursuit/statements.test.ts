import assert from 'node:assert/strict'
import { type Stage, stage } from './stage.ts'

const LIST = `<list name="all">${['a', 'b', 'c', 'd'].map(name => `<variable name="${name}">${name}</variable>`).join('')}</list>`
const program = (parallel: string, more = ''): string => `<goalProto name="g">${LIST}<method name="m">
  <find symbol="x" ${parallel}><in><get>goal.all</get></in><do><shell><send name="do">do <get>x</get></send></shell></do></find>
  <shell><send name="end">end</send></shell>${more}</method></goalProto>`

/** Items that `bad` names fail. */
function failing(xml: string, bad: Set<string>): Stage {
  return stage({ xml, goal: 'g', play: text => ({ code: text.startsWith('do ') && bad.has(text.slice(3)) ? 1 : 0 }) })
}

describe('what is done beside others', () => {
  it('goes as far as it can when one of them fails, and only that one is done again', async () => {
    const bad = new Set(['b'])
    const s = failing(program('parallel="2"'), bad)
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['do a', 'do b', 'do c', 'do d'])
    bad.clear()
    s.ran.length = 0
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['do b', 'end'])
  })

  it('is counted when more than one has failed, and the first is told', async () => {
    const s = failing(program('parallel="2"'), new Set(['b', 'd']))
    await s.go()
    const { reason, step } = s.bodies('suspended')[0]!
    assert.match(reason, /^exited with 1 .*; 1 more failed beside it$/)
    assert.match(step ?? '', /\[b\]\/do$/)
  })

  it('goes on too where children of a block are done at a time, and blocks stand in blocks', async () => {
    const send = (text: string): string => `<shell><send name="do">do ${text}</send></shell>`
    const xml = `<goalProto name="g"><method name="m"><do parallel="2">
      <do parallel="2">${send('b')}${send('d')}${send('a')}</do>${send('c')}</do></method></goalProto>`
    const s = failing(xml, new Set(['b', 'd']))
    await s.go()
    assert.deepEqual([...s.ran].sort(), ['do a', 'do b', 'do c', 'do d'])
    assert.match(s.bodies('suspended')[0]!.reason, /1 more failed beside it$/)
  })

  it('tells the failure after which nothing else may be tried before one that leaves other ways', async () => {
    const xml = `<goalProto name="g"><method name="m" priority="2"><do parallel="2">
      <shell><send name="one">do b</send></shell><shell><send name="two" onFail="suspend">do d</send></shell></do></method>
      <method name="other"><shell><send name="three">other</send></shell></method></goalProto>`
    const s = failing(xml, new Set(['b', 'd']))
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]!.step ?? '', /two$/)
    assert.ok(!s.ran.includes('other'))
  })

  it('does not begin any more once the goal is to rest', async () => {
    const s = stage({
      xml: program('parallel="2"'),
      goal: 'g',
      play: () => {
        s.stop.abort()
        return {}
      }
    })
    assert.equal(await s.go(), 'suspended')
    assert.ok(s.ran.length <= 2, s.ran.join())
  })

  it('is not what comes one after the other: that ends with the first that fails', async () => {
    const s = failing(program(''), new Set(['b', 'd']))
    await s.go()
    assert.deepEqual(s.ran, ['do a', 'do b'])
    assert.doesNotMatch(s.bodies('suspended')[0]!.reason, /beside/)
  })

  it('is all found when it is undone, also what began after one that failed', async () => {
    const xml = `<goalProto name="one"><variable name="n"/><method name="m"><shell><send name="do">do <get>goal.n</get></send></shell>
        <undo><shell><send name="undo">un <get>goal.n</get></send></shell></undo></method></goalProto>
      <goalProto name="g">${LIST}<method name="m"><find symbol="x" parallel="2"><in><get>goal.all</get></in>
        <do><one><variable name="n"><get>x</get></variable></one></do></find></method></goalProto>`
    const s = failing(xml, new Set(['a']))
    await s.go()
    s.undo()
    assert.deepEqual(
      (await s.preview()).filter(line => line.startsWith('- un')),
      ['- un d', '- un c', '- un b', '- un a']
    )
    assert.equal(await s.go('repair'), 'cancelled')
    assert.deepEqual(
      s.ran.filter(text => text.startsWith('un')),
      ['un d', 'un c', 'un b', 'un a']
    )
  })
})
