import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { openrcScript, sudoersText, systemdUnit, sysvScript } from '../../../src/node/delivery/service-files.ts'

const service = { daemon: '/opt/cloudburst/current/bin/cloudburstd', cli: '/opt/cloudburst/current/bin/cloudburst', user: 'cloudburst' }

describe('the files of a service', () => {
  it('tell systemd that the daemon says when it serves, and that its steps outlive it', () => {
    const unit = systemdUnit(service)
    for (const line of [
      'Type=notify',
      'KillMode=process',
      'User=cloudburst',
      'NoNewPrivileges=yes',
      'WatchdogSec=60',
      'Environment=XDG_STATE_HOME=/var/lib'
    ])
      assert.ok(unit.split('\n').includes(line), line)
  })

  it('take nothing away from root, when it was asked for', () => {
    assert.doesNotMatch(systemdUnit({ ...service, user: 'root' }), /NoNewPrivileges|Protect/)
  })

  it('are scripts that a shell reads', () => {
    for (const script of [openrcScript(service), sysvScript(service)]) {
      const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    }
  })

  it('let a person start and stop the daemon, and nothing more', () => {
    const commands = sudoersText('ann', service)
      .match(/CLOUDBURST = (.*)/)?.[1]
      ?.split(', ')
    assert.deepEqual(
      commands,
      ['start-daemon', 'start-daemon --restart', 'stop-daemon'].map(words => `${service.cli} ${words}`)
    )
  })
})
