import assert from 'node:assert/strict'
import { exposition } from '../../../src/node/health/metrics.ts'

describe('metrics', () => {
  it('are told as Prometheus reads them, with labels quoted', () => {
    const text = exposition([
      {
        name: 'cloudburst_peers',
        type: 'gauge',
        help: 'Known nodes by status.',
        samples: [
          { labels: { status: 'up' }, value: 2 },
          { labels: { status: 'a "b"\\\nc' }, value: 0.5 }
        ]
      },
      { name: 'cloudburst_events_total', type: 'counter', help: 'Events.', samples: [{ value: 7 }] }
    ])
    assert.equal(
      text,
      [
        '# HELP cloudburst_peers Known nodes by status.',
        '# TYPE cloudburst_peers gauge',
        'cloudburst_peers{status="up"} 2',
        'cloudburst_peers{status="a \\"b\\"\\\\\\nc"} 0.5',
        '# HELP cloudburst_events_total Events.',
        '# TYPE cloudburst_events_total counter',
        'cloudburst_events_total 7',
        ''
      ].join('\n')
    )
  })
})
