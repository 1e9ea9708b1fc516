import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import { BOBS_PASSWORD, type Host } from './hosts/host.ts'
import { broken, type Hub, openHub, packaged } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

/** A second run with nothing to do, in milliseconds, on a machine that does other things too. */
const NOTHING_TO_DO_MS = 5_000

describe('delivering to real hosts', function () {
  this.timeout(600_000)
  let lab: Lab
  let hub: Hub
  let light: Host
  let booted: Host
  let first: string
  let second: string

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    first = packaged('0.9.1')
    second = packaged('0.9.2')
    ;[hub, light, booted] = await Promise.all([openHub(lab), lab.host({ name: 'light' }), lab.host({ name: 'booted', systemd: true })])
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it('makes a bare host a member, streamed to a shell, without root', async () => {
    const [row] = await delivered(`carol@${light.address}`, '--artefact', first, '--label', 'role=web')
    assert.equal(row?.state, 'delivered')
    const peer = (await hub.peers()).find(({ name }) => name === 'light')
    assert.equal(peer?.status, 'up')
    assert.equal(peer?.peer, row?.peer)
    assert.equal(peer?.labels['role'], 'web')
    assert.equal(processes(light), 'carol')
  })

  it('does nothing the second time, and soon', async () => {
    const started = performance.now()
    const [row] = await delivered(`carol@${light.address}`, '--artefact', first)
    assert.equal(row?.state, 'as it was')
    assert.ok(performance.now() - started < NOTHING_TO_DO_MS, `${performance.now() - started} ms`)
  })

  it('pursues a goal on the new member', async () => {
    const said = await hub.cloudburst('dispatch', 'inventory', '--peer', 'light')
    assert.equal(said.code, 0, `${said.stdout}${said.stderr}`)
  })

  it('sends only what is missing when another release comes, and goes back to the one before', async () => {
    const [row] = await delivered(`carol@${light.address}`, '--artefact', second)
    assert.match(row?.release ?? '', /^0\.9\.2-/)
    assert.ok(sameFile(light, 'runtime/node'), 'Node was sent again')
    const said = await hub.deliver(`carol@${light.address}`, '--rollback')
    assert.equal(said.code, 0, said.stderr)
    assert.match(light.run('readlink /home/carol/.local/lib/cloudburst/current'), /0\.9\.1-/)
    assert.match((await hub.cloudburst('hello', '--peer', 'light')).stdout, /node +light/)
  })

  it('goes back by itself to the release before when the new one does not start', async () => {
    const said = await hub.deliver(
      `carol@${light.address}`,
      '--artefact',
      broken(first, join(lab.directory, 'broken'), 'echo error: gone wrong >&2; exit 1')
    )
    assert.equal(said.code, 1, said.stdout)
    assert.match(said.stderr, /it does not start: .*the daemon does not start: gone wrong/)
    assert.match(light.run('readlink /home/carol/.local/lib/cloudburst/current'), /0\.9\.1-/)
    const [row] = await delivered(`carol@${light.address}`, '--artefact', first)
    assert.equal(row?.state, 'as it was')
  })

  it('installs a service of systemd by sudo with a password, copied by sftp', async () => {
    booted.run(
      "setsid sh -c 'touch /watch; while [ -e /watch ]; do cat /proc/[0-9]*/cmdline >>/arguments 2>/dev/null; sleep 0.02; done' >/dev/null 2>&1 </dev/null &"
    )
    const file = join(lab.directory, 'password')
    writeFileSync(file, `${BOBS_PASSWORD}\n`, { mode: 0o600 })
    const [row] = await delivered(`bob@${booted.address}`, '--artefact', first, '--sudo', '--via', 'scp', '--become-password-file', file)
    assert.equal(row?.state, 'delivered')
    assert.equal(booted.run('systemctl show -P ActiveState -P UnitFileState -P Type cloudburst').trim(), 'notify\nactive\nenabled')
    assert.equal(processes(booted), 'cloudburst')
    assert.ok(!booted.holds('ls /home/bob/.cache/cloudburst/*.tar.gz'), 'the archive was left')
  })

  it('survives the death of the daemon, by systemd', async () => {
    booted.run('kill -9 $(systemctl show -P MainPID cloudburst)')
    booted.run(
      'for try in $(seq 100); do systemctl is-active -q cloudburst && [ "$(systemctl show -P NRestarts cloudburst)" = 1 ] && exit; sleep 0.2; done; exit 1'
    )
  })

  it('has a unit that systemd finds nothing wrong with, and sudoers that visudo accepts', () => {
    booted.run('systemd-analyze verify cloudburst.service')
    const snippet = booted.run('/opt/cloudburst/current/bin/cloudburst start-daemon --sudoers carol')
    assert.match(snippet, /^carol ALL=\(root\) NOPASSWD: CLOUDBURST$/m)
    booted.run(
      '/opt/cloudburst/current/bin/cloudburst start-daemon --sudoers carol >/etc/sudoers.d/cloudburst && chmod 440 /etc/sudoers.d/cloudburst'
    )
    assert.match(booted.run("runuser carol -c 'sudo -n /opt/cloudburst/current/bin/cloudburst start-daemon'"), /service of systemd/)
    assert.ok(!booted.holds("runuser carol -c 'sudo -n id'"))
  })

  it('never has a secret in the arguments of a process', async () => {
    booted.run('rm /watch')
    // All arguments of all processes while it was delivered to, and what was logged.
    const watched = booted.run("tr '\\0' ' ' </arguments")
    assert.match(watched, /cloudburst.js init --join -/)
    const journal = booted.run('journalctl -o cat --no-pager') + watched
    assert.ok(!journal.includes(BOBS_PASSWORD))
    assert.ok(!journal.includes('cb1-'))
  })

  it('leaves a script of System V where there is no systemd', async () => {
    const host = await lab.host({ name: 'sysv' })
    const [row] = await delivered(`root@${host.address}`, '--artefact', first)
    assert.equal(row?.state, 'delivered')
    assert.equal(host.run('ps -o user= -p $(cat /var/lib/cloudburst/daemon.pid)').trim(), 'cloudburst')
    host.run(
      '/etc/init.d/cloudburst stop; test ! -e /var/lib/cloudburst/daemon.pid; /etc/init.d/cloudburst start; /etc/init.d/cloudburst status'
    )
    assert.ok(host.holds('ls /etc/rc2.d/S*cloudburst /etc/logrotate.d/cloudburst'))
    const said = await hub.cloudburst('undeliver', `root@${host.address}`, ...hub.reaching)
    assert.equal(said.code, 0, said.stderr)
    assert.ok(!host.holds('ls /etc/rc2.d/S*cloudburst || ls /etc/init.d/cloudburst || ls /var/lib/cloudburst || pgrep -u cloudburst'))
  })

  it('leaves nothing behind, and forgets the node', async () => {
    const [lightPeer, bootedPeer] = ['light', 'booted'].map(name =>
      readFileSync(join(hub.home, 'neighborhood.xml'), 'utf8').includes(`name="${name}"`)
    )
    assert.deepEqual([lightPeer, bootedPeer], [true, true])
    const password = ['--become-password-file', join(lab.directory, 'password')]
    for (const words of [[`carol@${light.address}`], [`bob@${booted.address}`, '--sudo', ...password]]) {
      const said = await hub.cloudburst('undeliver', ...words, ...hub.reaching)
      assert.equal(said.code, 0, said.stderr)
    }
    const left = [
      '/opt/cloudburst',
      '/etc/cloudburst',
      '/var/lib/cloudburst',
      '/etc/systemd/system/cloudburst.service',
      '/usr/local/bin/cloudburst'
    ]
    for (const path of left) assert.ok(!booted.holds(`test -e ${path}`), path)
    for (const path of ['.local/lib/cloudburst', '.local/state/cloudburst', '.config/cloudburst'])
      assert.ok(!light.holds(`test -e /home/carol/${path}`), path)
    for (const host of [light, booted]) assert.ok(!host.holds('pgrep -f cloudburst[d]'), `${host.name} still runs it`)
    for (const file of ['neighborhood.xml', 'permissions.xml'])
      assert.doesNotMatch(readFileSync(join(hub.home, file), 'utf8'), /12D3Koo\w{20}/)
  })

  async function delivered(...words: readonly string[]): Promise<readonly { state: string; peer?: string; release?: string }[]> {
    const said = await hub.deliver(...words, '-o', 'json')
    assert.equal(said.code, 0, said.stderr)
    return JSON.parse(said.stdout)
  }

  /** Whose processes of the daemon a host has. */
  function processes(host: Host): string {
    return host.run('ps -o user= -p $(pgrep -f cloudburstd.js | head -1)').trim()
  }

  function sameFile(host: Host, path: string): boolean {
    const inode = (release: string): string => host.run(`stat -c %i $(readlink -f /home/carol/.local/lib/cloudburst/${release})/${path}`)
    return inode('current') === inode('previous')
  }
})
