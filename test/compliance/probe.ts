import assert from 'node:assert/strict'
import type { Fact, FactQuery, Probe } from '../../src/goals/ports.ts'

/** What every Probe must do. @param known questions with their answers in the world that `open` makes */
export function aProbe(known: ReadonlyMap<FactQuery, Fact>, open: () => Promise<Probe>): void {
  it('answers in the order of the questions', async () => {
    const queries = [...known.keys()]
    assert.deepEqual(await (await open()).gather(queries), [...known.values()])
    assert.deepEqual(await (await open()).gather(queries.toReversed()), [...known.values()].reverse())
  })

  it('answers what cannot be answered without an error', async () => {
    const facts = await (await open()).gather([
      { kind: 'file', test: 'exists', path: '/no/such/file' },
      { kind: 'env', name: 'CB_NO_SUCH_VARIABLE' },
      { kind: 'shell', argv: ['/no/such/program'], timeoutMs: 1000 },
      { kind: 'state', path: 'nodes.nobody' }
    ])
    assert.deepEqual(facts, [
      { kind: 'bool', value: false },
      { kind: 'text', value: undefined },
      { kind: 'shell', code: 127, stdout: '' },
      { kind: 'tree', value: undefined }
    ])
  })
}
