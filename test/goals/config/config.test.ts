import assert from 'node:assert/strict'
import { Config } from '../../../src/goals/config/config.ts'
import { environmentNames, type Known, reconfigure } from '../../../src/goals/config/reconfigure.ts'
import { readProgram } from '../../../src/goals/program/read.ts'
import { stage } from '../pursuit/stage.ts'

const xml = `<goalProto name="g">
  <variable name="port" type="int"/><variable name="name">web</variable><variable name="pw" type="password"/><variable name="unset"/>
  <method name="m"><shell><send name="listen">listen <get>goal.port</get></send></shell></method></goalProto>`

describe('the configuration of a goal', () => {
  const states = (config: Config, path: string): string[] =>
    config.variables.find(each => each.path === path)!.history.map(each => each.state)

  it('follows each variable from what was given to what was achieved, with who, when and why', async () => {
    const assignments = [
      { path: 'goal.port', value: '80' },
      { path: 'goal.name', value: 'api', source: 'state, x.xml:1' },
      { path: 'goal.pw', value: 'hush' }
    ]
    const s = stage({ goal: 'g', xml, assignments, play: text => ({ code: text === 'listen 80' ? 1 : 0 }) })
    await s.go()
    assert.deepEqual(states(Config.of(s.events), 'goal.port'), ['partial', 'validated'])
    s.repair({ 'goal.port': { type: 'int', value: 8080 } })
    await s.go('repair')
    const config = Config.of(s.events)
    assert.deepEqual(states(config, 'goal.port'), ['partial', 'validated', 'corrected', 'completed'])
    assert.deepEqual(states(config, 'goal.name'), ['proposed', 'validated', 'completed'])
    assert.deepEqual(states(config, 'goal.unset'), ['initial'])
    const port = config.variables.find(each => each.path === 'goal.port')!
    assert.deepEqual([port.value?.value, port.type, port.history[2]!.by], [8080, 'int', 'here'])
    assert.ok(!JSON.stringify(config.variables.find(each => each.path === 'goal.pw')!.value).includes('hush'))
  })
})

describe('reconfigure()', () => {
  const program = readProgram([
    {
      name: 's.xml',
      text: `<cloudburst name="s"><variable name="ip" type="usa.darpa.rfc971.ipv4address">10.0.0.1</variable>
        <variable name="key" type="password">hush</variable></cloudburst>`
    }
  ])
  const known = (some: Partial<Known> = {}): Known => ({
    program,
    instances: new Map([
      ['ip', { type: 'usa.darpa.rfc971.ipv4address', value: '10.0.0.1' }],
      ['key', { type: 'password', value: 'hush' }]
    ]),
    agent: {},
    host: { arch: { value: 'x64' }, hostip: { value: '10.0.0.2' } },
    env: () => undefined,
    ...some
  })

  it('looks at state, machine, last run, environment and default, in this order, each value once', () => {
    const last = { variables: { address: { value: '10.0.0.3' } }, source: 'goal X, 2026-01-01' }
    const env = (name: string): string | undefined => (name === 'ADDRESS' ? '10.0.0.1' : name === 'CB_ADDRESS' ? '10.0.0.4' : undefined)
    const fallback = { value: '127.0.0.1', source: 'default, s.xml:9' }
    const found = reconfigure({ path: 'goal.address', type: 'usa.darpa.rfc971.ipv4address', fallback }, known({ last, env }))
    assert.deepEqual(found, [
      { value: '10.0.0.1', source: 'state, s.xml:1' },
      { value: '10.0.0.2', source: 'inventory, host.hostip' },
      { value: '10.0.0.3', source: 'goal X, 2026-01-01' },
      { value: '10.0.0.4', source: 'environment, CB_ADDRESS' },
      fallback
    ])
  })

  it('offers what is known of the machine under its name', () =>
    assert.deepEqual(reconfigure({ path: 'goal.arch', type: 'string' }, known()), [{ value: 'x64', source: 'inventory, host.arch' }]))

  it('offers nothing that does not fit its type', () =>
    assert.deepEqual(reconfigure({ path: 'goal.count', type: 'int' }, known({ env: () => 'many' })), []))

  it('offers secrets by name, for the same secret type only', () => {
    const last = { variables: { pw: { type: 'password', value: 'hush' } }, source: 'goal X' }
    const env = (name: string): string | undefined => (name === 'CB_PW' ? 'hush' : undefined)
    assert.deepEqual(reconfigure({ path: 'goal.pw', type: 'password' }, known({ last, env })), [
      { value: 'key', source: 'state, s.xml:2' },
      { value: '@env:CB_PW', source: 'environment, CB_PW' }
    ])
    assert.deepEqual(reconfigure({ path: 'goal.pw', type: 'string' }, known({ last })), [])
    assert.deepEqual(reconfigure({ path: 'goal.pw', type: 'secret' }, known({ last })), [])
  })

  it('knows how the environment calls a variable, and does not take PATH for a path', () => {
    assert.deepEqual(environmentNames('goal.clusterName'), ['CB_CLUSTER_NAME', 'CLUSTER_NAME'])
    assert.deepEqual(environmentNames('goal.path'), ['CB_PATH'])
    assert.deepEqual(environmentNames('goal.site.port'), ['CB_SITE_PORT', 'SITE_PORT'])
  })
})
