import assert from 'node:assert/strict'
import { readProgram } from '../../../src/goals/program/read.ts'

const warningsOf = (xml: string): string[] =>
  readProgram([{ name: 'p.xml', text: `<cloudburst name="p">${xml}</cloudburst>` }]).warnings.map(
    ({ place: { line, col }, message }) => `${line}:${col}: ${message}`
  )
const method = (body: string, more = ''): string =>
  `<goalProto name="g"><variable name="port">80</variable>${more}<method name="m">\n${body}</method></goalProto>`
const echo = (path: string): string => `<shell><send>echo <get>${path}</get></send></shell>`

describe('a path that nothing defines', () => {
  const cases: readonly (readonly [what: string, xml: string, warning: string])[] = [
    [
      'of the goal',
      method(echo('goal.prot')),
      '2:19: goal g has no variable prot, and no step of it has that name (did you mean goal.port?)'
    ],
    ['of a step', method(echo('goal.sid.stdout')), '2:19: goal g has no variable sid, and no step of it has that name'],
    [
      'in a requirement',
      method('', '\n<pre><defined><get>goal.x</get></defined></pre>'),
      '2:15: goal g has no variable x, and no step of it has that name'
    ],
    ['of the state', method(echo('stie.path')), '2:19: there is no stie in the state of the program (did you mean site?)'],
    [
      'of an agent',
      `<agent name="a"><variable name="count"/>${method(echo('agent.conut'))}</agent>`,
      '2:19: the agent has no variable conut, and nothing writes it (did you mean agent.count?)'
    ],
    [
      'in the argument of a sub-goal',
      method('<g><variable name="port"><get>goal.x</get></variable></g>'),
      '2:26: goal g has no variable x, and no step of it has that name'
    ],
    [
      'in an attribute',
      method('<editFile path="${goal.fiel}"><append>x</append></editFile>', '<variable name="file"/>'),
      '2:11: goal g has no variable fiel, and no step of it has that name (did you mean goal.file?)'
    ],
    [
      'outside of its loop',
      method(`<find symbol="it"><in><string>a</string></in><do/></find>${echo('it')}`),
      '2:76: there is no it in the state of the program'
    ],
    ['as the index of no repeat', method(echo('goal.repeat')), '2:19: goal g has no variable repeat, and no step of it has that name']
  ]
  const site = '<struct name="site" type="Site"><variable name="path">/srv</variable></struct>'
  for (const [what, xml, warning] of cases)
    it(`${what} is a warning at its place`, () => {
      assert.deepEqual(warningsOf(site + xml), [warning])
    })

  it('is an error when the program is read strictly', () => {
    const files = [{ name: 'p.xml', text: `<cloudburst name="p">${method(echo('goal.prot'))}</cloudburst>` }]
    assert.throws(() => readProgram(files, { strict: true }), /p\.xml:2:19: goal g has no variable prot/)
  })

  it('is none when a step, a loop, a correction, code or another method of the goal defines it', () => {
    const fine = [
      echo('port'),
      `<shell><send name="said">true</send></shell>${echo('said.rc')}${echo('goal.said.stdout')}`,
      `<update><set>goal.sum</set>1</update>${echo('goal.sum')}`,
      `<code language="javascript"><set>goal.made</set> = 1</code>${echo('goal.made')}`,
      `<tempFile name="t">x</tempFile>${echo('goal.t')}`,
      `<find symbol="it"><in><string>a</string></in><do>${echo('it')}</do></find>`,
      `<repeat><count>2</count>${echo('goal.repeat')}</repeat>`,
      '<g name="again" again="true"/><pre><get>goal.again.port</get></pre>',
      `${echo('host.platform')}${echo('peer.name')}${echo('nodes.n2.x')}${echo('agent.anything')}`
    ]
    for (const body of fine) assert.deepEqual(warningsOf(method(body)), [], body)
    const other = `<method name="n" targetGoalType="g"><update><set>goal.late</set>1</update></method>`
    assert.deepEqual(warningsOf(method(echo('goal.late')) + other), [])
    assert.deepEqual(
      warningsOf(
        method('', '<correct mode="manual">say it<set>goal.told</set></correct>') +
          `<method name="n" targetGoalType="g">${echo('goal.told')}</method>`
      ),
      []
    )
  })

  it('of a method for goals of that name in program and agent may be a parameter of either', () => {
    const agent = `<agent name="a"><goalProto name="g"><variable name="only"/></goalProto></agent>`
    assert.deepEqual(warningsOf(`<goalProto name="g"/>${agent}<method name="m" targetGoalType="g">${echo('goal.only')}</method>`), [])
  })
})

describe('a find with items at a time', () => {
  const find = (parallel: string, body: string): string =>
    method(`<find symbol="who" ${parallel}><in><get>goal.port</get></in><do>\n${body}</do></find>`)
  const body = '<shell><send name="id">id <get>who</get></send><send>echo <get>goal.id.stdout</get></send></shell>'

  it('tells of a result that each item writes and reads', () => {
    const [warning, ...more] = warningsOf(find('parallel="2"', body))
    assert.match(
      warning ?? '',
      /^3:\d+: goal\.id is one for all items of the <find>, and each writes it: read here, it may be another item's/
    )
    assert.deepEqual(more, [])
  })

  it('has nothing to tell when they come one after the other, or each has a goal of its own', () => {
    assert.deepEqual(warningsOf(find('', body)), [])
    assert.deepEqual(warningsOf(find('parallel="2"', '<g><variable name="port"><get>who</get></variable></g>')), [])
  })
})
