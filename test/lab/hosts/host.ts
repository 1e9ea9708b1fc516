/** One host: an overlay over the image, namespaces of its own, users, and sshd; light, or booted with systemd. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Sudo with this password, which the tests may know. */
export const BOBS_PASSWORD = 'correct horse'
/** How long it may take to let somebody in on a loaded machine. */
const READY_MS = 60_000
/** Most that a command of a host prints, in bytes: a slow machine has long logs. */
const SAID_BYTES_MAX = 256 * 1024 * 1024
const BOOT = fileURLToPath(new URL('boot.sh', import.meta.url))

export interface HostOptions {
  /** At most 8 characters: it is part of the name of a network device. */
  readonly name: string
  /** Booted by systemd, not by a shell. */
  readonly systemd?: boolean
  /** Most bytes that can be written on it, as mount(8) takes them. */
  readonly size?: string
  /** Done to its tree before it is booted. */
  readonly prepare?: (root: string) => void
}

export interface Host {
  readonly name: string
  readonly address: string
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string
  /** Its tree as this machine sees it. */
  readonly root: string
  /** A command of its root, not by ssh. @throws when it fails */
  run(script: string): string
  /** Whether such a command succeeds. */
  holds(script: string): boolean
  /** Cuts or joins its cable. */
  cable(up: boolean): void
  remove(): void
}

interface Making extends HostOptions {
  readonly address: string
  readonly bridge: string
  readonly directory: string
  readonly image: string
  readonly key: string
  readonly publicKey: string
}

export async function makeHost(making: Making): Promise<Host> {
  const { name, address, directory } = making
  const root = join(directory, 'm')
  const namespace = `${making.bridge}-${name}`
  mountTree(making, root)
  const hostKey = writeTree(root, making)
  making.prepare?.(root)
  plugIn(making, namespace)
  const init = making.systemd === true ? bootSystemd(root, namespace, directory) : bootLight(root, name, namespace, directory)
  const host: Host = {
    name,
    address,
    hostKey,
    root,
    run: script =>
      execFileSync('nsenter', [...inside(init), 'sh', '-c', script], {
        encoding: 'utf8',
        env: hostEnvironment,
        stdio: 'pipe',
        maxBuffer: SAID_BYTES_MAX
      }),
    holds: script => spawnSync('nsenter', [...inside(init), 'sh', '-c', script], { env: hostEnvironment, stdio: 'ignore' }).status === 0,
    cable: up => void execFileSync('ip', ['link', 'set', device(making), up ? 'up' : 'down']),
    remove: () => remove(init, namespace, making, root)
  }
  try {
    await ready(init, making)
  } catch (error) {
    host.remove()
    throw error
  }
  return host
}

const hostEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: homedir() }

function mountTree({ directory, image, size = '700m' }: Making, root: string): void {
  const upper = join(directory, 'rw')
  mkdirSync(root)
  mkdirSync(upper)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'cloudburst-lab', upper])
  for (const name of ['u', 'w']) mkdirSync(join(upper, name))
  execFileSync('mount', ['-t', 'overlay', 'cloudburst-lab', '-o', `lowerdir=${image},upperdir=${upper}/u,workdir=${upper}/w`, root])
}

