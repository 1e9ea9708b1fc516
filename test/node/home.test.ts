import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudburstError } from '../../src/errors.ts'
import { initHome, loadIdentity, openHome, resolveHome } from '../../src/node/home.ts'
import { openPermissions } from '../../src/node/permissions/permissions.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

function coded(code: string): (error: unknown) => boolean {
  return error => error instanceof CloudburstError && error.code === code
}

describe('a home', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'home-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('has everything below --home, or $CLOUDBURST_HOME', () => {
    const home = resolveHome('/h', {}, 1000)
    for (const path of Object.values(home)) assert.ok(path.startsWith('/h'), path)
    assert.deepEqual(resolveHome(undefined, { CLOUDBURST_HOME: '/h' }, 0), home)
    assert.equal(home.socket, '/h/control/socket')
  })

  it('is in the XDG directories otherwise, and for root below /etc and /var/lib', () => {
    const user = resolveHome(undefined, { HOME: '/home/u' }, 1000)
    assert.deepEqual(
      [user.neighborhood, user.identityKey, user.socket],
      [
        '/home/u/.config/cloudburst/neighborhood.xml',
        '/home/u/.local/state/cloudburst/identity.key',
        '/home/u/.local/state/cloudburst/control/socket'
      ]
    )
    const named = resolveHome(undefined, { HOME: '/home/u', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, 1000)
    assert.deepEqual([named.permissions, named.state], ['/c/cloudburst/permissions.xml', '/s/cloudburst/state'])
    const root = resolveHome(undefined, {}, 0)
    assert.deepEqual([root.permissions, root.state], ['/etc/cloudburst/permissions.xml', '/var/lib/cloudburst/state'])
  })

  it('is made once', () => {
    const home = resolveHome(join(directory, 'new'))
    assert.throws(() => openHome(home), coded('CB_HOME_MISSING'))
    const { peer } = initHome(home, { name: 'n1' })
    assert.equal(loadIdentity(home).peer, peer)
    assert.throws(() => initHome(home, { name: 'n2' }), coded('CB_HOME_EXISTS'))
    assert.match(readFileSync(home.neighborhood, 'utf8'), /<node name="n1">/)
    openHome(home)
    for (const path of [home.control, home.state, home.run]) assert.equal(statSync(path).mode & 0o777, 0o700, path)
  })

  it('leaves nothing behind when the name is none', () => {
    const home = resolveHome(join(directory, 'new'))
    assert.throws(() => initHome(home, { name: 'a b' }), coded('CB_NEIGHBORHOOD_INVALID'))
    assert.equal(existsSync(home.base), false)
  })

  it('keeps its key to itself', () => {
    const home = resolveHome(join(directory, 'new'))
    initHome(home, { name: 'n1' })
    assert.equal(statSync(home.identityKey).mode & 0o777, 0o600)
    chmodSync(home.identityKey, 0o640)
    assert.throws(() => loadIdentity(home), new RegExp(`chmod 600 ${home.identityKey}`))
  })

  it('is not believed when others may write permissions.xml, or a directory above it', () => {
    const home = resolveHome(join(directory, 'new'))
    initHome(home, { name: 'n1' })
    chmodSync(home.permissions, 0o666)
    assert.throws(() => openPermissions(home.permissions, quiet), coded('CB_FILE_UNSAFE'))
    chmodSync(home.permissions, 0o644)
    chmodSync(directory, 0o775)
    assert.throws(() => openPermissions(home.permissions, quiet), new RegExp(`chmod go-w ${directory}$`))
    chmodSync(directory, 0o755)
    openPermissions(home.permissions, quiet).close()
  })
})
