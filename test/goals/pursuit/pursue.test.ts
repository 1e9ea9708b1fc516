import assert from 'node:assert/strict'
import { type Stage, stage } from './stage.ts'

const sends = (...texts: string[]): string => `<shell>${texts.map(text => `<send>${text}</send>`).join('')}</shell>`

describe('a goal', () => {
  it('runs the statements of its method in order and completes', async () => {
    const s = stage({ goal: 'g', xml: `<goalProto name="g"><method name="m">${sends('one', 'two')}</method></goalProto>` })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['one', 'two'])
    assert.deepEqual(s.types(), [
      'proposed',
      'started',
      'configured',
      'goal-began',
      'method-chosen',
      'step-began',
      'step-ended',
      'step-began',
      'step-ended',
      'goal-ended',
      'completed'
    ])
  })

  it('is already true when its post holds, and runs nothing', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><post><fileTest type="exists">/there</fileTest></post><method name="m">${sends('make it')}</method></goalProto>`,
      facts: () => ({ kind: 'bool', value: true })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, [])
    assert.equal(s.bodies('completed')[0]?.outcome, 'already-true')
  })

  it('fails when its post does not hold after the method', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><post><fileTest type="exists">/there</fileTest></post><method name="m">${sends('make it')}</method></goalProto>`
    })
    assert.equal(await s.go(), 'suspended')
    assert.equal(s.bodies('suspended')[0]?.code, 'post-not-true')
  })

  it('tries the next method when one fails', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"/><method name="second" targetGoalType="g">${sends('good')}</method><method name="first" targetGoalType="g">${sends('bad')}</method>`,
      play: text => ({ code: text === 'bad' ? 1 : 0 })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['bad', 'good'])
  })

  it('suspends with every candidate’s reason when none is left', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"/><method name="b" targetGoalType="g">${sends('bad b')}</method><method name="a" targetGoalType="g">${sends('bad a')}</method>`,
      play: () => ({ code: 3 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(
      s.bodies('method-failed').map(each => each.method),
      ['a', 'b']
    )
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /exited with 3/)
  })

  it('does not try alternatives in execute', async () => {
    const s = stage({
      goal: 'g',
      mode: 'execute',
      xml: `<goalProto name="g"/><method name="b" targetGoalType="g">${sends('good')}</method><method name="a" targetGoalType="g">${sends('bad')}</method>`,
      play: text => ({ code: text === 'bad' ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['bad'])
  })

  it('rejects a method whose guard is false', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"/><method name="b" targetGoalType="g">${sends('b')}</method>
        <method name="a" targetGoalType="g"><pre><fileTest type="exists">/nowhere</fileTest></pre>${sends('a')}</method>`
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['b'])
    assert.deepEqual(
      s.bodies('method-chosen')[0]?.candidates.map(each => [each.method, each.verdict]),
      [
        ['a', 'rejected'],
        ['b', 'selected']
      ]
    )
  })

  it('pursues a prerequisite once, however many need it', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="dir"><variable name="path"/><method name="m">${sends('mkdir <get>goal.path</get>')}</method></goalProto>
        <goalProto name="g"><method name="m"><pre><goalCompleted name="dir"><variable name="path">/srv</variable></goalCompleted></pre>
          ${sends('first')}<goalCompleted name="dir"><variable name="path">/srv</variable></goalCompleted>
          <goalCompleted name="dir"><variable name="path">/opt</variable></goalCompleted></method></goalProto>`
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['mkdir /srv', 'first', 'mkdir /opt'])
  })

  it('prints the cycle when it needs itself', async () => {
    const s = stage({
      goal: 'a',
      xml: `<goalProto name="a"><method name="m"><goalCompleted name="b"/></method></goalProto>
        <goalProto name="b"><method name="m"><goalCompleted name="a"/></method></goalProto>`
    })
    assert.equal(await s.go(), 'suspended')
    assert.match(s.bodies('suspended')[0]?.reason ?? '', /a → b \(test\.xml:1:\d+\) → a \(test\.xml:2:\d+\)/)
  })

  it('copies the results of a sub-goal back to the arguments that are a single get', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="sub"><variable name="x"/><method name="m"><update><set>goal.x</set><string>new</string></update></method></goalProto>
        <goalProto name="g"><variable name="y">old</variable><method name="m">
          <goalCompleted name="sub"><variable name="x"><get>goal.y</get></variable></goalCompleted>${sends('echo <get>goal.y</get>')}</method></goalProto>`
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['echo new'])
  })

  it('runs the body of find for each item, known by its value', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><list name="hosts"><variable name="a">web1</variable><variable name="b">web2</variable></list><method name="m">
        <find symbol="h"><in><get>goal.hosts</get></in><do>${sends('copy <get>h</get>')}</do></find></method></goalProto>`
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['copy web1', 'copy web2'])
    assert.ok(s.bodies('step-began').every(each => /\[web[12]\]/.test(each.step)))
  })

  it('goes on after a failed send that may be ignored', async () => {
    const s = stage({
      goal: 'g',
      xml: '<goalProto name="g"><method name="m"><shell><send onFail="ignore">bad</send><send>good</send></shell></method></goalProto>',
      play: text => ({ code: text === 'bad' ? 1 : 0 })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(
      s.bodies('step-ended').map(each => each.status),
      ['ignored', 'completed']
    )
  })

  it('stores what a named send printed', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><method name="m"><shell><send name="who">whoami</send></shell>${sends('hello <get>goal.who.stdout</get>')}</method></goalProto>`,
      play: text => ({ stdout: text === 'whoami' ? 'root\n' : '' })
    })
    assert.equal(await s.go(), 'completed')
    assert.deepEqual(s.ran, ['whoami', 'hello root'])
  })

  it('suspends at the next step when asked to', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><method name="m">${sends('one', 'two')}</method></goalProto>`,
      play: text => {
        if (text === 'one') s.stop.abort()
        return {}
      }
    })
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(s.ran, ['one'])
    assert.equal(s.bodies('suspended')[0]?.code, 'requested')
  })
})

