/** What a host is and has, asked once before anything is changed there, and whether a release fits it. */
import { CloudburstError } from '../../errors.ts'
import type { Artefact } from './artefact.ts'
import { failed, type Remote, scripted } from './remote.ts'
import { PROBE, TOOLS_NEEDED } from './scripts.ts'

/** How far a host's clock may be off, in milliseconds: tickets and grants are good for minutes. */
export const CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000
/** The C library that the runtime was linked against, at least. */
const GLIBC_OLDEST: readonly [number, number] = [2, 28]

export interface HostFacts {
  readonly name: string
  readonly target: string
  readonly uid: number
  readonly home: string
  readonly prefix: string
  readonly sudo: 'none' | 'free' | 'asks'
  readonly missing: string
  readonly libc: string
  readonly readOnly: boolean
  readonly mount: string
  readonly freeBytes: number
  readonly clockDifferenceMs: number
  readonly portTaken: boolean
  readonly current?: string
  readonly previous?: string
  /** Peer id of the node that was delivered there. */
  readonly peer?: string
}

const targets: Readonly<Record<string, string>> = { 'Linux x86_64': 'linux-x64', 'Linux aarch64': 'linux-arm64' }

/**
 * @param prefix where releases are, or `auto`
 * @throws CloudburstError CB_DELIVERY_FAILED when the host has no POSIX shell
 */
export async function probeHost(remote: Remote, prefix: string, port: number, now: () => number = Date.now): Promise<HostFacts> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const before = now()
  const said = await remote.run(scripted(PROBE, [prefix, hex, ...TOOLS_NEEDED]))
  const facts = factsOf(said.stdout)
  const at = (key: string): string => facts.get(key) ?? ''
  if (said.code !== 0 || at('system') === '')
    throw failed(remote.name, `it has no POSIX shell to work with: ${firstLine(said.stderr || said.stdout)}`, `ssh ${remote.name} uname -a`)
  const optional = (key: 'current' | 'previous' | 'peer'): object => (at(key) === '' ? {} : { [key]: at(key) })
  return {
    name: at('name'),
    target: targets[at('system')] ?? at('system'),
    uid: Number(at('uid')),
    home: at('home'),
    prefix: at('prefix'),
    sudo: at('sudo') as HostFacts['sudo'],
    missing: at('missing'),
    libc: at('libc'),
    readOnly: at('readOnly') === 'yes',
    mount: at('mount'),
    freeBytes: Number(at('freeKilobytes')) * 1024,
    clockDifferenceMs: Number(at('time')) * 1_000 - (before + now()) / 2,
    portTaken: at('portTaken') === 'yes',
    ...optional('current'),
    ...optional('previous'),
    ...optional('peer')
  }
}

/** `key=value` lines; of two with one key the first. */
export function factsOf(text: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0 && !facts.has(line.slice(0, at))) facts.set(line.slice(0, at), line.slice(at + 1).trim())
  }
  return facts
}

/**
 * The artefact that fits.
 * @throws CloudburstError CB_HOST_UNFIT naming what is in the way; nothing was changed then
 */
export function fitting(host: string, facts: HostFacts, artefacts: readonly Artefact[], port: number): Artefact {
  const unfit = (message: string, fix: string): CloudburstError =>
    new CloudburstError('CB_HOST_UNFIT', `${host}: ${message}`, { host, fix })
  if (facts.missing !== '') throw unfit(`it lacks ${facts.missing}`, `install ${facts.missing} on ${host}`)
  const artefact = artefacts.find(({ target }) => target === facts.target)
  if (artefact === undefined) {
    const have = artefacts.map(({ target }) => target).join(', ')
    throw unfit(`it is ${facts.target}, and what there is to deliver is for ${have}`, `npm run package -- --target ${facts.target}`)
  }
  const [, major = '0', minor = '0'] = /^glibc (\d+)\.(\d+)/.exec(facts.libc) ?? []
  if (Number(major) < GLIBC_OLDEST[0] || (Number(major) === GLIBC_OLDEST[0] && Number(minor) < GLIBC_OLDEST[1]))
    throw unfit(
      `its C library is ${facts.libc || 'unknown'}, and glibc ${GLIBC_OLDEST.join('.')} or newer is needed`,
      'deliver to a newer system'
    )
  if (Math.abs(facts.clockDifferenceMs) > CLOCK_DIFFERENCE_MAX_MS) {
    const off = `${Math.round(Math.abs(facts.clockDifferenceMs) / 60_000)} minutes ${facts.clockDifferenceMs > 0 ? 'ahead' : 'behind'}`
    throw unfit(`its clock is ${off}, and tickets are good for minutes`, `ssh ${host} sudo timedatectl set-ntp true`)
  }
  if (facts.current === artefact.id) return artefact
  if (facts.readOnly) throw unfit(`${facts.mount} is read-only there`, 'cloudburst deliver --prefix DIR')
  if (facts.freeBytes < artefact.unpackedBytes) {
    const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
    throw unfit(`${facts.mount} has ${mb(facts.freeBytes)} left, and ${mb(artefact.unpackedBytes)} are needed`, `ssh ${host} df -h`)
  }
  if (facts.portTaken && facts.current === undefined)
    throw unfit(`port ${port} is taken there`, 'cloudburst deliver --listen /ip4/0.0.0.0/tcp/PORT')
  return artefact
}

export function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}
