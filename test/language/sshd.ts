/** An sshd of the tests' own on a loopback address of its own: own keys, own configuration, nothing of the user's. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SSHD = '/usr/sbin/sshd'
/** Where root's sshd keeps those it does not know yet; it does not start without it. */
const PRIVILEGE_SEPARATION = '/run/sshd'
const ADDRESS = '127.0.0.22'
/** How long it may take to answer on a loaded machine. */
const READY_MS = 15_000

export interface TestSshd {
  /** Absolute path of an ssh configuration in which it is the host `there`. */
  readonly config: string
  /** Connections accepted so far. */
  connections(): number
  stop(): Promise<void>
}

/** Why there can be none, or undefined. */
export function whyNoSshd(): string | undefined {
  if (!existsSync(SSHD)) return 'openssh-server is not installed'
  return existsSync('/usr/bin/ssh') ? undefined : 'openssh-client is not installed'
}

/** Resolves when a command went through. */
export async function startSshd(): Promise<TestSshd> {
  const directory = mkdtempSync(join(tmpdir(), 'cb-sshd-'))
  const port = await freePort()
  if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_SEPARATION, { recursive: true })
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)])
  const key = readFileSync(join(directory, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  writeFileSync(join(directory, 'known'), `[${ADDRESS}]:${port} ${key}\n`)
  // relative paths would reset every connection: it starts itself again from /
  writeFileSync(join(directory, 'sshd_config'), serverConfig(directory, port))
  const config = join(directory, 'ssh_config')
  writeFileSync(config, clientConfig(directory, port))
  const log = join(directory, 'log')
  const server = spawn(SSHD, ['-D', '-f', join(directory, 'sshd_config'), '-E', log], { stdio: 'ignore' })
  const stop = async (): Promise<void> => {
    // connections that are shared outlive the commands that made them
    for (const child of childrenOf(server)) process.kill(child)
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(directory, { recursive: true, force: true })
  }
  const connections = (): number => (readFileSync(log, 'utf8').match(/^Accepted /gm) ?? []).length
  try {
    await ready(server, config)
  } catch (error) {
    await stop()
    throw error
  }
  return { config, connections, stop }
}

function childrenOf({ pid }: ChildProcess): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : []
}

async function ready(server: ChildProcess, config: string): Promise<void> {
  for (const end = Date.now() + READY_MS; ; ) {
    const child = spawn('ssh', ['-F', config, 'there', 'true'], { stdio: 'ignore' })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code === 0) return
    if (server.exitCode !== null || Date.now() > end) throw new Error(`sshd does not answer (exit ${server.exitCode})`)
    await sleep(50)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function serverConfig(directory: string, port: number): string {
  return [
    `Port ${port}`,
    `ListenAddress ${ADDRESS}`,
    `HostKey ${join(directory, 'host')}`,
    `AuthorizedKeysFile ${join(directory, 'user.pub')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PasswordAuthentication no',
    'AcceptEnv LC_* X',
    'Subsystem sftp internal-sftp',
    ''
  ].join('\n')
}

function clientConfig(directory: string, port: number): string {
  return [
    'Host there',
    `  HostName ${ADDRESS}`,
    `  Port ${port}`,
    `  User ${userInfo().username}`,
    `  IdentityFile ${join(directory, 'user')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(directory, 'known')}`,
    '  GlobalKnownHostsFile none',
    '  BatchMode yes',
    ''
  ].join('\n')
}
