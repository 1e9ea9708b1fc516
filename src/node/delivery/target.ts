/** `USER@HOST` → how to reach it, as the user's own ssh would: `ssh -G` is asked, which knows Match, Include and aliases. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CloudburstError } from '../../errors.ts'
import type { Target } from './remote.ts'

export interface TargetOptions {
  readonly identity?: string
  readonly port?: number
  readonly knownHosts?: string
  /** An ssh configuration file instead of the user's. */
  readonly config?: string
}

/** What ssh does and ssh2 does not, by the option of ssh_config(5) that asks for it. */
const onlySsh = ['proxycommand', 'certificatefile', 'pkcs11provider', 'proxyusefdpass'] as const
/** Hops on the way to a host, at most: a configuration that names itself would never end. */
const JUMPS_MAX = 5

/**
 * How a host is reached. Options beat the configuration.
 * @throws CloudburstError CB_USAGE when the word is no host
 */
export async function targetOf(word: string, options: TargetOptions = {}, depth = 0): Promise<Target> {
  const [, user, host, port] = /^(?:([^@\s]+)@)?([^@\s:]+|\[[^\]\s]+\])(?::(\d+))?$/.exec(word) ?? []
  if (host === undefined || host.startsWith('-') || user?.startsWith('-'))
    throw new CloudburstError('CB_USAGE', `${word} is not USER@HOST`, { command: 'deliver' })
  const bare = host.replace(/^\[|\]$/g, '')
  const given = await configured(bare, user, options.config)
  const needsSsh = onlySsh.find(name => given(name)[0] !== undefined && given(name)[0] !== 'none' && given(name)[0] !== 'no')
  const jumps = (given('proxyjump')[0] ?? 'none') === 'none' ? [] : (given('proxyjump')[0] ?? '').split(',')
  if (jumps.length > 0 && depth >= JUMPS_MAX)
    throw new CloudburstError('CB_USAGE', `${word}: more than ${JUMPS_MAX} hosts on the way there`, { command: 'deliver' })
  const alias = given('hostkeyalias')[0]
  return {
    name: word,
    host: given('hostname')[0] ?? bare,
    user: user ?? given('user')[0] ?? userInfo().username,
    port: options.port ?? Number(port ?? given('port')[0] ?? 22),
    identities: identitiesOf(options, given('identityfile')),
    jumps: (await Promise.all(jumps.map(jump => targetOf(jump, withoutPort(options), depth + 1)))).flatMap(jump => [...jump.jumps, jump]),
    knownHosts:
      options.knownHosts === undefined ? knownHostsOf(given('userknownhostsfile'), given('globalknownhostsfile')) : [options.knownHosts],
    ...(alias === undefined || alias === 'none' ? {} : { alias }),
    ...(needsSsh === undefined ? {} : { needsSsh })
  }
}

function withoutPort({ port: _, ...options }: TargetOptions): TargetOptions {
  return options
}

/** The values of each option that ssh would use; nothing when there is no ssh. */
async function configured(host: string, user: string | undefined, config: string | undefined): Promise<(name: string) => string[]> {
  const words = [...(config === undefined ? [] : ['-F', config]), '-G', ...(user === undefined ? [] : ['-l', user]), '--', host]
  const text = await promisify(execFile)('ssh', words).then(
    ({ stdout }) => stdout,
    () => ''
  )
  const lines = text.split('\n').map(line => {
    const at = line.indexOf(' ')
    return [line.slice(0, at), line.slice(at + 1)] as const
  })
  return name => lines.flatMap(([key, value]) => (key === name && value !== '' ? [value] : []))
}

function identitiesOf({ identity }: TargetOptions, files: readonly string[]): string[] {
  if (identity !== undefined && !existsSync(identity))
    throw new CloudburstError('CB_USAGE', `there is no key at ${identity}`, { command: 'deliver' })
  if (identity !== undefined) return [identity]
  const defaults = files.length > 0 ? files : ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']
  return defaults.map(atHome).filter(file => existsSync(file))
}

function knownHostsOf(user: readonly string[], global: readonly string[]): string[] {
  const files = [...user, ...global].flatMap(line => line.split(' ')).filter(file => file !== 'none')
  return (files.length > 0 ? files : ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']).map(atHome)
}

function atHome(file: string): string {
  return file.startsWith('~/') ? join(homedir(), file.slice(2)) : file
}
