import assert from 'node:assert/strict'
import { mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../../src/cli/cli.ts'
import { withoutShells } from '../../../src/goals/plan/without-shells.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('a probe without shells', () => {
  it('answers all but shells, in the order of the questions', async () => {
    const asked: string[] = []
    const probe = withoutShells({
      gather: async queries =>
        queries.map(query => {
          asked.push(query.kind)
          return { kind: 'bool', value: true }
        })
    })
    const shell = { kind: 'shell', argv: ['true'], timeoutMs: 1 } as const
    const file = { kind: 'file', test: 'exists', path: '/' } as const
    assert.deepEqual(await probe.gather([shell, file]), [
      { kind: 'tree', value: { unknown: true } },
      { kind: 'bool', value: true }
    ])
    assert.deepEqual(asked, ['file'])
  })
})

describe('plan --no-probe', () => {
  it('runs no shell, not even a pure one, and takes what it would say for possible', async () => {
    const home = mkdtempSync(join(tmpdir(), 'cb-'))
    try {
      const touched = join(home, 'touched')
      const file = join(home, 'p.xml')
      const guard = `<pre><shell pure="true"><send>touch ${touched}; false</send></shell></pre>`
      writeFileSync(
        file,
        `<cloudburst name="p"><goalProto name="g"><variable name="v"><shell pure="true" value="stdout"><send>touch ${touched}; echo 1</send></shell></variable>
<method name="late"><shell><send>echo late</send></shell></method>
<method name="m" priority="1">${guard}<shell><send>echo <get>goal.v</get></send></shell></method></goalProto></cloudburst>`
      )
      const plan = async (...words: string[]): Promise<string> => {
        const io = fakeIo({ cwd: home, env: { HOME: home, PATH: process.env['PATH'] ?? '' } })
        assert.equal(await cli(['plan', file, 'g', '--home', join(home, 'home'), ...words], io), 0, io.said.stderr)
        return io.said.stdout
      }
      assert.match(await plan('--no-probe'), /echo \$\{goal\.v\}/)
      assert.ok(!existsSync(touched), 'nothing was run')
      assert.match(await plan(), /echo late/)
      assert.ok(existsSync(touched))
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })
})
