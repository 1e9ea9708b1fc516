import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { skip } from '../../skip.ts'
import type { Host } from './host.ts'
import { whyNoLab } from './image.ts'
import { type Lab, openLab } from './lab.ts'

describe('the lab of hosts', function () {
  this.timeout(600_000)
  let lab: Lab
  let light: Host
  let booted: Host

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    ;[light, booted] = await Promise.all([lab.host({ name: 'light' }), lab.host({ name: 'booted', systemd: true })])
  })

  after(() => {
    lab?.close()
    const { stdout } = spawnSync('mount', { encoding: 'utf8' })
    if (lab !== undefined) assert.ok(!stdout.includes(lab.directory), 'mounts are left')
  })

  it('has hosts with names, users and processes of their own', () => {
    assert.equal(ssh(light, 'alice', 'hostname; id -un').stdout, 'light\nalice\n')
    assert.equal(ssh(booted, 'carol', 'hostname; id -un').stdout, 'booted\ncarol\n')
    assert.ok(light.run('ps -e | wc -l').trim().length < 3)
  })

  it('has users with sudo, with sudo by password, and without', () => {
    assert.equal(ssh(light, 'alice', 'sudo -n id -u').stdout, '0\n')
    assert.equal(ssh(light, 'bob', 'sudo -n true').status, 1)
    assert.equal(ssh(light, 'carol', 'sudo -n true').status, 1)
  })

  it('boots systemd where it is asked to', () => {
    assert.match(booted.run('systemctl show --property=Version'), /^Version=\d/)
    assert.ok(!light.holds('test -d /run/systemd/system'))
  })

  it('lets hosts reach this machine and each other', () => {
    assert.ok(light.holds(`ping -c 1 -W 5 ${lab.address}`))
    assert.ok(light.holds(`ping -c 1 -W 5 ${booted.address}`))
  })

  it('cuts a cable', () => {
    light.cable(false)
    assert.ok(!light.holds(`ping -c 1 -W 1 ${lab.address}`))
    light.cable(true)
    assert.ok(light.holds(`ping -c 3 -W 5 ${lab.address}`))
  })

  function ssh(host: Host, user: string, command: string) {
    const options = ['-i', lab.key, `-oUserKnownHostsFile=${lab.knownHosts}`, '-oBatchMode=yes', '-oLogLevel=ERROR']
    return spawnSync('ssh', [...options, `${user}@${host.address}`, command], { encoding: 'utf8' })
  }
})
