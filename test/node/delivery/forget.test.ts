import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity } from '../../../src/crypto/identity.ts'
import { forget } from '../../../src/node/delivery/forget.ts'
import { initHome, resolveHome } from '../../../src/node/home.ts'
import { addNeighbour } from '../../../src/node/neighborhood/neighborhood.ts'
import { addPermit } from '../../../src/node/permissions/permissions.ts'

describe('forgetting a node', () => {
  it('takes its neighbour and its permits out, and leaves everything else as it was', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cb-forget-'))
    try {
      const home = resolveHome(directory)
      initHome(home, { name: 'here' })
      const [gone, stays] = [generateIdentity().peer, generateIdentity().peer]
      const files = [home.neighborhood, home.permissions]
      const add = (peer: string, name: string): void => {
        addNeighbour(home.neighborhood, { peer, name, addresses: ['/ip4/192.0.2.1/tcp/4710'] })
        addPermit(home.permissions, { email: `node@${name}`, peer, capabilities: ['agency:hello', 'goal:dispatch'], lifetime: 'P1D' })
      }
      add(stays, 'stays')
      const before = files.map(file => readFileSync(file, 'utf8'))
      add(gone, 'gone')
      addPermit(home.permissions, { email: 'node@gone', peer: gone, capabilities: ['state:read'], lifetime: 'P1D' })
      forget(home, gone)
      assert.deepEqual(
        files.map(file => readFileSync(file, 'utf8')),
        before
      )
      forget(home, gone)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