describe('a repaired goal', () => {
  const site = `<goalProto name="site"><variable name="name">blue</variable><variable name="port" type="int">80</variable>
    <method name="m"><shell>
      <send>build <get>goal.name</get></send>
      <send name="conf">configure <get>goal.port</get></send>
      <send>serve <get>goal.port</get></send>
      <send>announce <get>goal.conf.stdout</get></send>
    </shell></method></goalProto>`
  const failing = (): Stage =>
    stage({
      goal: 'site',
      xml: site,
      play: text => ({ code: text === 'serve 80' ? 1 : 0, stdout: text.startsWith('configure') ? text.replace(' ', '-') : '' })
    })

  it('runs again what failed, and keeps what was done', async () => {
    let good = false
    const s = stage({
      goal: 'site',
      xml: site,
      play: text => ({ code: text === 'serve 80' && !good ? 1 : 0, stdout: text.startsWith('configure') ? 'same' : '' })
    })
    assert.equal(await s.go(), 'suspended')
    good = true
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['build blue', 'configure 80', 'serve 80', 'serve 80', 'announce same'])
  })

  it('runs again exactly what read a changed value', async () => {
    const s = failing()
    assert.equal(await s.go(), 'suspended')
    assert.deepEqual(Object.keys(s.bodies('suspended')[0]?.values ?? {}), ['goal.port'])
    s.repair({ 'goal.port': { type: 'int', value: 8080 } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['build blue', 'configure 80', 'serve 80', 'configure 8080', 'serve 8080', 'announce configure-8080'])
    assert.deepEqual(
      s.bodies('step-began').map(each => each.again),
      [undefined, undefined, undefined, 'goal.port has changed', 'goal.port has changed', undefined]
    )
  })

  it('follows a changed value through a sub-goal', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="sub"><variable name="a"/><variable name="b"/><method name="m">${sends('uses <get>goal.a</get>', 'wants <get>goal.b</get>')}</method></goalProto>
        <goalProto name="g"><variable name="x">1</variable><variable name="y">1</variable><method name="m">
          <goalCompleted name="sub"><variable name="a"><get>goal.x</get></variable><variable name="b"><get>goal.y</get></variable></goalCompleted></method></goalProto>`,
      play: text => ({ code: text === 'wants 1' ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair({ 'goal.y': { value: '2' } })
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['uses 1', 'wants 1', 'wants 2'])
  })

  it('keeps items of a find that went well', async () => {
    const s = stage({
      goal: 'g',
      xml: `<goalProto name="g"><variable name="mode">x</variable><list name="hosts"><variable name="a">w1</variable><variable name="b">w2</variable><variable name="c">w3</variable></list><method name="m">
        <find symbol="h"><in><get>goal.hosts</get></in><do>${sends('copy <get>h</get>')}</do></find></method></goalProto>`,
      play: text => ({ code: text === 'copy w2' && s.ran.length < 3 ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['copy w1', 'copy w2', 'copy w2', 'copy w3'])
  })

  it('does not do the agent’s arithmetic twice', async () => {
    const s = stage({
      goal: 'g',
      agent: 'a',
      xml: `<agent name="a"><variable name="count" type="int">0</variable><goalProto name="g"><method name="m">
        <update><set>agent.count</set><op name="add"><get>agent.count</get><int>1</int></op></update>${sends('risky')}</method></goalProto></agent>`,
      play: () => ({ code: s.ran.length === 1 ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    s.repair()
    assert.equal(await s.go('repair'), 'completed')
    assert.equal(s.agent()['count']?.value, 1)
  })
})

describe('a goal after a crash', () => {
  const xml = `<goalProto name="g"><method name="m">${sends('one', 'two', 'three')}</method></goalProto>`

  it('ends the same wherever it was cut, and never runs a finished step again', async () => {
    const whole = stage({ goal: 'g', xml })
    await whole.go()
    for (let seq = 1; seq < whole.events.length; seq++) {
      const s = stage({ goal: 'g', xml, recover: () => ({ kind: 'exited', code: 0 }) })
      await s.go()
      s.cut(seq)
      const done = new Set(s.bodies('step-ended').map(each => each.step))
      const begun = new Set(s.bodies('step-began').map(each => each.step))
      s.ran.length = 0
      assert.equal(await s.go('restart'), 'completed', `cut after event ${seq}`)
      assert.equal(s.ran.length, 3 - begun.size, `cut after event ${seq}: ${s.ran.join()}`)
      assert.ok(done.size <= begun.size)
    }
  })

  it('suspends in doubt when nobody knows how a step ended', async () => {
    const s = stage({ goal: 'g', xml })
    await s.go()
    s.cut(s.events.findIndex(event => event.body.type === 'step-began') + 1)
    s.ran.length = 0
    assert.equal(await s.go('restart'), 'suspended')
    assert.equal(s.bodies('suspended')[0]?.code, 'in-doubt')
    assert.deepEqual(s.ran, [])
  })

  it('simply runs an interrupted step again when its author says that it is idempotent', async () => {
    const idempotent = '<goalProto name="g"><method name="m"><shell><send idempotent="true">one</send></shell></method></goalProto>'
    const s = stage({ goal: 'g', xml: idempotent })
    await s.go()
    s.cut(s.events.findIndex(event => event.body.type === 'step-began') + 1)
    s.ran.length = 0
    assert.equal(await s.go('restart'), 'completed')
    assert.deepEqual(s.ran, ['one'])
  })
})
