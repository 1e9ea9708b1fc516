/**
 * From a bare host to a member of the mesh. Each stage looks first whether its work is done, so a delivery that was
 * interrupted anywhere is finished by the next one, and one with nothing to do does nothing.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { CloudburstError } from '../../errors.ts'
import { type Artefact, hashOf, missingFrom, rpmOf } from './artefact.ts'
import { type Hands, handsOn } from './become.ts'
import { enrol, type Membership, type NodeWishes } from './enrol.ts'
import { factsOf, firstLine, fitting, type HostFacts, probeHost } from './probe-host.ts'
import { failed, quoted, type Remote, type Said, scripted } from './remote.ts'
import { FLIP, HASH, INSTALL_RPM, REMOVE, REMOVE_RPM, RPM_PREFIX, SERVICE_USER, UNPACK } from './scripts.ts'

export const stages = ['connect', 'look', 'copy', 'verify', 'switch', 'enrol', 'start', 'health', 'done'] as const
export type Stage = (typeof stages)[number]

export interface DeliverOptions extends NodeWishes {
  readonly via: 'scp' | 'ssh' | 'rpm'
  readonly artefacts: readonly Artefact[]
  /** Root does it, by sudo where the user is not root. */
  readonly sudo: boolean
  readonly becomePassword: () => Promise<string | undefined>
  /** Where releases are; by default /opt/cloudburst for root and ~/.local/lib/cloudburst for others. */
  readonly prefix?: string
  /** Absent: only installed and started, not made known to anybody. */
  readonly membership?: Membership
  readonly onStage: (stage: Stage, detail?: string) => void
  readonly signal?: AbortSignal
}

export interface Delivered {
  readonly host: string
  readonly release: string
  readonly changed: boolean
  readonly peer?: string
  readonly name: string
  /** Of the call that the new node answered, in milliseconds. */
  readonly roundTripMs?: number
}

/**
 * Makes what is delivered run on a host. Durable there on return.
 * @throws CloudburstError CB_HOST_UNFIT, CB_HOST_DENIED before anything is changed; CB_DELIVERY_FAILED, with the host as it was
 */
export async function deliver(remote: Remote, options: DeliverOptions): Promise<Delivered> {
  const { onStage, membership } = options
  onStage('look')
  const facts = await probeHost(remote, prefixOf(options), options.port)
  const artefact = fitting(remote.name, facts, options.artefacts, options.port)
  const base = { host: remote.name, release: artefact.id, name: options.name ?? facts.name.split('.')[0] ?? facts.name }
  if (facts.current === artefact.id && facts.peer !== undefined && (await membership?.stands(facts.peer)) === 'up') {
    const roundTripMs = await membership?.hello(facts.peer)
    onStage('done')
    return { ...base, peer: facts.peer, changed: false, ...(roundTripMs === undefined ? {} : { roundTripMs }) }
  }
  const hands = await handsOn(remote, facts, options.sudo, options.becomePassword)
  if (options.via === 'rpm') await installRpm(remote, hands, facts, artefact, onStage)
  else await install(remote, hands, facts, artefact, options)
  const restart = facts.current !== undefined && facts.current !== artefact.id
  try {
    const { peer, roundTripMs } = await enrol(remote, hands, facts, { ...options, name: base.name, restart })
    onStage('done')
    return { ...base, changed: true, peer, ...(roundTripMs === undefined ? {} : { roundTripMs }) }
  } catch (error) {
    if (options.signal?.aborted !== true && options.via !== 'rpm') await back(hands, facts)
    throw error
  }
}

/** The tree beside the releases that are there, and the link turned to it. */
async function install(remote: Remote, hands: Hands, facts: HostFacts, artefact: Artefact, options: DeliverOptions): Promise<void> {
  await copy(remote, hands, facts, artefact, options)
  options.onStage('switch')
  if (hands.root && options.serviceUser !== 'root')
    check(remote, await hands.run(SERVICE_USER, [options.serviceUser]), 'the service user could not be made')
  check(remote, await hands.run(FLIP, [facts.prefix, artefact.id, binOf(facts, hands)]), 'the new release could not be put in place')
}

