import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type Mesh, mesh } from './mesh.ts'

const SERVICES = ['/etc/systemd/system/cloudburst.service', '/etc/init.d/cloudburst']

describe('start-daemon', function () {
  this.timeout(60_000)
  let m: Mesh
  before(async () => {
    m = await mesh(1, { started: false })
  })
  after(async () => {
    await m?.node(1).cli('stop-daemon')
    await m?.stop()
  })

  it('starts the daemon of a home in the background, and stop-daemon ends that one: the service of the machine is none of theirs', async () => {
    const services = SERVICES.map(path => existsSync(path))
    const { cli } = m.node(1)
    const started = await cli('start-daemon')
    assert.equal(started.exit, 0, started.stderr)
    assert.match(started.stdout, /runs as a process in the background\npeer 12D3/)
    assert.match((await cli('start-daemon')).stdout, /runs as a process in the background/, 'again')
    assert.equal((await cli('hello')).exit, 0)
    assert.equal((await cli('stop-daemon')).exit, 0)
    assert.equal((await cli('hello')).exit, 1)
    assert.deepEqual(
      SERVICES.map(path => existsSync(path)),
      services
    )
  })

  it('makes no service for a home that is not the machine’s', async () => {
    const refused = await m.node(1).cli('start-daemon', '--service', 'sysv')
    assert.equal(refused.exit, 64, refused.stdout)
    assert.match(refused.stderr, /a service of sysv is for the home of the machine, not for .*--service background/)
  })
})
