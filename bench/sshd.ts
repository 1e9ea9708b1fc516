/** An sshd of our own on loopback: own keys, own configuration, nothing of the user's. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { until } from './nodes.ts'
import { timeOf } from './sampling.ts'

const SSHD = '/usr/sbin/sshd'
/** Where sshd chroots to before it knows who comes; root's sshd does not start without it. */
const PRIVILEGE_SEPARATION = '/run/sshd'

export interface Sshd {
  /** Words of `ssh` that reach it without asking: `ssh ...words HOST COMMAND`. */
  readonly words: readonly string[]
  /** Words of `ssh` that share one connection, which the first of them opens. */
  readonly sharing: readonly string[]
  stop(): Promise<void>
}

/** Why there can be none, or undefined. */
export function whyNoSshd(): string | undefined {
  if (!existsSync(SSHD)) return 'openssh-server is not installed'
  if (process.getuid?.() !== 0) return 'only root can start an sshd that others are as fast as'
  return undefined
}

/** Starts one on 127.0.0.1 and, with `addresses`, on as many of 127.0.0.x; resolves when a command went through. */
export async function startSshd(addresses: readonly string[] = ['127.0.0.1']): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'cloudburst-bench-ssh-'))
  const port = await freePort()
  mkdirSync(PRIVILEGE_SEPARATION, { recursive: true })
  for (const name of ['host', 'user']) await timeOf('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)])
  writeFileSync(join(directory, 'config'), serverConfig(directory, port, addresses))
  const key = readFileSync(join(directory, 'host.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
  writeFileSync(join(directory, 'known'), addresses.map(address => `[${address}]:${port} ${key}\n`).join(''))

  const server = spawn(SSHD, ['-D', '-f', join(directory, 'config'), '-E', join(directory, 'log')], { stdio: 'ignore' })
  const options = ['-F', 'none', '-p', String(port), '-i', join(directory, 'user'), '-l', userInfo().username]
  const checked = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${join(directory, 'known')}`, 'GlobalKnownHostsFile=none']
  const words = [...options, ...checked.flatMap(option => ['-o', option])]
  const sharing = [...words, '-o', 'ControlMaster=auto', '-o', `ControlPath=${join(directory, 'shared')}`, '-o', 'ControlPersist=600']
  const stop = async (): Promise<void> => {
    if (existsSync(join(directory, 'shared'))) await timeOf('ssh', [...sharing, '-O', 'exit', addresses[0] ?? '']).catch(() => undefined)
    if (server.exitCode === null) {
      server.kill('SIGTERM')
      await once(server, 'exit')
    }
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await until('ssh gets through', () =>
      timeOf('ssh', [...words, addresses[0] ?? '', 'true']).then(
        () => true,
        () => false
      )
    )
    return { words, sharing, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function serverConfig(directory: string, port: number, addresses: readonly string[]): string {
  return [
    ...addresses.map(address => `ListenAddress ${address}`),
    `Port ${port}`,
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
