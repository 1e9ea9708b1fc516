/**
 * This node in another release: the file that came over the mesh is unpacked beside the release that runs and verified, and
 * tried by a process that goes back by itself unless whoever asked finds the node well in time. The link that the next start
 * follows is turned only then, so that a restart of the host during a trial is a return too.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CloudburstError } from '../../errors.ts'
import type { Principal } from '../../goals/pursuit/events.ts'
import type { Calls, ReleaseInfo } from '../../protocols/agency/calls.ts'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Check } from '../control/contract.ts'
import type { Holder } from '../artifacts/fetching.ts'
import type { Artefact } from '../delivery/artefact.ts'
import { FLIP, UNPACK } from '../delivery/scripts.ts'
import { replaceFile } from '../files/atomic-file.ts'
import { canHandOver, type HandOver } from './hand-over.ts'
import { placeOf, type Release, target } from './release.ts'

export interface UpgradeParts {
  /** Absent: this program was not delivered, so that there is nothing to put another beside. */
  readonly release?: Release
  /** The node's base directory. */
  readonly base: string
  readonly self: string
  /** The trial that this process is on. */
  readonly tried?: string
  readonly artifacts: Pick<Artifacts, 'find' | 'path' | 'drop'>
  readonly fetch: (hash: string, signal: AbortSignal, only?: Holder) => Promise<unknown>
  /** What does not work here, in words. */
  readonly wrong: () => Promise<readonly string[]>
  /** Ends this daemon; the same process goes on as the one that tries the release. */
  readonly handOver: (to: HandOver) => void
  readonly startedAt: number
}

export interface Upgrades {
  info(): Promise<ReleaseInfo>
  /** @throws CloudburstError CB_HOST_UNFIT, CB_BUSY, CB_ARTEFACT_MISSING, CB_DELIVERY_FAILED: nothing has changed then */
  upgrade(request: Calls['upgrade']['request'], by: Principal, signal: AbortSignal): Promise<ReleaseInfo>
  /** @throws CloudburstError CB_DELIVERY_FAILED when another release runs, or it is too late */
  keep(request: Calls['keeprelease']['request']): Promise<ReleaseInfo>
  /** What a person who asks how this node is should know. */
  checks(): readonly Check[]
}

/** Between the answer to whoever asked and the end of this daemon, in milliseconds: the answer has to leave. */
const ANSWER_MS = 300
/** Longest time that unpacking may take, in milliseconds: a slow disk writes 130 MB in a minute. */
const UNPACK_MS = 5 * 60_000

/** Reads how the last trial ended, and removes what it has left. */
export function openUpgrades(parts: UpgradeParts): Upgrades {
  const { release, base, tried } = parts
  const directory = join(base, 'upgrade')
  const trial = join(directory, 'trial')
  if (release !== undefined && tried === undefined) tidy(release, base, directory)
  let busy = false

  const info = async (): Promise<ReleaseInfo> => {
    const returned = returnedIn(directory)
    return {
      ...(release !== undefined && { release: release.id }),
      target,
      startedAt: parts.startedAt,
      ...(tried !== undefined && existsSync(tried) && { trial: true as const }),
      ...(returned !== undefined && { returned }),
      wrong: await parts.wrong()
    }
  }
  const prepare = async (
    from: Release,
    { artifact, release: wanted, withinMs }: Calls['upgrade']['request'],
    by: Principal,
    signal: AbortSignal
  ): Promise<void> => {
    const { folder, over } = placeOf(from, base)
    const tree = join(folder, 'releases', wanted)
    if (!(await isWhole(tree))) {
      rmSync(tree, { recursive: true, force: true })
      const known = parts.artifacts.find(artifact) !== undefined
      await parts.fetch(artifact, signal, by.peer === parts.self ? undefined : { peer: by.peer, node: by.node })
      const file = parts.artifacts.path(artifact)
      try {
        const { artefactsAt } = await import('../delivery/artefact.ts')
        const [artefact] = await artefactsAt(file)
        await fits(artefact, wanted, over ? base : folder)
        await run(UNPACK, [folder, wanted, '', file])
      } finally {
        if (!known) await parts.artifacts.drop(artifact).catch(() => undefined)
      }
    }
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    rmSync(join(directory, 'returned'), { force: true })
    if (over) replaceFile(join(directory, 'over'), `${from.id}\n`, 0o600)
    else rmSync(join(directory, 'over'), { force: true })
    // From here on a process that ends, of whatever cause, leaves the release that runs as the one that is started again.
    replaceFile(trial, `${tree}\n${Math.ceil(withinMs / 1_000)}\n`, 0o600)
    setTimeout(() => parts.handOver({ release: from, trial }), ANSWER_MS)
  }
  return {
    info,
    checks: () => {
      const returned = returnedIn(directory)
      if (returned === undefined) return []
      return [
        { name: 'release', verdict: 'warn', say: `it has gone back from ${returned.release}: ${returned.why}`, next: 'cloudburst hello' }
      ]
    },
    upgrade: async (request, by, signal) => {
      if (release === undefined) throw notDelivered()
      if (!canHandOver(tried)) throw unfit(`its Node ${process.version} cannot make room for another release`)
      if (request.release === release.id) return await info()
      if (busy || (tried !== undefined && existsSync(tried)))
        throw new CloudburstError('CB_BUSY', 'this node is being upgraded already: try again when it has come to rest')
      busy = true
      try {
        await prepare(release, request, by, signal)
      } catch (error) {
        busy = false
        throw error
      }
      return await info()
    },
    keep: async request => {
      if (release === undefined) throw notDelivered()
      if (request.release !== release.id) throw failed(`${release.id} runs here, not ${request.release}`)
      if (tried === undefined || !existsSync(tried)) return await info()
      await keepIt(release, base, tried)
      return await info()
    }
  }
}

