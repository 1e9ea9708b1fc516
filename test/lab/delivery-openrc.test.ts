import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { skip } from '../skip.ts'
import type { Host } from './hosts/host.ts'
import { type Hub, openHub, packaged } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

/** Packages of Debian that a host has OpenRC by; kept for the next run. */
const CACHE = '/var/cache/cloudburst-lab/openrc'
const PACKAGES = ['openrc', 'librc1', 'libeinfo1', 'insserv']
/** As if OpenRC had started the host, without what is the business of a kernel. */
const STARTED = `mkdir -p /run/openrc; echo default >/run/openrc/softlevel; echo 'rc_sys="lxc"' >>/etc/rc.conf
rm -f /etc/runlevels/*/* /etc/init.d/hwclock.sh /etc/init.d/procps
openrc default`

/** With `npm run labs`. */
if (process.env['CLOUDBURST_LABS'] !== undefined)
  describe('a host with OpenRC', function () {
    this.timeout(300_000)
    let lab: Lab
    let hub: Hub
    let host: Host

    before(async function () {
      const why = whyNoLab() ?? whyNoPackages()
      if (why !== undefined) skip(this, why)
      lab = openLab()
      ;[hub, host] = await Promise.all([openHub(lab), lab.host({ name: 'rc', prepare: install })])
      host.run(STARTED)
    })

    after(async () => {
      await hub?.close()
      lab?.close()
    })

    it('has a service that survives logging out, is stopped, started and restarted', async () => {
      const said = await hub.deliver(`root@${host.address}`, '--artefact', packaged('0.9.1'))
      assert.equal(said.code, 0, said.stderr)
      assert.match(host.run('rc-update show default'), /cloudburst/)
      assert.match(host.run('rc-service cloudburst status'), /started/)
      assert.equal(host.run('ps -o user= -p $(pgrep -f cloudburstd[.]js)').trim().slice(0, 7), 'cloudbu')
      host.run('rc-service cloudburst stop')
      assert.ok(!host.holds('pgrep -f cloudburstd[.]js'))
      for (const action of ['start', 'restart']) {
        host.run(`rc-service cloudburst ${action}`)
        assert.ok(host.holds('pgrep -f cloudburstd[.]js'), action)
      }
    })

    it('is upgraded over the mesh, and starts that release again', async () => {
      for (const end = Date.now() + 60_000; (await hub.cloudburst('hello', '--peer', 'rc')).code !== 0; )
        if (Date.now() > end) throw new Error('it does not come back')
      const said = await hub.cloudburst('upgrade', '--all', '--to', packaged('0.9.2'))
      assert.equal(said.code, 0, said.stderr)
      host.run('rc-service cloudburst restart')
      assert.match(host.run('readlink /proc/$(pgrep -f cloudburstd[.]js)/exe'), /\/0\.9\.2-/)
    })

    it('keeps nothing of it', async () => {
      const said = await hub.cloudburst('undeliver', `root@${host.address}`, ...hub.reaching)
      assert.equal(said.code, 0, said.stderr)
      assert.ok(!host.holds('ls /etc/init.d/cloudburst || rc-update show | grep cloudburst || pgrep -f cloudburst[d]'))
    })
  })

function whyNoPackages(): string | undefined {
  if (existsSync(CACHE) && readdirSync(CACHE).length >= PACKAGES.length) return undefined
  mkdirSync(CACHE, { recursive: true })
  const got = spawnSync('apt-get', ['download', '-qq', ...PACKAGES], { cwd: CACHE, encoding: 'utf8' })
  return got.status === 0 ? undefined : `the packages of OpenRC cannot be downloaded: ${(got.stderr ?? String(got.error)).split('\n')[0]}`
}

function install(root: string): void {
  const script = `cp ${CACHE}/*.deb $1/tmp && chroot $1 sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --force-all -i /tmp/*.deb; rm /tmp/*.deb'`
  execFileSync('sh', ['-c', script, 'sh', root], { stdio: 'pipe' })
}
