import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { skip } from '../skip.ts'
import { artefactsAt } from '../../src/node/delivery/artefact.ts'
import type { Host } from './hosts/host.ts'
import { packaged } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

type MakeDeb = (what: { artefact: string; id: string; version: string; target: string; out: string; quick: boolean }) => string

/** A command of the node's user, to be ended by a quote. */
const AS_NODE = "runuser -s /bin/sh cloudburst -c 'export HOME=/var/lib/cloudburst XDG_CONFIG_HOME=/etc XDG_STATE_HOME=/var/lib;"

/** With `npm run labs`. */
if (process.env['CLOUDBURST_LABS'] !== undefined)
  describe('the package of Debian', function () {
    this.timeout(600_000)
    let lab: Lab
    let host: Host
    let first: string
    let second: string

    before(async function () {
      const why =
        whyNoLab() ?? (spawnSync('dpkg-deb', ['--version']).status === 0 ? undefined : 'packages of Debian are made with dpkg-deb')
      if (why !== undefined) skip(this, why)
      lab = openLab()
      const booting = lab.host({ name: 'deb', systemd: true })
      ;[first, second] = (await Promise.all(['0.9.1', '0.9.2'].map(debOf))) as [string, string]
      host = await booting
      for (const file of [first, second]) copyFileSync(file, join(host.root, 'var/tmp', basename(file)))
    })

    after(() => lab?.close())

    it('installs, and starts when there is a node', () => {
      dpkg('-i', first)
      assert.equal(host.run('dpkg -V cloudburst'), '')
      assert.equal(host.run('systemctl show -P ActiveState -P UnitFileState cloudburst').trim(), 'inactive\nenabled')
      host.run(`${AS_NODE} cloudburst init --name deb --no-mdns'`)
      host.run('systemctl start cloudburst')
      assert.match(running(), /releases\/0\.9\.1-/)
    })

    it('is upgraded and downgraded, with the daemon and its node', () => {
      const peer = (): string => host.run(`${AS_NODE} cloudburst identity show -o name'`)
      const before = peer()
      dpkg('-i', second)
      assert.match(running(), /releases\/0\.9\.2-/)
      assert.ok(!host.holds('ls -d /usr/lib/cloudburst/releases/0.9.1-*'))
      dpkg('-i', first)
      assert.match(running(), /releases\/0\.9\.1-/)
      assert.equal(peer(), before)
      host.run('echo CLOUDBURST_EXAMPLE=2 >>/etc/default/cloudburst')
      assert.match(host.run('dpkg -V cloudburst || true'), /c \/etc\/default\/cloudburst/)
    })

    it('ends the daemon when it is removed, and leaves configuration and state', () => {
      dpkg('-r', 'cloudburst')
      assert.equal(host.run('pgrep -af [c]loudburst/releases || ls -d /usr/lib/cloudburst /usr/bin/cloudburst 2>/dev/null || true'), '')
      const left = ['/etc/cloudburst/neighborhood.xml', '/var/lib/cloudburst/identity.key', '/etc/default/cloudburst']
      assert.equal(
        host
          .run(`ls ${left.join(' ')} 2>&1 || true`)
          .trim()
          .split('\n')
          .toSorted()
          .join(),
        left.toSorted().join()
      )
    })

    it('leaves nothing when it is purged', () => {
      dpkg('-P', 'cloudburst')
      assert.equal(host.run('find / -xdev -iname "*cloudburst*" -not -path "/proc/*" -not -path "/var/tmp/*" -not -path "/var/log/*"'), '')
    })

    async function debOf(version: string): Promise<string> {
      const folder = packaged(version)
      const [artefact] = await artefactsAt(join(folder, readdirSync(folder).find(name => name.endsWith('.tar.gz')) as string))
      const { makeDeb } = (await import(new URL('../../scripts/package/deb.mjs', import.meta.url).href)) as { makeDeb: MakeDeb }
      if (artefact === undefined) throw new Error('no artefact')
      return makeDeb({ artefact: artefact.path, id: artefact.id, version, target: artefact.target, out: lab.directory, quick: true })
    }

    function dpkg(action: string, what: string): void {
      host.run(
        `DEBIAN_FRONTEND=noninteractive dpkg --force-confold ${action} ${what.endsWith('.deb') ? `/var/tmp/${basename(what)}` : what}`
      )
    }

    function running(): string {
      return host.run('readlink /proc/$(pgrep -f cloudburstd[.]js)/exe').trim()
    }
  })