/** The package of the artefact, by dnf or yum: its scriptlets make the user and the service. */
async function installRpm(
  remote: Remote,
  hands: Hands,
  facts: HostFacts,
  artefact: Artefact,
  onStage: DeliverOptions['onStage']
): Promise<void> {
  if (facts.current === artefact.id) return
  if (!hands.root)
    throw new CloudburstError('CB_HOST_DENIED', `${remote.name}: packages are installed by root`, {
      host: remote.name,
      fix: `cloudburst deliver ${quoted(remote.name)} --via rpm --sudo`
    })
  onStage('copy')
  const rpm = rpmOf(artefact)
  check(
    remote,
    await hands.run(INSTALL_RPM, [basename(rpm)], counted({ ...artefact, path: rpm }, onStage)),
    'the package could not be installed'
  )
}

function prefixOf({ prefix, via, sudo }: { readonly prefix?: string; readonly via?: string; readonly sudo: boolean }): string {
  return prefix ?? (via === 'rpm' ? RPM_PREFIX : sudo ? '/opt/cloudburst' : 'auto')
}

/** Ends, removes and forgets what was delivered. */
export async function undeliver(
  remote: Remote,
  options: Pick<DeliverOptions, 'sudo' | 'becomePassword' | 'prefix' | 'port'> & {
    readonly keepHome: boolean
    readonly via?: DeliverOptions['via']
  }
): Promise<{ readonly peer?: string }> {
  const facts = await probeHost(remote, prefixOf(options), options.port)
  const hands = await handsOn(remote, facts, options.sudo, options.becomePassword)
  if (options.via === 'rpm')
    check(remote, await hands.run(REMOVE_RPM, options.keepHome ? [] : homesOf(facts, hands)), 'the package could not be removed')
  else await removeAll(hands, facts, !options.keepHome)
  return facts.peer === undefined ? {} : { peer: facts.peer }
}

/**
 * Makes the release before this one the current one.
 * @throws CloudburstError CB_DELIVERY_FAILED when there is none
 */
export async function rollback(
  remote: Remote,
  options: Pick<DeliverOptions, 'sudo' | 'becomePassword' | 'prefix' | 'port'>
): Promise<{ readonly release: string }> {
  const facts = await probeHost(remote, prefixOf(options), options.port)
  if (facts.previous === undefined || facts.previous === facts.current)
    throw failed(remote.name, 'there is no release before this one', `cloudburst deliver ${quoted(remote.name)}`)
  const hands = await handsOn(remote, facts, options.sudo, options.becomePassword)
  check(remote, await hands.run(FLIP, [facts.prefix, facts.previous, binOf(facts, hands)]), 'the release before could not be put in place')
  check(remote, await hands.run('exec "$1" start-daemon --restart', [`${facts.prefix}/current/bin/cloudburst`]), 'it does not start')
  return { release: facts.previous }
}

async function copy(remote: Remote, hands: Hands, facts: HostFacts, artefact: Artefact, { via, onStage }: DeliverOptions): Promise<void> {
  if (facts.current === artefact.id) return
  onStage('copy')
  const base = facts.current ?? ''
  const there = base === '' ? '' : (await remote.run(`cat ${quoted(`${facts.prefix}/releases/${base}/MANIFEST`)}`)).stdout
  if (there.includes(artefact.manifest) && there.length === artefact.manifest.length) return
  const known = await remote.run(`test -d ${quoted(`${facts.prefix}/releases/${artefact.id}`)}`)
  if (known.code === 0) return
  const words = (from: string, file: string): string[] => [facts.prefix, artefact.id, from, file]
  const said =
    via === 'scp' && there === ''
      ? await byFile(remote, hands, facts, artefact, words, onStage)
      : await hands.run(UNPACK, words(base, ''), there === '' ? counted(artefact, onStage) : missingFrom(artefact, there))
  onStage('verify')
  check(remote, said, 'it could not be unpacked there')
}

