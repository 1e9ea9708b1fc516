/** Which release this process is of, and where others can be put beside it. */
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** An unpacked artefact that a daemon runs from. */
export interface Release {
  /** `VERSION-HASH`, the name of its folder. */
  readonly id: string
  readonly tree: string
  /** The folder that has `releases/` and the link `current`. */
  readonly prefix: string
}

/** What artefacts for this machine are for, e.g. `linux-x64`. */
export const target = `${process.platform}-${process.arch}`

/**
 * The release of a program that runs from `TREE/lib/dist/`.
 * @returns undefined when it runs from a clone, or was installed by npm
 */
export function releaseOf(program: string): Release | undefined {
  if (!existsSync(program)) return undefined
  const tree = dirname(dirname(dirname(realpathSync(program))))
  const releases = dirname(tree)
  if (basename(releases) !== 'releases' || !existsSync(join(tree, 'MANIFEST'))) return undefined
  return { id: basename(tree), tree, prefix: dirname(releases) }
}

/**
 * Where this daemon may put releases: beside its own, or, where that is root's, below its home. There they count only
 * over the release that they were put over, so that a delivery by root always wins: scripts/package/cloudburstd.sh
 */
export function placeOf({ prefix }: Release, base: string): { readonly folder: string; readonly over: boolean } {
  try {
    for (const path of [prefix, join(prefix, 'releases')]) accessSync(path, constants.W_OK)
    return { folder: prefix, over: false }
  } catch {
    return { folder: join(base, 'lib'), over: true }
  }
}
