/** The programs that this node holds: loaded ones in the store, shipped ones beside the code. Known by name and by content hash. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { readProgram } from '../../goals/program/read.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { Program, SourceFile } from '../../goals/program/model.ts'
import type { ProgramInfo } from '../../protocols/agency/calls.ts'
import type { Store } from '../store/store.ts'

const PREFIX = 'p!'
/** A hash may be shortened to this many hex digits where it names a program. */
const HASH_DIGITS_MIN = 8

/**
 * Programs that are loaded here: each is in memory as it was read, some 100 KB for a long one. Beyond it those give way that
 * nobody uses and whose name means a newer one.
 */
export const PROGRAMS_MAX = 1_000

interface Loaded {
  readonly name: string
  readonly files: readonly SourceFile[]
  readonly loadedAt: number
  readonly own?: true
}

interface Held {
  readonly program: Program
  readonly loadedAt?: number
  readonly shipped: boolean
  readonly own?: true
}

export interface Programs {
  list(): Promise<readonly ProgramInfo[]>
  /** @throws CloudburstError CB_PROGRAM_UNKNOWN */
  find(nameOrHash: string): Promise<Program>
  /** The program with that hash, if it is held: what a dispatch asks before the program is sent. */
  withHash(hash: string): Promise<Program | undefined>
  /**
   * The one program that has this goal. One that includes it from a file gives way to one that has it itself.
   * @throws CloudburstError CB_GOAL_UNKNOWN when none has, CB_USAGE when several have and none is named
   */
  withGoal(goal: string): Promise<Program>
  /**
   * Reads and keeps a program; durable on return.
   * @param known what the files were read to already, if they were
   * @param own loaded by this node's own people, who may be relied on for its name
   * @throws CloudburstError CB_PROGRAM_INVALID; CB_BUSY when {@link PROGRAMS_MAX} are loaded
   */
  load(files: readonly SourceFile[], known?: Program, own?: boolean): Promise<ProgramInfo>
  info(program: Program): ProgramInfo
  /** The name of a program that is shipped, or that this node's own people have loaded; undefined for what only peers have sent. */
  ownName(hash: string): string | undefined
  /** Name and hash of those that were loaded here; parses nothing. */
  loaded(): Promise<readonly { readonly name: string; readonly hash: string }[]>
  /** How many are known; shipped ones only once something was asked of them. */
  count(): number
}

export interface ProgramsParts {
  readonly store: Pick<Store, 'range' | 'batch'>
  /** Where the programs lie that come with the product; read when first needed. */
  readonly shippedDirectory?: string
  readonly now: () => number
  /** Read before every program, e.g. credentials of this node; not part of what a program is. */
  readonly before?: readonly SourceFile[]
  /** Hashes of those that goals and agents need; absent: none. */
  readonly inUse?: () => Promise<ReadonlySet<string>>
  /** Told of a program that cannot be read (any more). */
  readonly unreadable: (what: string, error: unknown) => void
}