/** By sftp into the user's own folder, what an earlier try brought there included. */
async function byFile(
  remote: Remote,
  hands: Hands,
  { home }: HostFacts,
  artefact: Artefact,
  words: (from: string, file: string) => string[],
  onStage: DeliverOptions['onStage']
): Promise<Said> {
  const file = `${home}/.cache/cloudburst/${artefact.id}-${basename(artefact.path)}`
  const wanted = await hashOf(artefact.path)
  const look = async (): Promise<string | undefined> => factsOf((await remote.run(scripted(HASH, [file]))).stdout).get('sha256')
  for (let again = false; ; again = true) {
    if ((await look()) === wanted) break
    if (again) await remote.run(`rm -f ${quoted(file)}`)
    await remote.put(artefact.path, file, sent => onStage('copy', percent(sent, artefact.bytes)))
    onStage('verify')
    const found = await look()
    if (found === wanted || found === '') break
    if (again) throw failed(remote.name, 'what arrived there is not what was sent', `cloudburst deliver ${quoted(remote.name)}`)
  }
  const said = await hands.run(UNPACK, words('', file))
  if (said.code === 0) await remote.run(`rm -f ${quoted(file)}`)
  return said
}

/** Read only as fast as it is taken: a listener would let the beginning flow away before anybody takes it. */
function counted(artefact: Artefact, onStage: DeliverOptions['onStage']): Readable {
  return Readable.from(
    (async function* () {
      let sent = 0
      for await (const chunk of createReadStream(artefact.path)) {
        sent += (chunk as Buffer).length
        onStage('copy', percent(sent, artefact.bytes))
        yield chunk as Buffer
      }
    })()
  )
}

function percent(part: number, whole: number): string {
  return `${Math.floor((part / whole) * 100)} %`
}

/** After a failure: the release that ran before runs again, or nothing is left. */
async function back(hands: Hands, facts: HostFacts): Promise<void> {
  if (facts.current === undefined) return await removeAll(hands, facts, facts.peer === undefined)
  const again = await hands.run(FLIP, [facts.prefix, facts.current, binOf(facts, hands)])
  if (again.code === 0) await hands.run('exec "$1" start-daemon --restart', [`${facts.prefix}/current/bin/cloudburst`])
}

async function removeAll(hands: Hands, facts: HostFacts, home: boolean): Promise<void> {
  await hands.run('[ ! -x "$1" ] || "$1" stop-daemon --remove', [`${facts.prefix}/current/bin/cloudburst`])
  await hands.run(REMOVE, [facts.prefix, binOf(facts, hands), ...(home ? homesOf(facts, hands) : [])])
}

function homesOf({ home }: HostFacts, { root }: Hands): string[] {
  return root ? ['/etc/cloudburst', '/var/lib/cloudburst'] : [`${home}/.config/cloudburst`, `${home}/.local/state/cloudburst`]
}

export function binOf({ home }: HostFacts, { root }: Hands): string {
  return root ? '/usr/local/bin' : `${home}/.local/bin`
}

/** @throws CloudburstError CB_DELIVERY_FAILED */
export function check(remote: Pick<Remote, 'name'>, { code, stdout, stderr }: Said, what: string): void {
  if (code === 0) return
  const facts = factsOf(stdout)
  const again = `cloudburst deliver ${quoted(remote.name)}`
  if (code === 255) throw failed(remote.name, `the connection ended: ${what}`, again)
  if (code === 22) throw failed(remote.name, 'what arrived there is not what was sent', again)
  if (code === 23)
    throw new CloudburstError('CB_HOST_UNFIT', `${remote.name}: Node does not run there: ${facts.get('runtime')}`, {
      host: remote.name,
      fix: 'deliver to a newer system'
    })
  if (/no space left|wrote only \d+ of/i.test(stderr))
    throw failed(remote.name, `${what}: there is no room left`, `ssh ${quoted(remote.name)} df -h`)
  const said = stderr.split('\n').filter(line => line.trim() !== '' && !line.startsWith('next:'))
  throw failed(
    remote.name,
    `${what}: ${firstLine(said.find(line => /read-only|denied|error:/i.test(line)) ?? said[0] ?? `exit ${code}`)}`,
    again
  )
}