/** Whoever renames the file first has decided: this daemon, or the script that goes back. */
async function keepIt(release: Release, base: string, tried: string): Promise<void> {
  try {
    renameSync(tried, join(base, 'upgrade', 'kept'))
  } catch (error) {
    throw failed('it is too late: this node goes back to the release before', error)
  }
  await run(FLIP, [release.prefix, release.id, ''])
  const over = join(base, 'lib')
  const delivered = join(base, 'upgrade', 'over')
  if (release.prefix === over && existsSync(delivered)) renameSync(delivered, join(over, 'over'))
}

async function fits(artefact: Artefact | undefined, wanted: string, folder: string): Promise<void> {
  if (artefact === undefined || artefact.id !== wanted) throw unfit(`what came is ${artefact?.id ?? 'no release'}, not ${wanted}`)
  if (artefact.target !== target) throw unfit(`it is ${target}, and what came is for ${artefact.target}`)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < artefact.unpackedBytes)
    throw unfit(
      `${folder} has ${Math.round((bavail * bsize) / 1e6)} MB left, and ${Math.round(artefact.unpackedBytes / 1e6)} MB are needed`
    )
}

/** Whether a release is there, each file as its manifest says, and the manifest as the release's name says. */
async function isWhole(tree: string): Promise<boolean> {
  try {
    const manifest = readFileSync(join(tree, 'MANIFEST'))
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    const lines = manifest.toString('utf8').trimEnd().split('\n')
    if (!tree.endsWith(`-${hash(manifest).slice(0, 12)}`)) return false
    // One after the other: a daemon with 130 MB to look at goes on with everything else.
    for (const line of lines) if (!line.startsWith(hash(await readFile(join(tree, line.slice(66)))))) return false
    return true
  } catch {
    return false
  }
}

/** A script of delivery, here. @throws CloudburstError CB_DELIVERY_FAILED with what it said */
async function run(script: string, words: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('sh', ['-c', script, 'cloudburst', ...words], { timeout: UNPACK_MS })
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { readonly stderr?: string; readonly stdout?: string }
    const said = stderr.trim().split('\n')[0] || stdout.trim().split('\n').at(-1) || String(error)
    throw failed(`the release could not be put in place: ${said}`, error)
  }
}

/** After a trial that did not end well, or that a restart has ended: how, and nothing else, is left of it. */
function tidy(release: Release, base: string, directory: string): void {
  const trial = join(directory, 'trial')
  const returned = join(directory, 'returned')
  if (existsSync(trial)) {
    const [tree = ''] = readFileSync(trial, 'utf8').split('\n')
    replaceFile(returned, `${tree}\nthe node was stopped before anybody had found it well\n`, 0o600)
    rmSync(trial, { force: true })
  }
  const lib = join(base, 'lib')
  const over = join(lib, 'over')
  // Put over a release that is not the delivered one any more, or never kept.
  if (release.prefix !== lib && !(existsSync(over) && readFileSync(over, 'utf8').trim() === release.id))
    rmSync(lib, { recursive: true, force: true })
  const [tree = ''] = existsSync(returned) ? readFileSync(returned, 'utf8').split('\n') : []
  if (dirname(tree) === dirname(release.tree) && tree !== release.tree && !isLinked(release.prefix, tree))
    rmSync(tree, { recursive: true, force: true })
}

/** Whether the next start, or the way back, leads there. */
function isLinked(prefix: string, tree: string): boolean {
  return ['current', 'previous'].some(link => {
    const [mine, its] = [join(prefix, link), tree].map(path => statSync(path, { throwIfNoEntry: false })?.ino)
    return mine !== undefined && mine === its
  })
}

function returnedIn(directory: string): ReleaseInfo['returned'] {
  const file = join(directory, 'returned')
  if (!existsSync(file)) return undefined
  const [tree = '', why = ''] = readFileSync(file, 'utf8').split('\n')
  return { release: basename(tree), why, at: Math.round(statSync(file).mtimeMs) }
}

function notDelivered(): CloudburstError {
  return unfit('this node was not delivered as a release: there is nothing to put another one beside')
}

function unfit(message: string): CloudburstError {
  return new CloudburstError('CB_HOST_UNFIT', message, { fix: 'cloudburst deliver USER@HOST' })
}

function failed(message: string, cause?: unknown): CloudburstError {
  return new CloudburstError('CB_DELIVERY_FAILED', message, { fix: 'cloudburst upgrade --all' }, cause)
}
