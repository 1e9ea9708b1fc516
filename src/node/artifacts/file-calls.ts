/** Files by what is in them, as the people of this node ask for them. */
import { copyFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { Tree } from '../../goals/tree.ts'
import type { ArtifactInfo, PeerInfo } from '../control/contract.ts'
import type { LocalHandlers } from '../control/server.ts'
import type { Artifact, Artifacts } from './artifacts.ts'
import type { Fetched, Holder } from './fetching.ts'

export interface FileCallsParts {
  readonly artifacts: Artifacts
  readonly fetch: (hash: string, signal: AbortSignal, only?: Holder) => Promise<Fetched>
  /** The value at a path of what this node knows of all nodes. */
  readonly state: (path: string) => Tree | undefined
  /** @throws CloudburstError CB_PEER_UNKNOWN */
  readonly peerOf: (selector: string) => PeerInfo
  readonly name: string
}

/** Fewest characters of a hash that name a file. */
const HASH_PREFIX_MIN = 8

export function fileCalls({
  artifacts,
  fetch,
  state,
  peerOf,
  name
}: FileCallsParts): Pick<LocalHandlers, 'artifacts' | 'keepfile' | 'fetchfile' | 'dropfile'> {
  const here = ({ hash, size, name: called }: Artifact): ArtifactInfo => ({
    hash,
    size,
    name: called,
    on: [name],
    path: artifacts.path(hash)
  })
  const all = (): ArtifactInfo[] => {
    const found = new Map(artifacts.list().map(each => [each.hash, here(each)]))
    for (const { hash, node, size, called } of told(state('nodes'))) {
      const known = found.get(hash)
      const on = [...new Set([...(known?.on ?? []), node])]
      found.set(hash, known === undefined ? { hash, size, name: called, on } : { ...known, on })
    }
    return [...found.values()]
  }
  const full = (given: string): string => {
    const wanted = given.replace(/^sha256:/, '').toLowerCase()
    if (wanted.length < HASH_PREFIX_MIN)
      throw new CloudburstError('CB_USAGE', `${given} is too short: give ${HASH_PREFIX_MIN} characters of the hash`)
    const found = all().filter(({ hash }) => hash.startsWith(wanted))
    if (found.length > 1) throw new CloudburstError('CB_USAGE', `${given} is the beginning of ${found.length} files: type more of it`)
    // One that nobody tells of may have been kept a moment ago; for that it has to be named whole.
    if (found[0] === undefined && !/^[0-9a-f]{64}$/.test(wanted))
      throw new CloudburstError('CB_ARTIFACT_UNKNOWN', `no known node has a file ${given}`, { hash: wanted })
    return found[0]?.hash ?? wanted
  }
  return {
    artifacts: () => Promise.resolve(all()),
    keepfile: async ({ path }) => here(await artifacts.put(path)),
    fetchfile: async ({ hash, peer, to }, _by, signal) => {
      if (to !== undefined && !isAbsolute(to)) throw new CloudburstError('CB_USAGE', `${to} is not an absolute path`)
      const only = peer === undefined ? undefined : peerOf(peer)
      const fetched = await fetch(full(hash), signal, only && { peer: only.peer, node: only.name })
      if (to !== undefined) await copyFile(artifacts.path(fetched.hash), to)
      return { ...here(fetched), ...(to !== undefined && { path: to }), ...(fetched.from !== undefined && { from: fetched.from }) }
    },
    dropfile: async ({ hash }) => {
      await artifacts.drop(full(hash))
      return {}
    }
  }
}

/** Where the file with a hash is, for steps that use it: fetched before they begin. */
export function fileFinder(
  artifacts: Artifacts,
  fetch: FileCallsParts['fetch']
): (hash: string, fetch: boolean) => Promise<string | undefined> {
  return async (hash, mayFetch) => {
    if (artifacts.find(hash) !== undefined) return artifacts.path(hash)
    if (!mayFetch) return undefined
    return artifacts.path((await fetch(hash, new AbortController().signal)).hash)
  }
}

/** Keeps what a step names by its path, `~` for the home directory. */
export function keepFileIn(artifacts: Artifacts): (path: string) => Promise<string> {
  return async path => `sha256:${(await artifacts.put(path.replace(/^~(?=\/)/, homedir()))).hash}`
}

/** What nodes say that they have: `nodes.<name>.artifacts.<hash>`. What they say is data: only hashes count. */
function told(nodes: Tree | undefined): { readonly hash: string; readonly node: string; readonly size: number; readonly called: string }[] {
  return Object.entries(nodes?.fields ?? {}).flatMap(([node, { fields }]) =>
    Object.entries(fields?.['artifacts']?.fields ?? {}).flatMap(([hash, each]) =>
      /^[0-9a-f]{64}$/.test(hash)
        ? [{ hash, node, size: Number(each.fields?.['size']?.value ?? 0), called: String(each.fields?.['name']?.value ?? hash) }]
        : []
    )
  )
}

/** Nodes that may have a file although nobody has said so yet: most that are asked. */
const OTHERS_ASKED_MAX = 20

/** Nodes that say that they have a file, those that answer first; then neighbours, whose news may be on its way. */
export function holdersOf(hash: string, nodes: Tree | undefined, peers: readonly PeerInfo[]): readonly Holder[] {
  const known = told(nodes).filter(each => each.hash === hash)
  const near = ({ status }: PeerInfo): number => (status === 'up' ? 0 : 1)
  const sorted = peers.toSorted((a, b) => near(a) - near(b) || (a.roundTripMs ?? 1e9) - (b.roundTripMs ?? 1e9))
  const saying = sorted.flatMap(({ peer, name }) =>
    known.filter(({ node }) => node === name).map(({ called }) => ({ peer, node: name, name: called }))
  )
  const others = sorted.filter(({ peer, status }) => status === 'up' && !saying.some(each => each.peer === peer))
  return [...saying, ...others.slice(0, OTHERS_ASKED_MAX).map(({ peer, name }) => ({ peer, node: name }))]
}
