import assert from 'node:assert/strict'
import { eventRenderer, quietest, type RenderOptions } from '../../src/goals/render/events.ts'
import { stage, type Stage } from '../goals/pursuit/stage.ts'

const told = (s: Stage, options: Partial<RenderOptions> = {}): string[] => {
  const renderer = eventRenderer({ ...quietest, ...options })
  return s.events.flatMap(event => renderer.next({ type: 'event', event }))
}
const program = (body: string, more = ''): string =>
  `<goalProto name="g"><variable name="port" type="int">80</variable>${more}<method name="m">${body}</method></goalProto>`
const listen = (attributes = ''): string => `<shell><send name="said"${attributes}>listen <get>goal.port</get></send></shell>`
/** The journal without what only says how it is to be told. */
const plain = (s: Stage): string =>
  JSON.stringify(s.events.map(({ body }) => body))
    .replaceAll(',"debug":true', '')
    .replaceAll(/"col":\d+|"hash":"\w+"/g, '')

describe('debug', () => {
  it('of a statement tells its name, what it reads and what it writes, without any option', async () => {
    const s = stage({ goal: 'g', xml: program(listen(' debug="true"')), play: () => ({ stdout: 'ok' }) })
    assert.equal(await s.go(), 'completed')
    const lines = told(s)
    assert.ok(lines.includes('  debug    g/m/said send: listen 80'), lines.join('\n'))
    assert.ok(lines.includes('    goal.port = 80'))
    assert.ok(lines.some(line => /^ {4}goal\.said := .*"stdout":"ok"/.test(line)))
  })

  it('of a shell, a block, an expression in a step and a sub-goal holds for the steps in it', async () => {
    const inner = '<goalProto name="h"><method name="n"><shell><send name="deep">x</send></shell></method></goalProto>'
    for (const [body, step] of [
      [`<shell debug="true"><send name="said">x</send></shell>`, 'g/m/said'],
      [`<do debug="true">${listen()}</do>`, 'g/m/said'],
      [`<update name="u"><set>goal.x</set><op name="add" debug="true"><get>goal.port</get>1</op></update>`, 'g/m/u'],
      ['<h debug="true"/>', 'g/m>h/n/deep']
    ] as const) {
      const s = stage({ goal: 'g', xml: program(body) + inner })
      assert.equal(await s.go(), 'completed', body)
      assert.ok(
        told(s).some(line => line.startsWith('  debug ') && line.includes(step)),
        `${body}\n${told(s).join('\n')}`
      )
    }
  })

  it('of a guard, a method or a goal tells what was decided and why', async () => {
    const guarded = (attributes: string): string => program(`<pre${attributes}><op name="eq"><get>goal.port</get>80</op></pre>${listen()}`)
    const s = stage({ goal: 'g', xml: guarded(' debug="true"') })
    assert.equal(await s.go(), 'completed')
    const lines = told(s)
    assert.ok(lines.includes('  method m selected'), lines.join('\n'))
    assert.ok(lines.includes('    goal.port = 80'))
    const silent = stage({ goal: 'g', xml: guarded('') })
    await silent.go()
    assert.ok(!told(silent).includes('    goal.port = 80'))
  })

  it('changes nothing else: the journal is the same, and what was done is kept', async () => {
    const [with_, without] = await Promise.all(
      [' debug="true"', ''].map(async attributes => {
        const s = stage({ goal: 'g', xml: program(`${listen(attributes)}<shell><send${attributes}>next</send></shell>`) })
        await s.go()
        return s
      })
    )
    assert.equal(plain(with_!), plain(without!))

    let fails = true
    const s = stage({
      goal: 'g',
      xml: program(`${listen()}<shell><send>next</send></shell>`),
      play: text => ({ code: text === 'next' && fails ? 1 : 0 })
    })
    assert.equal(await s.go(), 'suspended')
    fails = false
    s.repair({}, s.edit(program(`${listen(' debug="true"')}<shell><send debug="true">next</send></shell>`)))
    assert.equal(await s.go('repair'), 'completed')
    assert.deepEqual(s.ran, ['listen 80', 'next', 'next'])
  })

  it('tells no secret', async () => {
    const s = stage({
      goal: 'g',
      xml: program(
        '<shell><send debug="true">login <get>goal.key</get></send></shell>',
        '<variable name="key" type="password">hush</variable>'
      )
    })
    assert.equal(await s.go(), 'completed')
    assert.ok(!told(s, { verbose: 1 }).join('\n').includes('hush'))
  })
})
