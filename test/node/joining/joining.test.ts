import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { initHome, resolveHome } from '../../../src/node/home.ts'
import { makeJoining } from '../../../src/node/joining/joining.ts'
import { openNeighborhood } from '../../../src/node/neighborhood/neighborhood.ts'
import { openPermissions } from '../../../src/node/permissions/permissions.ts'

describe('a newcomer', () => {
  const log = pino({ level: 'silent' })
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('that comes twice with two tickets has one permit; with other rights it has another', () => {
    const home = resolveHome(directory, {}, 1000)
    initHome(home, { name: 'here' })
    const permissions = openPermissions(home.permissions, log)
    const neighborhood = openNeighborhood(home.neighborhood, log)
    const tickets = { outstanding: () => Promise.resolve(false), use: () => Promise.resolve(undefined) }
    const joining = makeJoining({ take: () => undefined, home, neighborhood, permissions, tickets: tickets as never, log })
    try {
      const { peer } = generateIdentity()
      const admit = (capabilities: readonly ('agency:hello' | 'goal:plan')[]): void =>
        joining.admit({ peer, name: 'there', addresses: [] }, { capabilities } as never)
      admit(['agency:hello'])
      admit(['agency:hello'])
      assert.equal(permissions.current.permits.filter(permit => permit.peer === peer).length, 1)
      admit(['agency:hello', 'goal:plan'])
      assert.equal(permissions.current.permits.filter(permit => permit.peer === peer).length, 2)
    } finally {
      joining.close()
      permissions.close()
      neighborhood.close()
    }
  })
})
