import assert from 'node:assert/strict'
import type { Suspension } from '../../../src/goals/pursuit/summary.ts'
import { suspensionReport, tryCommands } from '../../../src/goals/render/report.ts'

describe('a report of a suspended goal', () => {
  const cases: ReadonlyArray<{ code: Suspension['code']; commands: readonly string[] }> = [
    {
      code: 'step-failed',
      commands: [
        'cloudburst repair 01J --peer node3 --set goal.port=…',
        'cloudburst repair 01J --peer node3 --retry',
        'cloudburst repair 01J --peer node3 --method nginx',
        'cloudburst repair 01J --peer node3 --program FILE.xml',
        'cloudburst repair 01J --peer node3 --skip site/files/serve --why …',
        'cloudburst cancel 01J --peer node3'
      ]
    },
    { code: 'config-incomplete', commands: ['cloudburst repair 01J --peer node3 --set goal.port=…'] },
    { code: 'requested', commands: ['cloudburst repair 01J --peer node3'] },
    { code: 'program-missing', commands: ['cloudburst load FILE', 'cloudburst repair 01J --peer node3 --retry'] },
    {
      code: 'in-doubt',
      commands: [
        'cloudburst repair 01J --peer node3 --retry',
        'cloudburst repair 01J --peer node3 --done site/files/serve',
        'cloudburst repair 01J --peer node3 --failed site/files/serve',
        'cloudburst repair 01J --peer node3 --skip site/files/serve --why …',
        'cloudburst cancel 01J --peer node3'
      ]
    }
  ]
  for (const { code, commands } of cases) {
    it(`says what to type after ${code}`, () => assert.deepEqual(tryCommands(suspension({ code }), options), commands))
  }

  it('quotes what a shell would take apart', () => {
    const [command] = tryCommands(suspension({ code: 'requested' }), { ...options, suffix: ['my program.xml', "it's"] })
    assert.equal(command, `cloudburst repair 01J 'my program.xml' 'it'\\''s'`)
  })

  it('offers no value that a person cannot set', () => {
    const commands = tryCommands(suspension({ values: { 'host.arch': { value: 'x64' } } }), options)
    assert.ok(!commands.some(command => command.includes('--set')), commands.join('\n'))
  })

  it('has the values in one order, whatever way they came', () => {
    const [port, dir] = [{ value: 80 }, { value: '/srv' }]
    const rows = (values: Suspension['values']) => suspensionReport(suspension({ values }), options)
    assert.deepEqual(rows({ 'goal.port': port, 'goal.dir': dir }), rows({ 'goal.dir': dir, 'goal.port': port }))
  })

  it('offers the value where it came from before the one of the sub-goal', () => {
    const value = { value: 'ada' }
    const values = { 'site/m>user:goal.name': value, 'site/m>team:goal.lead': value, 'goal.owner': value }
    const sets = tryCommands(suspension({ values }), options).filter(command => command.includes('--set'))
    assert.deepEqual(sets, [
      'cloudburst repair 01J --peer node3 --set goal.owner=…',
      "cloudburst repair 01J --peer node3 --set 'site/m>team:goal.lead'=…",
      "cloudburst repair 01J --peer node3 --set 'site/m>user:goal.name'=…"
    ])
  })

  it('offers the methods that were passed over or have failed, but not the one that failed last', () => {
    const candidates = (['files', 'nginx', 'apache'] as const).map(method => ({ method, verdict: 'failed' as const }))
    const commands = tryCommands(suspension({ candidates }), options).filter(command => command.includes('--method'))
    assert.deepEqual(commands, ['cloudburst repair 01J --peer node3 --method nginx', 'cloudburst repair 01J --peer node3 --method apache'])
  })

  it('says how to see what comes after, unless nothing can be planned', () => {
    const later = (code: Suspension['code']): boolean =>
      suspensionReport(suspension({ code }), options).some(line => line.includes('cloudburst repair 01J --peer node3 --plan'))
    assert.deepEqual([later('step-failed'), later('config-incomplete')], [true, false])
  })

  it('names the variables of the environment that carry values, not what is in them', () => {
    const lines = suspensionReport(suspension({ step: { ...step, env: ['CB_GOAL_WORD'] } }), options)
    assert.ok(lines.includes('  env      CB_GOAL_WORD'))
  })

  it('counts what is too much to show', () => {
    const kept = Array.from({ length: 40 }, (_, at) => `step ${at}`)
    const lines = suspensionReport(suspension({ kept }), options)
    assert.ok(lines.some(line => line.includes('… and 29 more')))
    assert.ok(lines.length < 30)
  })

  it('masks secrets', () => {
    const lines = suspensionReport(suspension({ values: { 'goal.password': { sealed: 'password' } } }), options)
    assert.ok(lines.some(line => line.endsWith('goal.password = ***')))
  })
})

const options = { id: '01J', colour: false, suffix: ['--peer', 'node3'] }

const step = {
  step: 'site/files/serve',
  show: 'serve 80',
  place: { file: 'site.xml', line: 7, col: 3 },
  attempt: 1,
  durationMs: 30
}

function suspension(some: Partial<Suspension>): Suspension {
  return {
    code: 'step-failed',
    reason: 'exit 1',
    step,
    candidates: [
      { method: 'files', verdict: 'selected' },
      { method: 'nginx', verdict: 'rejected' }
    ],
    kept: [],
    values: { 'goal.port': { value: 80 } },
    ...some
  }
}
