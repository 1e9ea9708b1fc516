import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import { BOBS_PASSWORD, type Host } from './hosts/host.ts'
import { type Hub, openHub, packaged, type Said } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

describe('delivering where it cannot be done', function () {
  this.timeout(600_000)
  let lab: Lab
  let hub: Hub
  let host: Host
  let artefacts: string
  let untouched: readonly string[]

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    artefacts = packaged('0.9.1')
    ;[hub, host] = await Promise.all([openHub(lab), lab.host({ name: 'h' })])
    untouched = filesOf(host)
  })

  afterEach(() => {
    sameFiles(host, untouched)
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it('refuses a key that is not the right one', async () => {
    const key = join(lab.directory, 'other-key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    const said = await hub.cloudburst('deliver', `carol@${host.address}`, ...hub.reaching, '--identity', key, '--artefact', artefacts)
    says(said, 6, /none of the keys and passwords lets carol in/, /--identity KEY/)
  })

  it('takes a password from a file, and refuses another one', async () => {
    const file = join(lab.directory, 'login')
    const to = [
      'deliver',
      `bob@${host.address}`,
      '--ssh-config',
      '/dev/null',
      '--known-hosts',
      lab.knownHosts,
      '--artefact',
      artefacts,
      '--password-file',
      file
    ]
    const log = '/var/log/sshd.log'
    writeFileSync(file, 'wrong\n', { mode: 0o600 })
    says(await hub.cloudburst(...to), 6, /none of the keys and passwords lets bob in/)
    writeFileSync(file, `${BOBS_PASSWORD}\n`)
    // Let in, and refused for what it asks there.
    says(await hub.cloudburst(...to, '--prefix', '/proc/none'), 1, /\/proc has 0 MB left/)
    assert.ok(host.holds(`grep -q 'Accepted password for bob' ${log}`))
    says(await hub.cloudburst(...to, '--identity', join(lab.directory, 'none')), 64, /there is no key at/)
  })

  it('refuses a host whose key is not known, and takes it by its fingerprint', async () => {
    const known = join(lab.directory, 'nobody')
    const to = ['deliver', `mallory@${host.address}`, ...hub.reaching, '--known-hosts', known, '--artefact', artefacts]
    const said = await hub.cloudburst(...to)
    says(said, 6, /nobody has said yet that its key SHA256:\S+ is the right one/, /--host-key SHA256:/)
    const [fingerprint = ''] = /SHA256:[\w+/]+/.exec(said.stderr) ?? []
    says(await hub.cloudburst(...to, '--host-key', fingerprint), 6, /lets mallory in/)
    assert.equal(readFileSync(known, 'utf8'), `${host.address} ${host.hostKey}\n`)
    says(await hub.cloudburst(...to, '--known-hosts', '/dev/null', '--host-key', 'SHA256:other'), 6, /nobody has said yet/)
  })

  it('refuses a host whose key has changed', async () => {
    const known = join(lab.directory, 'changed')
    const key = join(lab.directory, 'changed-key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    writeFileSync(known, `${host.address} ${readFileSync(`${key}.pub`, 'utf8')}`)
    const said = await hub.cloudburst('deliver', `carol@${host.address}`, ...hub.reaching, '--known-hosts', known, '--artefact', artefacts)
    says(said, 6, /another one is known: somebody may be in between/, /ssh-keygen -R/)
  })

  it('names a host whose name is not known, and one where nothing listens', async () => {
    says(await deliver('carol@no-such-host.invalid'), 7, /the name no-such-host\.invalid is not known/)
    says(await deliver(`carol@${host.address}`, '--port', '2'), 7, /nothing listens on port 2/)
  })

  it('refuses a wrong sudo password, a missing one, and a user without the right', async () => {
    const file = join(lab.directory, 'wrong')
    writeFileSync(file, 'wrong\n', { mode: 0o600 })
    says(await deliver(`bob@${host.address}`, '--sudo', '--become-password-file', file), 6, /sudo refuses the password/)
    says(await deliver(`bob@${host.address}`, '--sudo'), 6, /sudo asks for a password/, /--become-password-file FILE/)
    writeFileSync(file, 'correct horse\n')
    says(await deliver(`carol@${host.address}`, '--sudo', '--become-password-file', file), 6, /no right to sudo|refuses the password/)
    chmodSync(file, 0o644)
    says(await deliver(`bob@${host.address}`, '--sudo', '--become-password-file', file), 1, /others may use/, /chmod 600/)
  })

  it('refuses a port that is taken', async () => {
    const listening = spawn(
      'nsenter',
      ['--target', pidOf(host), '--net', process.execPath, '-e', 'require("net").createServer().listen(4710, () => console.log("up"))'],
      {
        stdio: ['ignore', 'pipe', 'inherit']
      }
    )
    await once(listening.stdout, 'data')
    try {
      says(await deliver(`carol@${host.address}`), 1, /port 4710 is taken/, /--listen/)
    } finally {
      listening.kill()
    }
  })

  it('refuses a host without room', async () => {
    const small = await lab.host({ name: 'small', size: '60m' })
    const was = filesOf(small)
    says(await deliver(`carol@${small.address}`), 1, /has \d+ MB left, and \d+ MB are needed/, /df -h/)
    sameFiles(small, was)
  })

  it('cleans up when the room ends on the way', async () => {
    const tight = await lab.host({ name: 'tight', size: '170m' })
    tight.run('rm -f /filler; head -c 3000000 /dev/zero >/filler')
    // Enough as df counts, and not enough for what comes meanwhile.
    const was = filesOf(tight)
    const said = hub.begin(['deliver', `carol@${tight.address}`, '--artefact', artefacts])
    await untilSaid(said.child, /: copy/)
    tight.run('head -c 80000000 /dev/zero >/home/filler')
    says(await said.said, 1, /there is no room left/, /df -h/)
    tight.run('rm /home/filler')
    sameFiles(tight, was)
  })

  it('refuses another architecture, another libc, an old one, and what lacks a tool', async () => {
    await pretending(
      'uname',
      'case $1 in -m) echo riscv64;; *) exec /bin/uname.real "$@";; esac',
      /it is Linux riscv64, and what there is to deliver is for linux-x64/
    )
    await pretending('getconf', 'echo glibc 2.17', /its C library is glibc 2\.17, and glibc 2\.28 or newer is needed/)
    host.run('touch /lib/ld-musl-x86_64.so.1')
    says(await deliver(`carol@${host.address}`), 1, /its C library is musl/)
    host.run('rm /lib/ld-musl-x86_64.so.1; mv /bin/gzip /bin/gzip.away')
    says(await deliver(`carol@${host.address}`), 1, /it lacks gzip/, /install gzip/)
    host.run('mv /bin/gzip.away /bin/gzip')
  })

  it('refuses a clock that is far off', async () => {
    await pretending('date', 'echo 1000000000', /its clock is \d+ minutes behind/, /set-ntp/)
  })

  it('refuses a read-only file system', async () => {
    host.run('mount -t tmpfs -o ro none /opt')
    try {
      says(await deliver(`alice@${host.address}`, '--sudo'), 1, /\/opt is read-only/, /--prefix/)
    } finally {
      host.run('umount /opt')
    }
  })

  it('says so when sshd goes away in the middle, and goes on where it was', async () => {
    for (const via of ['ssh', 'scp']) {
      const { child, said } = hub.begin(['deliver', `carol@${host.address}`, '--artefact', artefacts, '--via', via])
      await untilSaid(child, /: copy/)
      host.run('pkill -f "sshd: caro[l]"')
      says(await said, 1, /the connection ended|the copy stopped/, /cloudburst deliver/)
    }
    const said = await deliver(`carol@${host.address}`, '--via', 'scp')
    assert.equal(said.code, 0, said.stderr)
    assert.equal((await hub.cloudburst('undeliver', `carol@${host.address}`, ...hub.reaching)).code, 0)
    host.run('rm -rf /home/carol/.cache /home/carol/.local /home/carol/.config')
  })

  async function deliver(...words: readonly string[]): Promise<Said> {
    return await hub.deliver(...words, ...(words.includes('--artefact') ? [] : ['--artefact', artefacts]))
  }

  /** A program of the host says something else for a while. */
  async function pretending(program: string, script: string, message: RegExp, next?: RegExp): Promise<void> {
    host.run(
      `path=$(readlink -f $(command -v ${program})); mv $path $path.real; printf '#!/bin/sh\\n%s\\n' '${script}' >$path; chmod 755 $path`
    )
    try {
      says(await deliver(`carol@${host.address}`), 1, message, next)
    } finally {
      host.run(`path=$(readlink -f $(command -v ${program})); mv $path.real $path`)
    }
  }
})

function says({ code, stdout, stderr }: Said, exit: number, message: RegExp, next?: RegExp): void {
  assert.match(stderr, message, stdout)
  assert.equal(code, exit, stderr)
  assert.match(stderr, next ?? /^next: \S/m)
}

async function untilSaid(child: ReturnType<typeof spawn>, pattern: RegExp): Promise<void> {
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', chunk => {
      text += String(chunk)
      if (pattern.test(text)) resolve()
    })
    child.once('close', () => reject(new Error(`it never said ${pattern}: ${text}`)))
  })
}

function pidOf(host: Host): string {
  return execFileSync('sh', ['-c', `ip netns pids $(ip netns list | cut -d" " -f1 | grep -- "-${host.name}$" | head -1) | head -1`], {
    encoding: 'utf8'
  }).trim()
}

/** Names, sizes and links of all that a delivery could touch, but for logs and what logging in leaves. */
function filesOf(host: Host): readonly string[] {
  return host.run("find /opt /etc /usr/local /var/lib /home -path '*/.ssh*' -prune -o -printf '%p %y %l %m %u\\n' | sort").split('\n')
}

function sameFiles(host: Host, was: readonly string[]): void {
  const is = filesOf(host)
  assert.deepEqual({ more: is.filter(line => !was.includes(line)), less: was.filter(line => !is.includes(line)) }, { more: [], less: [] })
}
