import assert from 'node:assert/strict'
import type { GoalEventBody } from '../../../src/goals/pursuit/events.ts'
import { eventRenderer, quietest, renderEvents, type RenderItem, type RenderOptions } from '../../../src/goals/render/events.ts'
import { eventsOf, failing, repaired } from '../../fakes/agency.ts'

const ID = '01JD0000000000000000000000'

describe('the lines of a goal', () => {
  it('are one a step, then the report and the totals', () => {
    assert.deepEqual(lines(failing), [
      `publish (site@ab12cd34) ${ID}`,
      '  ok       0.1 s  make the directory',
      '  failed   30 ms  listen 80: exit 1',
      '',
      'suspended: files/configure failed: exit 1',
      '  step     files/configure',
      '  at       site.xml:12:3',
      '  command  listen 80',
      '  ended    exit 1 after 30 ms',
      '  output   | port 80 is not free',
      '  methods  files selected',
      '           nginx rejected: nginx is not installed',
      '  kept     1 step done; it will not run again',
      '             make the directory (files/make)',
      `  later    what would run again and what comes after: cloudburst repair ${ID} --peer node3 --plan`,
      '  values   goal.port = 80',
      `  try      cloudburst repair ${ID} --peer node3 --set goal.port=…`,
      `           cloudburst repair ${ID} --peer node3 --retry`,
      `           cloudburst repair ${ID} --peer node3 --method nginx`,
      `           cloudburst repair ${ID} --peer node3 --program FILE.xml`,
      `           cloudburst repair ${ID} --peer node3 --skip files/configure --why …`,
      `           cloudburst cancel ${ID} --peer node3`,
      '',
      'suspended: 1 done, 1 failed, 0.9 s'
    ])
  })

  it('go on after a repair, and end with the totals of all', () => {
    assert.deepEqual(lines(repaired).slice(-4), [
      'repaired by node1: retry goal.port=8080',
      'goes on',
      '  ok       30 ms  listen 8080',
      'completed: 2 done, 1 failed, 1.4 s'
    ])
  })

  it('tell a failure in full when the goal goes on another way', () => {
    const otherWay: GoalEventBody[] = [
      ...failing.slice(0, -1),
      { type: 'method-failed', instance: 'publish', method: 'files', reason: 'exit 1' },
      { type: 'completed', outcome: 'completed', results: {} }
    ]
    assert.deepEqual(lines(otherWay).slice(-3, -1), ['           at site.xml:12:3: listen 80', '           | port 80 is not free'])
  })

  it('narrate goals, methods and described steps', () => {
    const narrated = lines(repaired, { narrate: true }).filter(line => line.startsWith('#'))
    assert.deepEqual(narrated, [
      '# BEGIN publish : Publish the site',
      '# BEGIN files',
      '# BEGIN files/make : make the directory',
      '# END   files/make : make the directory',
      '# END   files',
      '# END   publish : Publish the site'
    ])
  })

  it('tell configuration and verdicts of methods', () => {
    const told = lines(failing, { goals: true })
    assert.ok(told.includes('  goal.port = 80   # validated, default, site.xml:4'))
    assert.ok(told.includes('  method nginx rejected: nginx is not installed'))
  })

  it('have file and line before them when asked', () => {
    assert.ok(lines(failing, { lines: true }).includes('site.xml:12: $ listen 80'))
  })

  it('show values that were read with -v', () => {
    assert.ok(lines(failing, { verbose: 1 }).includes('    goal.port = 80'))
    assert.ok(!lines(failing).includes('    goal.port = 80'))
  })

  it('show output as whole lines, however it was cut, and its end', () => {
    const [proposed, , , , , began, ended] = eventsOf(failing).map((event): RenderItem => ({ type: 'event', event }))
    const output = (text: string, offset: number): RenderItem => ({
      type: 'output',
      step: 'files/make',
      attempt: 1,
      stream: 'stdout',
      offset,
      text
    })
    const items = [proposed!, began!, output('one\ntw', 0), output('o\n\u001b[2Jend', 6), ended!]
    const shown = renderEvents(items, { ...quietest, echo: true }).filter(line => line.startsWith('  |'))
    assert.deepEqual(shown, ['  | one', '  | two', '  | \\x1b[2Jend'])
  })

  it('are the same live and replayed', () => {
    const items = eventsOf(repaired).map((event): RenderItem => ({ type: 'event', event }))
    const live = eventRenderer(options({}))
    assert.deepEqual(
      items.flatMap(item => live.next(item)),
      renderEvents(items, options({}))
    )
  })

  it('know what runs now', () => {
    const renderer = eventRenderer(options({}))
    for (const event of eventsOf(failing.slice(0, 6))) renderer.next({ type: 'event', event })
    assert.deepEqual(
      renderer.running().map(step => step.text),
      ['make the directory']
    )
  })

  it('leave out variables that were set, unless asked', () => {
    const update: GoalEventBody[] = [
      failing[0]!,
      { ...(failing[5] as Extract<GoalEventBody, { type: 'step-began' }>), kind: 'update', show: 'agent.x = 1', describe: 'set x' },
      failing[6]!
    ]
    assert.deepEqual(lines(update).slice(1), [])
    assert.equal(lines(update, { goals: true }).length, 2)
  })

  it('neutralise what programs and peers say', () => {
    const evil: GoalEventBody[] = [
      { ...failing[0]!, goal: 'x\u001b[2J' } as GoalEventBody,
      { type: 'suspended', code: 'denied', reason: '\u001b]0;owned\u0007' }
    ]
    assert.ok(lines(evil).every(line => !line.includes('\u001b')))
  })
})

function options(some: Partial<RenderOptions>): RenderOptions {
  return { ...quietest, suffix: ['--peer', 'node3'], ...some }
}

function lines(bodies: readonly GoalEventBody[], some: Partial<RenderOptions> = {}): string[] {
  return renderEvents(
    eventsOf(bodies).map((event): RenderItem => ({ type: 'event', event })),
    options(some)
  )
}
