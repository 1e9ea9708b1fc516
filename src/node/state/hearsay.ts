/** Nodes that are known by what they publish, told to the mesh: who they are and where, so that they can be dialled when needed. */
import type { Clock } from '../../goals/ports.ts'
import type { Tree } from '../../goals/tree.ts'
import type { Replica } from '../../protocols/state/replica.ts'
import type { Mesh } from '../mesh.ts'

/** Changes that come within this time are looked at together, in milliseconds. */
const GATHER_MS = 1_000

/** @returns ends it */
export function tellMesh(replica: Replica, mesh: Pick<Mesh, 'heardOf'>, clock: Clock): () => void {
  const stopping = new AbortController()
  const told = new Map<string, string>()
  let waiting = false
  const tell = (): void => {
    for (const { origin, name } of replica.origins()) {
      if (origin === replica.self) continue
      const { fields } = replica.read(`nodes.${name}`) ?? {}
      // Two nodes may have one name; what is shown under it is one's alone.
      if (text(fields?.['peer']) !== origin) continue
      const addresses = (fields?.['addresses']?.items ?? []).map(each => text(each) ?? '')
      const labels = Object.fromEntries(Object.entries(fields?.['labels']?.fields ?? {}).map(([key, each]) => [key, text(each) ?? '']))
      const card = { name, version: text(fields?.['version']) ?? '', labels, addresses }
      const mark = JSON.stringify(card)
      if (told.get(origin) === mark) continue
      told.set(origin, mark)
      mesh.heardOf?.({ peer: origin, ...card })
    }
  }
  const soon = async (): Promise<void> => {
    if (waiting) return
    waiting = true
    await clock.sleep(GATHER_MS, stopping.signal)
    waiting = false
    tell()
  }
  const end = replica.subscribe(() => void soon().catch(() => undefined))
  void soon().catch(() => undefined)
  return () => {
    end()
    stopping.abort()
  }
}

function text(tree: Tree | undefined): string | undefined {
  return tree?.value === undefined ? undefined : String(tree.value)
}
