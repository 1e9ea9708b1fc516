/** An sshd of our own on loopback: own keys, own configuration, nothing of the user's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { ours, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { freePorts, until } from './nodes.ts'
import { timeOf } from './sampling.ts'

const SSHD = '/usr/sbin/sshd'
/** Where sshd keeps those it does not know yet; root's sshd does not start without it. */
const PRIVILEGE_SEPARATION = '/run/sshd'
/** Most addresses of one sshd: its own limit. */
const ADDRESSES_MAX = 16

export interface Sshd {
  /** Words of `ssh` that reach it without asking: `ssh ...words HOST COMMAND`. */
  readonly words: readonly string[]
  /** The same for `scp ...copying FROM TO`. */
  readonly copying: readonly string[]
  /** Words of `ssh` that share one connection, which the first of them opens. */
  readonly sharing: readonly string[]
  stop(): Promise<void>
}

/** Why there can be none, or undefined. */
export function whyNoSshd(): string | undefined {
  if (!existsSync(SSHD)) return 'openssh-server is not installed'
  if (process.getuid?.() !== 0) return 'the sshd that it is compared with is started by root'
  return undefined
}

/** Listens on each of `addresses`, all with one key and one port; resolves when a command went through everywhere. */
export async function startSshd(addresses: readonly string[] = ['127.0.0.1']): Promise<Sshd> {
  const directory = temporaryDirectory()
  const [port = 0] = await freePorts(1)
  mkdirSync(PRIVILEGE_SEPARATION, { recursive: true })
  for (const name of ['host', 'user']) await timeOf('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)])
  const key = readFileSync(join(directory, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  writeFileSync(join(directory, 'known'), addresses.map(address => `[${address}]:${port} ${key}\n`).join(''))

  const servers: ChildProcess[] = []
  for (let at = 0; at < addresses.length; at += ADDRESSES_MAX) {
    const config = join(directory, `config${at}`)
    writeFileSync(config, serverConfig(directory, port, addresses.slice(at, at + ADDRESSES_MAX)))
    servers.push(ours(spawn(SSHD, ['-D', '-f', config, '-E', join(directory, 'log')], { stdio: 'ignore' })))
  }
  const options = ['-F', 'none', '-i', join(directory, 'user'), '-o', `Port=${port}`, '-o', `User=${userInfo().username}`]
  const checked = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${join(directory, 'known')}`, 'GlobalKnownHostsFile=none']
  const words = [...options, ...checked.flatMap(option => ['-o', option])]
  const sharing = [...words, '-o', 'ControlMaster=auto', '-o', `ControlPath=${join(directory, 'shared')}`, '-o', 'ControlPersist=600']
  const stop = async (): Promise<void> => {
    if (existsSync(join(directory, 'shared'))) await timeOf('ssh', [...sharing, '-O', 'exit', addresses[0] ?? ''])
    await Promise.all(servers.map(ended))
    removeDirectory(directory)
  }
  try {
    for (const address of addresses) await until(`ssh gets through to ${address}`, () => works([...words, address, 'true']))
    // The server has no sftp.
    return { words, copying: ['-O', '-q', ...words], sharing, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGTERM')
  await once(server, 'exit')
}

function works(words: readonly string[]): Promise<boolean> {
  return timeOf('ssh', words).then(
    () => true,
    () => false
  )
}

function serverConfig(directory: string, port: number, addresses: readonly string[]): string {
  return [
    `Port ${port}`,
    ...addresses.map(address => `ListenAddress ${address}`),
    `HostKey ${join(directory, 'host')}`,
    `AuthorizedKeysFile ${join(directory, 'user.pub')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'UseDNS no',
    'PasswordAuthentication no',
    // Twenty connections at once are what is measured, not what is fended off.
    'MaxStartups 100',
    ''
  ].join('\n')
}