/** Reads nothing yet. */
export function openPrograms({ store, shippedDirectory, now, before = [], inUse, unreadable }: ProgramsParts): Programs {
  const held = new Map<string, Held>()
  let reading: Promise<void> | undefined
  let loaded: Promise<Map<string, string>> | undefined

  const readNames = async (): Promise<Map<string, string>> => {
    const names = new Map<string, string>()
    for await (const [key, { name }] of store.range<Loaded>({ prefix: PREFIX })) names.set(key.slice(PREFIX.length), name)
    return names
  }

  /** A program that cannot be read (any more) is told and left out: it must not take the others with it. */
  const hold = (what: string, read: () => Program, how: Omit<Held, 'program'>): void => {
    try {
      const program = read()
      held.set(program.hash, { program, ...how })
    } catch (error) {
      unreadable(what, error)
    }
  }
  const readAll = async (): Promise<void> => {
    for (const { name, read } of shippedDirectory === undefined ? [] : await shippedIn(shippedDirectory, before))
      hold(name, read, { shipped: true })
    for await (const [key, { name, files, loadedAt, own }] of store.range<Loaded>({ prefix: PREFIX })) {
      const shipped = held.get(key.slice(PREFIX.length))?.shipped ?? false
      hold(name, () => readProgram(files, { before }), { loadedAt, shipped, ...(own === true && { own }) })
    }
  }
  const ready = (): Promise<void> => {
    reading ??= readAll().catch(error => {
      reading = undefined
      throw error
    })
    return reading
  }
  /** Newest last: a name means what was loaded last under it, and a loaded one before a shipped one. */
  const all = async (): Promise<readonly Held[]> => {
    await ready()
    return [...held.values()].sort((a, b) => (a.loadedAt ?? 0) - (b.loadedAt ?? 0))
  }
  const info = (program: Program): ProgramInfo => {
    const entry = held.get(program.hash)
    return {
      name: program.name,
      hash: program.hash,
      goals: goalsOf(program),
      agents: [...program.agents.keys()],
      shipped: entry?.shipped ?? false,
      ...(entry?.loadedAt !== undefined && { loadedAt: entry.loadedAt }),
      warnings: program.warnings
    }
  }

  /** The oldest that gives way to one more; undefined while there is room. @throws CloudburstError CB_BUSY when none does */
  const oneTooMany = async (hash: string, name: string): Promise<string | undefined> => {
    const entries = (await all()).filter(each => each.loadedAt !== undefined)
    if (entries.length < PROGRAMS_MAX || entries.some(each => each.program.hash === hash)) return undefined
    const used = (await inUse?.()) ?? new Set()
    const newest = new Map(entries.map(each => [each.program.name, each.program.hash]))
    newest.set(name, hash)
    const old = entries.find(({ program }) => newest.get(program.name) !== program.hash && !used.has(program.hash))
    if (old !== undefined) return old.program.hash
    const what = `${PROGRAMS_MAX} programs are loaded here already, none of which is an unused older version: put goals together, or use another node`
    throw new CloudburstError('CB_BUSY', what, { program: name, limit: PROGRAMS_MAX })
  }

  return {
    info,
    ownName: hash => {
      const entry = held.get(hash)
      return entry !== undefined && (entry.shipped || entry.own === true) ? entry.program.name : undefined
    },
    loaded: async () => {
      loaded ??= readNames()
      return [...(await loaded)].map(([hash, name]) => ({ name, hash }))
    },
    count: () => held.size,
    list: async () => (await all()).map(({ program }) => info(program)),
    find: async nameOrHash => {
      const entries = await all()
      const found =
        entries.findLast(({ program }) => program.name === nameOrHash || program.hash === nameOrHash) ??
        (nameOrHash.length >= HASH_DIGITS_MIN ? entries.findLast(({ program }) => program.hash.startsWith(nameOrHash)) : undefined)
      if (found === undefined) {
        const near = didYouMean(
          nameOrHash,
          entries.map(({ program }) => program.name)
        )
        throw new CloudburstError('CB_PROGRAM_UNKNOWN', `no program ${nameOrHash} is loaded or shipped here${near}`, {
          program: nameOrHash
        })
      }
      return found.program
    },
    withHash: async hash => {
      await ready()
      return held.get(hash)?.program
    },
    withGoal: async goal => {
      const having = (await all()).map(({ program }) => program).filter(program => hasGoal(program, goal))
      const defining = having.filter(program => !isIncluded(program, goal))
      const newest = new Map((defining.length > 0 ? defining : having).map(program => [program.name, program]))
      const [first, second] = newest.values()
      if (first === undefined) {
        const near = didYouMean(
          goal,
          (await all()).flatMap(({ program }) => goalsOf(program))
        )
        throw new CloudburstError('CB_GOAL_UNKNOWN', `no program here has a goal ${goal}${near}`, { goal })
      }
      if (second !== undefined)
        throw new CloudburstError('CB_USAGE', `${[...newest.keys()].join(' and ')} both have a goal ${goal}: say which with --program`, {
          goal
        })
      return first
    },
    load: async (files, known, byOwn = false) => {
      const program = known ?? readProgram(files, { before })
      await ready()
      const leaves = await oneTooMany(program.hash, program.name)
      const loadedAt = now()
      const own = byOwn || held.get(program.hash)?.own === true ? { own: true as const } : {}
      const kept: Loaded = { name: program.name, files, loadedAt, ...own }
      await store.batch(
        [
          { type: 'put', key: PREFIX + program.hash, value: kept },
          ...(leaves === undefined ? [] : [{ type: 'del' as const, key: PREFIX + leaves }])
        ],
        { sync: true }
      )
      const left = leaves === undefined ? undefined : held.get(leaves)
      if (left?.shipped === true) held.set(left.program.hash, { program: left.program, shipped: true })
      else if (left !== undefined) held.delete(left.program.hash)
      held.set(program.hash, { program, loadedAt, shipped: held.get(program.hash)?.shipped ?? false, ...own })
      loaded ??= readNames()
      const names = await loaded
      names.set(program.hash, program.name)
      if (leaves !== undefined) names.delete(leaves)
      return info(program)
    }
  }
}

/** Every goal of the program, those of its agents too. */
export function goalsOf(program: Program): readonly string[] {
  return [...program.goals.keys(), ...[...program.agents.values()].flatMap(agent => [...agent.goals.keys()])]
}

/** Whether the program declares the goal, globally or in one of its agents. */
export function hasGoal(program: Program, goal: string): boolean {
  return program.goals.has(goal) || [...program.agents.values()].some(agent => agent.goals.has(goal))
}

/** Whether the goal stands in a file that the program's root includes. */
function isIncluded(program: Program, goal: string): boolean {
  const proto = program.goals.get(goal) ?? [...program.agents.values()].map(agent => agent.goals.get(goal)).find(each => each !== undefined)
  return proto !== undefined && proto.place.file !== program.files[0]?.name
}

/** Each file is a program; one may include another that lies beside it. */
async function shippedIn(
  directory: string,
  before: readonly SourceFile[]
): Promise<readonly { readonly name: string; readonly read: () => Program }[]> {
  const names = (await readdir(directory).catch(() => [])).filter(name => name.endsWith('.xml')).sort()
  const files = await Promise.all(names.map(async name => ({ name, text: await readFile(join(directory, name), 'utf8') })))
  const include = (included: string): SourceFile | undefined => files.find(({ name }) => name === included)
  return files.map(file => ({ name: file.name, read: () => readProgram([file], { include, before }) }))
}
