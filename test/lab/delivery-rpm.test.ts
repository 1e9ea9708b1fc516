import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'
import type { Host } from './hosts/host.ts'
import { type Hub, openHub } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const TOOLS = ['rpmbuild', 'rpmsign', 'createrepo_c', 'gpg']
const KEY = 'lab@example.org'

describe('delivering by rpm and yum', function () {
  this.timeout(600_000)
  let lab: Lab
  let hub: Hub
  let host: Host

  before(async function () {
    const missing = TOOLS.filter(tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
    const why = whyNoLab() ?? (missing.length > 0 ? `packages of rpm are made with ${missing.join(', ')}` : undefined)
    if (why !== undefined) skip(this, why)
    lab = openLab()
    const gnupg = join(lab.directory, 'gnupg')
    mkdirSync(gnupg, { mode: 0o700 })
    const env = { ...process.env, GNUPGHOME: gnupg }
    execFileSync('gpg', ['--batch', '--quiet', '--passphrase', '', '--quick-gen-key', KEY, 'rsa3072'], { env, stdio: 'pipe' })
    for (const version of ['0.9.1', '0.9.2']) {
      const words = [
        join(root, 'scripts/package.mjs'),
        '--no-build',
        '--as',
        version,
        '--rpm',
        '--sign',
        KEY,
        '--out',
        join(lab.directory, version)
      ]
      execFileSync(process.execPath, words, { cwd: root, env, stdio: 'pipe' })
    }
    execFileSync('gpgconf', ['--kill', 'gpg-agent'], { env })
    ;[hub, host] = await Promise.all([openHub(lab), lab.host({ name: 'yum', systemd: true })])
    asRedHat(host)
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it('makes a member of a host by dnf', async () => {
    const [row] = await delivered('0.9.1')
    assert.equal(row?.state, 'delivered')
    assert.equal(host.run('rpm -q cloudburst').trim(), 'cloudburst-0.9.1-1.x86_64')
    assert.equal(host.run('systemctl show -P ActiveState -P UnitFileState cloudburst').trim(), 'active\nenabled')
    assert.equal(host.run('systemctl show -P User cloudburst').trim(), 'cloudburst')
    const [again] = await delivered('0.9.1')
    assert.equal(again?.state, 'as it was')
  })

  it('finds nothing changed by rpm -V, and finds what was', () => {
    host.run('rpm -V cloudburst >&2')
    host.run('cp -p /usr/lib/cloudburst/current/LICENSE /tmp/LICENSE && echo more >>/usr/lib/cloudburst/current/LICENSE')
    assert.ok(!host.holds('rpm -V cloudburst'))
    host.run('cp -p /tmp/LICENSE /usr/lib/cloudburst/current/LICENSE && rpm -V cloudburst')
  })

  it('upgrades and downgrades, and the node stays the same', async () => {
    const before = host.run('cat /usr/lib/cloudburst/node')
    for (const version of ['0.9.2', '0.9.1']) {
      const [row] = await delivered(version)
      assert.equal(row?.state, 'delivered')
      assert.equal(row?.peer, before.trim())
      assert.equal(host.run('rpm -q cloudburst').trim(), `cloudburst-${version}-1.x86_64`)
      assert.match(host.run('readlink -f /proc/$(systemctl show -P MainPID cloudburst)/exe'), new RegExp(`/releases/${version}-`))
    }
  })

  it('is upgraded from a yum repository whose packages are signed', () => {
    const folder = join(host.root, 'srv/repo')
    mkdirSync(folder, { recursive: true })
    for (const version of ['0.9.1', '0.9.2']) cpSync(join(lab.directory, version, 'rpm'), folder, { recursive: true })
    execFileSync('createrepo_c', ['--quiet', folder])
    const repository = [
      '[cloudburst]',
      'name=Cloudburst',
      'baseurl=file:///srv/repo',
      'gpgcheck=1',
      'gpgkey=file:///srv/repo/RPM-GPG-KEY-cloudburst',
      'metadata_expire=0',
      ''
    ]
    writeFileSync(join(host.root, 'etc/yum.repos.d/cloudburst.repo'), repository.join('\n'))
    host.run('yum -y -q upgrade cloudburst')
    assert.equal(host.run('rpm -q cloudburst').trim(), 'cloudburst-0.9.2-1.x86_64')
    host.run('systemctl is-active cloudburst')
  })

  it('refuses a package that was changed after it was signed', () => {
    host.run(
      'rpm --import /srv/repo/RPM-GPG-KEY-cloudburst; cp /srv/repo/cloudburst-0.9.1-1.x86_64.rpm /tmp/changed.rpm; rpm -K /tmp/changed.rpm'
    )
    host.run('printf x | dd of=/tmp/changed.rpm bs=1 seek=20000000 conv=notrunc 2>/dev/null')
    assert.ok(!host.holds('rpm -K /tmp/changed.rpm'))
  })

  it('leaves nothing but configuration that somebody changed when it is removed', () => {
    host.run('echo "A=1" >>/etc/sysconfig/cloudburst; yum -y -q remove cloudburst')
    const left = host.run(
      'find / -xdev -name "*cloudburst*" -not -path "/var/lib/dnf/*" -not -path "/var/cache/*" -not -path "/var/log/*" -not -path "/srv/*" -not -path "/proc/*" -not -path "/etc/yum.repos.d/*" -not -path "/sys/*" -not -path "/run/*" | sort'
    )
    assert.equal(left, '/etc/cloudburst\n/etc/sysconfig/cloudburst.rpmsave\n')
    assert.equal(host.run('ls /etc/cloudburst'), 'neighborhood.xml\npermissions.xml\nprograms\n')
    assert.ok(!host.holds('pgrep -u cloudburst'))
  })

  async function delivered(version: string): Promise<readonly { state: string; peer?: string }[]> {
    const said = await hub.deliver(
      `alice@${host.address}`,
      '--sudo',
      '--via',
      'rpm',
      '--artefact',
      join(lab.directory, version),
      '-o',
      'json'
    )
    assert.equal(said.code, 0, said.stderr)
    return JSON.parse(said.stdout)
  }
})

/** A Debian with the habits of the other family: its own package database where rpm expects it, yum, and a package that stands for /bin/sh. */
function asRedHat(host: Host): void {
  for (const folder of ['etc/yum.repos.d', 'etc/rpm']) mkdirSync(join(host.root, folder), { recursive: true })
  writeFileSync(join(host.root, 'etc/rpm/macros'), '%_dbpath /var/lib/rpm\n')
  writeFileSync(join(host.root, 'etc/dnf/dnf.conf'), '[main]\nplugins=0\nreposdir=/etc/yum.repos.d\n')
  writeFileSync(
    join(host.root, 'srv/base.spec'),
    'Name: base\nVersion: 1\nRelease: 1\nSummary: what this system has already\nLicense: none\nBuildArch: noarch\nProvides: /bin/sh\n%description\n%files\n'
  )
  host.run('ln -sf dnf /usr/bin/yum; mkdir -p /var/lib/rpm; rpm --initdb')
  execFileSync('rpmbuild', ['-bb', '--quiet', '--define', `_topdir ${join(host.root, 'srv/rpmbuild')}`, join(host.root, 'srv/base.spec')], {
    stdio: 'pipe'
  })
  host.run('rpm -i /srv/rpmbuild/RPMS/noarch/base-1-1.noarch.rpm; rm -rf /srv/rpmbuild /srv/base.spec')
}
