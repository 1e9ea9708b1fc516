import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import type { Host } from './hosts/host.ts'
import { broken, type Hub, openHub, packaged } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

interface Row {
  readonly node: string
  readonly state: string
  readonly from?: string
  readonly release?: string
  readonly error?: { readonly message: string }
}

/** A step that says that it has begun, and ends when somebody says so. */
const SLOW = `<cloudburst name="slow">
  <goalProto name="slow">
    <method name="slow"><shell><send name="slow">echo begun &gt;&gt;/tmp/begun; while [ ! -e /tmp/go ]; do sleep 0.1; done</send></shell></method>
  </goalProto>
</cloudburst>
`

/** In the suite, the way there and the way back; the rest with `npm run labs`. */
const LONG = process.env['CLOUDBURST_LABS'] !== undefined

/** One in a user's home, one under systemd and one under System V, both with releases that only root may write. */
describe('upgrading over the mesh', function () {
  this.timeout(600_000)
  let lab: Lab
  let hub: Hub
  let hosts: readonly Host[]
  let first: string
  let second: string

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    first = packaged('0.9.1')
    second = packaged('0.9.2')
    ;[hub, ...hosts] = await Promise.all([
      openHub(lab),
      lab.host({ name: 'home' }),
      lab.host({ name: 'unit', systemd: true }),
      lab.host({ name: 'sysv' })
    ])
    const [home, unit, sysv] = hosts.map(({ address }) => address)
    for (const words of [[`carol@${home}`], [`alice@${unit}`, '--sudo'], [`root@${sysv}`]]) {
      const said = await hub.deliver(...words, '--artefact', first)
      assert.equal(said.code, 0, said.stderr)
    }
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it('refuses those who may not', async () => {
    const [home] = hosts as [Host]
    const file = '/home/carol/.config/cloudburst/permissions.xml'
    const text = home.run(`cat ${file}`)
    assert.match(text, /node:deliver/)
    assert.doesNotMatch(readFileSync(join(hub.home, 'permissions.xml'), 'utf8'), /<permit [^>]*node:deliver/)
    home.run(`sed -i 's/ node:deliver//' ${file}`)
    const said = await hub.cloudburst('upgrade', '--peer', 'home', '--to', second)
    assert.equal(said.code, 6, said.stdout + said.stderr)
    home.run(`cat >${file} <<'EOF'\n${text}EOF`)
  })

  it('puts a release on one node after the other, and lets their steps run on', async () => {
    const program = join(lab.directory, 'slow.xml')
    writeFileSync(program, SLOW)
    const sent = await hub.cloudburst('dispatch', 'slow', '--program', program, '--all', '--detach', '-o', 'name')
    assert.equal(sent.code, 0, sent.stderr)
    await Promise.all(hosts.map(host => until(() => host.holds('test -s /tmp/begun'))))
    const pids = hosts.map(daemonPid)

    const { said, rows } = await upgrade('--all', '--to', second)
    assert.equal(said.code, 0, said.stderr)
    assert.deepEqual(
      rows.map(({ node, state }) => [node, state]).toSorted(),
      [
        ['home', 'upgraded'],
        ['sysv', 'upgraded'],
        ['unit', 'upgraded']
      ],
      said.stderr
    )
    // One at a time: a node begins when the one before is done.
    const order = said.stderr.split('\n').flatMap(line => /: (copy|upgraded)$/.exec(line)?.[1] ?? [])
    assert.deepEqual(order, ['copy', 'upgraded', 'copy', 'upgraded', 'copy', 'upgraded'])
    assert.deepEqual(hosts.map(daemonPid), pids, 'the services know them by other pids now')
    for (const host of hosts) assert.match(running(host), /releases\/0\.9\.2-/, host.name)

    for (const host of hosts) host.run('touch /tmp/go')
    for (const id of sent.stdout.trim().split('\n')) {
      const followed = await hub.cloudburst('attach', id)
      assert.equal(followed.code, 0, followed.stdout + followed.stderr)
    }
    for (const host of hosts) assert.equal(host.run('cat /tmp/begun'), 'begun\n', `${host.name} began its step again`)
  })

  it('does nothing to nodes that have it', async () => {
    const { said, rows } = await upgrade('--all', '--to', second, '--max-unavailable', '3')
    assert.equal(said.code, 0, said.stderr)
    assert.deepEqual(new Set(rows.map(({ state }) => state)), new Set(['as it was']))
  })

  it('goes back by itself from one whose daemon does not start, and begins no other node', async () => {
    const wrong = broken(first, join(lab.directory, 'broken'), 'echo error: gone wrong >&2; exit 1')
    const { said, rows } = await upgrade('--all', '--to', wrong)
    assert.equal(said.code, 1, said.stderr)
    assert.deepEqual(rows.map(({ state }) => state).toSorted(), ['not begun', 'not begun', 'went back'], said.stderr)
    assert.match(said.stderr, /has gone back from 0\.9\.9-\w+: its daemon ended with exit status 1/)
    const back = hosts.find(({ name }) => rows.some(({ node, state }) => node === name && state === 'went back')) as Host
    assert.match(doctorOf(back), /release +warn +it has gone back from 0\.9\.9-/)
    await allAsBefore('0.9.2')
    const kept = await hub.cloudburst('artifact', 'list', '-o', 'name')
    assert.equal(kept.stdout.trim(), '', 'the artefacts stay among the files of nodes')
  })

  if (LONG) longForm()

  function longForm(): void {
    it('is what the services start again', async () => {
      const [home, unit, sysv] = hosts as [Host, Host, Host]
      home.run("su carol -c '~/.local/bin/cloudburst start-daemon --restart'")
      unit.run('systemctl restart cloudburst')
      sysv.run('/etc/init.d/cloudburst restart')
      for (const host of hosts) assert.match(running(host), /releases\/0\.9\.2-/, host.name)
      for (const host of hosts) await until(async () => (await hub.cloudburst('hello', '--peer', host.name)).code === 0)
    })

    it('goes back from one that starts and never answers, also when whoever asked is gone', async () => {
      const silent = broken(second, join(lab.directory, 'silent'), 'exec sleep 600')
      const { child, said } = hub.begin(['upgrade', '--all', '--to', silent, '--max-unavailable', '3', '--timeout', '3s'], {}, false)
      await Promise.all(hosts.map(host => until(() => host.holds('pgrep -x sleep -a | grep -q 600'))))
      child.kill('SIGKILL')
      await said
      await Promise.all(hosts.map(host => until(() => !host.holds('pgrep -x sleep -a | grep -q 600'))))
      await allAsBefore('0.9.2')
    })

    it('upgrades the node that asks, by itself', async () => {
      const [home] = hosts as [Host]
      for (const name of readdirSync(first)) copyFileSync(join(first, name), join(home.root, 'var/tmp', name))
      const said = home.run("su carol -c '~/.local/bin/cloudburst upgrade --peer home --to /var/tmp 2>&1'")
      assert.match(said, /home +upgraded +0\.9\.2-\w+ +0\.9\.1-/)
      assert.match(running(home), /releases\/0\.9\.1-/)
    })

    it('is over when root delivers another release, and leaves nothing behind', async () => {
      const [, unit] = hosts as [Host, Host]
      const said = await hub.deliver(`alice@${unit.address}`, '--sudo', '--artefact', second)
      assert.equal(said.code, 0, said.stderr)
      assert.match(running(unit), /^\/opt\/cloudburst\/releases\/0\.9\.2-/)
      assert.ok(!unit.holds('test -e /var/lib/cloudburst/lib'))
      const removed = await hub.cloudburst('undeliver', `root@${hosts[2]?.address}`, ...hub.reaching)
      assert.equal(removed.code, 0, removed.stderr)
      assert.ok(!hosts[2]?.holds('pgrep -u cloudburst || ls /var/lib/cloudburst'))
    })
  }

  async function upgrade(...words: readonly string[]) {
    const said = await hub.cloudburst('upgrade', ...words, '-o', 'json')
    return { said, rows: (said.stdout === '' ? [] : JSON.parse(said.stdout)) as readonly Row[] }
  }

  async function allAsBefore(version: string): Promise<void> {
    for (const host of hosts) {
      await until(async () => (await hub.cloudburst('hello', '--peer', host.name)).code === 0)
      assert.match(running(host), new RegExp(`releases/${version}-`), host.name)
      assert.ok(!host.holds('find / -xdev -type d -name "0.9.9-*" | grep -q .'), `${host.name} keeps what it went back from`)
    }
  }
})

/** What a node says of itself, to its own people. */
function doctorOf(host: Host): string {
  if (host.name === 'home') return host.run("su carol -c '~/.local/bin/cloudburst doctor'")
  const places = 'HOME=/var/lib/cloudburst XDG_CONFIG_HOME=/etc XDG_STATE_HOME=/var/lib'
  return host.run(`runuser -s /bin/sh cloudburst -c '${places} /opt/cloudburst/current/bin/cloudburst doctor'`)
}

/** The folder of the release whose daemon runs. There is one. */
function running(host: Host): string {
  const pids = host.run('pgrep -f cloudburstd[.]js').trim().split('\n')
  assert.equal(pids.length, 1, `${host.name} has ${pids.length} daemons`)
  return host.run(`readlink /proc/${pids[0]}/exe`).trim()
}

/** The process that its service, or its pid file, knows. */
function daemonPid(host: Host): string {
  if (host.name === 'unit') return host.run('systemctl show -P MainPID cloudburst').trim()
  return host.run(`cat ${host.name === 'home' ? '/home/carol/.local/state/cloudburst' : '/var/lib/cloudburst'}/daemon.pid`).trim()
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`it never came to be: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}
