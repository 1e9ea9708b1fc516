import assert from 'node:assert/strict'
import { cli } from '../../../src/cli/cli.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('run', () => {
  it('refuses a time to reach peers when none is named', async () => {
    const io = fakeIo()
    assert.equal(await cli(['run', '--timeout', '5s', '--', 'true'], io), 64)
    assert.match(io.said.stderr, /--timeout is how long to try to reach peers, and none is named/)
  })
})