/** Name, host key, and the users: alice (sudo), bob (sudo with a password), carol (none), all with the lab's key. */
function writeTree(root: string, { name, address, publicKey }: Making): string {
  writeFileSync(join(root, 'etc/hostname'), `${name}\n`)
  writeFileSync(join(root, 'etc/hosts'), `127.0.0.1 localhost\n${address} ${name}\n`)
  const hostKey = join(root, 'etc/ssh/ssh_host_ed25519_key')
  for (const kind of ['ed25519', 'rsa', 'ecdsa'])
    for (const end of ['', '.pub']) rmSync(join(root, `etc/ssh/ssh_host_${kind}_key${end}`), { force: true })
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `root@${name}`, '-f', hostKey])
  const settings = ['MaxStartups 100', 'UseDNS no', 'PermitRootLogin prohibit-password', 'HostKey /etc/ssh/ssh_host_ed25519_key', '']
  writeFileSync(join(root, 'etc/ssh/sshd_config.d/lab.conf'), settings.join('\n'))
  execFileSync('chroot', [root, 'sh', '-c', 'for u in alice bob carol; do useradd -m -s /bin/sh $u; done; chpasswd'], {
    input: `bob:${BOBS_PASSWORD}\ncarol:${BOBS_PASSWORD}\n`
  })
  writeFileSync(join(root, 'etc/sudoers.d/lab'), 'alice ALL=(ALL) NOPASSWD: ALL\nbob ALL=(ALL) ALL\n')
  chmodSync(join(root, 'etc/sudoers.d/lab'), 0o440)
  for (const home of ['root', 'home/alice', 'home/bob', 'home/carol']) {
    mkdirSync(join(root, home, '.ssh'), { mode: 0o700, recursive: true })
    writeFileSync(join(root, home, '.ssh/authorized_keys'), publicKey, { mode: 0o600 })
  }
  execFileSync('chroot', [root, 'sh', '-c', 'for u in alice bob carol; do chown -R $u:$u /home/$u/.ssh; done'])
  return readFileSync(`${hostKey}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
}

/** A fixed hardware address for each network address: else its neighbours look for the old one for half a minute. */
function plugIn(making: Making, namespace: string): void {
  const { address, bridge } = making
  const hardware = `02:cb:${address
    .split('.')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join(':')}`
  const outer = device(making)
  ip('netns', 'add', namespace)
  ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'address', hardware, 'netns', namespace)
  ip('link', 'set', outer, 'master', bridge, 'up')
  ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
  ip('-n', namespace, 'link', 'set', 'lo', 'up')
  ip('-n', namespace, 'link', 'set', 'eth0', 'up')
}

function bootLight(root: string, name: string, namespace: string, directory: string): ChildProcess {
  const words = [
    'netns',
    'exec',
    namespace,
    'unshare',
    '--mount',
    '--uts',
    '--ipc',
    '--pid',
    '--fork',
    '--kill-child',
    '--propagation',
    'private'
  ]
  const log = openSync(join(directory, 'boot.log'), 'w')
  return spawn('ip', [...words, '/bin/sh', BOOT, root, name], { stdio: ['ignore', log, log], detached: true })
}

/** A launcher in a cgroup of its own in both hierarchies: else all systemds of the lab manage each other's units. */
function bootSystemd(root: string, namespace: string, directory: string): ChildProcess {
  const words = [
    ...['-q', '-D', root, '--boot', '--register=no', '--keep-unit', `--network-namespace-path=/run/netns/${namespace}`],
    ...[`--machine=${namespace}`, '--console=pipe', '--resolv-conf=off', '--timezone=off', '--link-journal=no']
  ]
  const groups = cgroupsOf(namespace)
  for (const group of groups) mkdirSync(group, { recursive: true })
  const enter = groups.map(group => `echo $$ > ${group}/cgroup.procs`).join('; ')
  const log = openSync(join(directory, 'boot.log'), 'w')
  return spawn('sh', ['-c', `${enter}; exec systemd-nspawn "$@"`, 'sh', ...words], { stdio: ['ignore', log, log], detached: true })
}

function cgroupsOf(namespace: string): string[] {
  return ['systemd', 'unified'].map(hierarchy => `/sys/fs/cgroup/${hierarchy}/${namespace}`).filter(path => existsSync(join(path, '..')))
}

/** `nsenter` into the host: its first process is the child of what started it. */
function inside(init: ChildProcess): string[] {
  const children = readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, 'utf8').trim().split(' ')
  return ['--target', children.at(-1) ?? '', '--all']
}

async function ready(init: ChildProcess, { address, key, directory }: Making): Promise<void> {
  const options = ['-i', key, '-oStrictHostKeyChecking=no', '-oUserKnownHostsFile=/dev/null', '-oBatchMode=yes', '-oConnectTimeout=2']
  for (const end = Date.now() + READY_MS; ; ) {
    const said = spawnSync('ssh', [...options, `carol@${address}`, 'true'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    if (said.status === 0) return
    if (init.exitCode !== null || Date.now() > end)
      throw new Error(`the host ${address} lets nobody in: ${said.stderr}${readFileSync(join(directory, 'boot.log'), 'utf8')}`)
    await sleep(50)
  }
}

function remove(init: ChildProcess, namespace: string, making: Making, root: string): void {
  if (init.pid !== undefined && init.exitCode === null) {
    const children = readFileSync(`/proc/${init.pid}/task/${init.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
    for (const pid of [...children, String(init.pid)]) spawnSync('kill', ['-9', pid])
  }
  for (const pid of pidsOf(namespace)) spawnSync('kill', ['-9', pid])
  spawnSync('ip', ['netns', 'del', namespace])
  spawnSync('ip', ['link', 'del', device(making)])
  for (const path of [root, join(making.directory, 'rw')]) spawnSync('umount', ['-l', path])
  for (const group of cgroupsOf(namespace))
    spawnSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+'], { stdio: 'ignore' })
}

function pidsOf(namespace: string): string[] {
  return (spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout ?? '').split('\n').filter(Boolean)
}

function device({ bridge, name }: Making): string {
  return `${bridge.replace('lab', '')}-${name}`
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}
