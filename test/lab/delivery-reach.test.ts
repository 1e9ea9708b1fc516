import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import type { Host } from './hosts/host.ts'
import { type Hub, openHub, packaged, type Said } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

/** Who was let in is refused for what he asks there: nothing is delivered in these tests. */
const LET_IN = /\/proc has 0 MB left/

describe('reaching a host', function () {
  this.timeout(300_000)
  let lab: Lab
  let hub: Hub
  let host: Host
  let gate: Host
  let artefacts: string
  let known: readonly string[]

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    artefacts = packaged('0.9.1')
    ;[hub, host, gate] = await Promise.all([openHub(lab), lab.host({ name: 'h' }), lab.host({ name: 'gate' })])
    known = ['--known-hosts', lab.knownHosts]
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it('opens a key with the passphrase of a file, and says when it is another one', async () => {
    const key = join(lab.directory, 'locked')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a long one', '-f', key])
    appendFileSync(join(host.root, 'home/carol/.ssh/authorized_keys'), readFileSync(`${key}.pub`, 'utf8'))
    const file = join(lab.directory, 'passphrase')
    const to = [`carol@${host.address}`, '--ssh-config', '/dev/null', '--identity', key, ...known]
    writeFileSync(file, 'a long one\n', { mode: 0o600 })
    assert.match((await deliver(...to, '--passphrase-file', file)).stderr, LET_IN)
    writeFileSync(file, 'another one\n')
    const wrong = await deliver(...to, '--passphrase-file', file)
    assert.equal(wrong.code, 6)
    assert.match(wrong.stderr, /the passphrase does not open .*locked[\s\S]*next: ssh-keygen -y -f/)
    // Nobody can be asked here.
    assert.match((await deliver(...to)).stderr, /none of the keys and passwords lets carol in/)
    chmodSync(file, 0o644)
    assert.match((await deliver(...to, '--passphrase-file', file)).stderr, /others may use/)
  })

  it('takes the keys of an agent', async () => {
    const socket = join(lab.directory, 'agent')
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      for (const end = Date.now() + 10_000; !existsSync(socket); await new Promise(resolve => setTimeout(resolve, 20)))
        if (Date.now() > end) throw new Error('the agent does not listen')
      const to = [`carol@${host.address}`, '--ssh-config', '/dev/null', ...known]
      const env = { SSH_AUTH_SOCK: socket, HOME: lab.directory }
      assert.match((await deliverWith(env, ...to)).stderr, /none of the keys/)
      execFileSync('ssh-add', ['-q', lab.key], { env: { ...process.env, ...env }, stdio: 'ignore' })
      assert.match((await deliverWith(env, ...to)).stderr, LET_IN)
    } finally {
      const exit = once(agent, 'exit')
      agent.kill()
      await exit
    }
  })

  it('goes by names, users, keys and hosts on the way that the configuration of ssh says', async () => {
    const config = join(lab.directory, 'config')
    const common = `  IdentityFile ${lab.key}\n  UserKnownHostsFile ${lab.knownHosts}\n`
    writeFileSync(
      config,
      `Host inner\n  HostName ${host.address}\n  User carol\n  ProxyJump gate\n${common}Host gate\n  HostName ${gate.address}\n  User alice\n${common}`
    )
    assert.match((await deliver('inner', '--ssh-config', config)).stderr, LET_IN)
    assert.ok(host.holds(`grep -q "Accepted publickey for carol from ${gate.address}" /var/log/sshd.log`), 'it was not by the gate')
  })

  it('is done by ssh itself where only that can do it, with a word', async () => {
    const config = join(lab.directory, 'proxied')
    const proxy = `ssh -F /dev/null -i ${lab.key} -o UserKnownHostsFile=${lab.knownHosts} -W %h:%p alice@${gate.address}`
    writeFileSync(config, `Host proxied\n  HostName ${host.address}\n  User carol\n  IdentityFile ${lab.key}\n  ProxyCommand ${proxy}\n`)
    const said = await deliver('proxied', '--ssh-config', config, ...known)
    assert.match(said.stderr, /note: proxied: the configuration of ssh has proxycommand for it, so ssh itself is used/)
    assert.match(said.stderr, LET_IN)
    const given = await deliver(
      `carol@${host.address}`,
      '--ssh-config',
      '/dev/null',
      '--identity',
      lab.key,
      ...known,
      '--ssh-command',
      'ssh'
    )
    assert.match(given.stderr, LET_IN)
  })

  async function deliver(...words: readonly string[]): Promise<Said> {
    return await deliverWith({}, ...words)
  }

  async function deliverWith(env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<Said> {
    return await hub.begin(['deliver', ...words, '--artefact', artefacts, '--prefix', '/proc/none'], env, false).said
  }
})
