import assert from 'node:assert/strict'
import { machineProbe, type ProbeNeeds } from '../../src/node/probe.ts'
import type { Fact, FactQuery } from '../../src/goals/ports.ts'
import { aProbe } from '../compliance/probe.ts'
import { fakeProbe } from '../fakes/world.ts'

const known = new Map<FactQuery, Fact>([
  [
    { kind: 'file', test: 'directory', path: '/' },
    { kind: 'bool', value: true }
  ],
  [
    { kind: 'file', test: 'file', path: '/' },
    { kind: 'bool', value: false }
  ],
  [
    { kind: 'file', test: 'executable', path: '/bin/sh' },
    { kind: 'bool', value: true }
  ],
  [
    { kind: 'file', test: 'executable', path: '/' },
    { kind: 'bool', value: false }
  ],
  [
    { kind: 'env', name: 'GREETING' },
    { kind: 'text', value: 'hello' }
  ],
  [
    { kind: 'shell', argv: ['sh', '-c', 'echo $GREETING; exit 3'], timeoutMs: 5_000 },
    { kind: 'shell', code: 3, stdout: 'hello\n' }
  ],
  [
    { kind: 'state', path: 'nodes.web1.host.os' },
    { kind: 'tree', value: { value: 'linux' } }
  ],
  [
    { kind: 'now', at: 'x' },
    { kind: 'text', value: '1970-01-01T00:00:01.000Z' }
  ]
])

describe('the fake probe', () => {
  const facts = new Map([...known].map(([query, fact]) => [JSON.stringify(query), fact]))
  aProbe(known, async () => fakeProbe(facts))
})

describe('the probe of this machine', () => {
  const env = { PATH: process.env['PATH'], GREETING: 'hello' }
  const needs: ProbeNeeds = { now: () => 1_000, env, state: path => (path === 'nodes.web1.host.os' ? { value: 'linux' } : undefined) }
  const probe = machineProbe(needs)
  aProbe(known, async () => probe)

  describe('in a process that does nothing else', () => aProbe(known, async () => machineProbe({ ...needs, isAlone: true })))

  it('ends a pure shell and all it has started when its time is over', async () => {
    const began = performance.now()
    const [fact] = await probe.gather([{ kind: 'shell', argv: ['sh', '-c', 'echo so far; sleep 60 & sleep 60'], timeoutMs: 200 }])
    assert.deepEqual(fact, { kind: 'shell', code: 124, stdout: 'so far\n' })
    assert.ok(performance.now() - began < 1_500)
  })

  it('keeps the first part of a long answer', async () => {
    const [fact] = await probe.gather([{ kind: 'shell', argv: ['sh', '-c', 'head -c 1000000 /dev/zero'], timeoutMs: 5_000 }])
    assert.equal(fact?.kind === 'shell' && fact.stdout.length, 256 * 1024)
  })

  it('gives each identifier once', async () => {
    const [one, two] = await probe.gather([
      { kind: 'uuid', at: 'a' },
      { kind: 'uuid', at: 'b' }
    ])
    assert.notDeepEqual(one, two)
  })
})
