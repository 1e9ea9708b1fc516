/** The programs that this node holds: loaded ones in the store, shipped ones beside the code. Known by name and by content hash. */
import { CloudburstError } from '../../errors.ts'
import { readProgram } from '../../goals/program/read.ts'
import { didYouMean } from '../../goals/program/did-you-mean.ts'
import type { Program, SourceFile } from '../../goals/program/model.ts'
import type { ProgramInfo } from '../../protocols/agency/calls.ts'
import type { Store } from '../store/store.ts'
import { goalsOf, hasGoal, isIncluded } from './goals-of.ts'
import { shippedIn } from './shipped.ts'

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
  readonly name: string
  readonly hash: string
  /** Read when it is first asked for; undefined when it cannot be (any more). */
  readonly program: () => Program | undefined
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
  /** Keeps a program as {@link load} does, unless it is kept already: then nothing is written, and no other program is looked at. */
  keep(program: Program): Promise<void>
  info(program: Program): ProgramInfo
  /** The name of a program that is shipped, or that this node's own people have loaded; undefined for what only peers have sent. */
  ownName(hash: string): string | undefined
  /** Name and hash of those that were loaded here; parses nothing. */
  loaded(): Promise<readonly { readonly name: string; readonly hash: string }[]>
  /** How many are known; shipped ones only once something was asked of them. */
  count(): number
}

export interface ProgramsParts {
  readonly store: Pick<Store, 'range' | 'rawRange' | 'batch'>
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

  const inMemory = (program: Program, how: Pick<Held, 'loadedAt' | 'shipped' | 'own'>): void => {
    held.set(program.hash, { name: program.name, hash: program.hash, program: () => program, ...how })
  }
  /** A program that cannot be read (any more) is told and left out: it must not take the others with it. */
  const readable = (name: string, read: () => Program): Program | undefined => {
    try {
      return read()
    } catch (error) {
      unreadable(name, error)
      return undefined
    }
  }
  const readAll = async (): Promise<void> => {
    for (const { name, read } of shippedDirectory === undefined ? [] : await shippedIn(shippedDirectory, before)) {
      const program = readable(name, read)
      if (program !== undefined) inMemory(program, { shipped: true })
    }
    for await (const [key, { name, files, loadedAt, own }] of store.range<Loaded>({ prefix: PREFIX })) {
      const hash = key.slice(PREFIX.length)
      const known = held.get(hash)
      const program = known?.program ?? once(() => readable(name, () => readProgram(files, { before })))
      held.set(hash, { name, hash, program, loadedAt, shipped: known?.shipped ?? false, ...(own === true && { own }) })
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
  /** The same, those that can be read: each is read the first time that somebody needs all. */
  const allRead = async (): Promise<readonly Program[]> => (await all()).flatMap(({ program }) => program() ?? [])
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
    if (entries.length < PROGRAMS_MAX || entries.some(each => each.hash === hash)) return undefined
    const used = (await inUse?.()) ?? new Set()
    const newest = new Map(entries.map(each => [each.name, each.hash]))
    newest.set(name, hash)
    const old = entries.find(each => newest.get(each.name) !== each.hash && !used.has(each.hash))
    if (old !== undefined) return old.hash
    const what = `${PROGRAMS_MAX} programs are loaded here already, none of which is an unused older version: put goals together, or use another node`
    throw new CloudburstError('CB_BUSY', what, { program: name, limit: PROGRAMS_MAX })
  }

  const load = async (program: Program, files: readonly SourceFile[], byOwn: boolean): Promise<ProgramInfo> => {
    await ready()
    const leaves = await oneTooMany(program.hash, program.name)
    const loadedAt = now()
    const known = held.get(program.hash)
    const own = byOwn || known?.own === true ? { own: true as const } : {}
    const kept: Loaded = { name: program.name, files, loadedAt, ...own }
    await store.batch(
      [
        { type: 'put', key: PREFIX + program.hash, value: kept },
        ...(leaves === undefined ? [] : [{ type: 'del' as const, key: PREFIX + leaves }])
      ],
      { sync: true }
    )
    const left = leaves === undefined ? undefined : held.get(leaves)
    if (left?.shipped === true) held.set(left.hash, { name: left.name, hash: left.hash, program: left.program, shipped: true })
    else if (left !== undefined) held.delete(left.hash)
    inMemory(program, { loadedAt, shipped: known?.shipped ?? false, ...own })
    loaded ??= readNames()
    const names = await loaded
    names.set(program.hash, program.name)
    if (leaves !== undefined) names.delete(leaves)
    return info(program)
  }

  return {
    info,
    ownName: hash => {
      const entry = held.get(hash)
      return entry !== undefined && (entry.shipped || entry.own === true) ? entry.name : undefined
    },
    loaded: async () => {
      loaded ??= readNames()
      return [...(await loaded)].map(([hash, name]) => ({ name, hash }))
    },
    count: () => held.size,
    list: async () => (await allRead()).map(info),
    find: async nameOrHash => {
      const known = held.get(nameOrHash)?.program()
      if (known !== undefined) return known
      const entries = await all()
      const newest = (fits: (each: Held) => boolean): Program | undefined =>
        entries.findLast(each => fits(each) && each.program() !== undefined)?.program()
      const found =
        newest(({ name, hash }) => name === nameOrHash || hash === nameOrHash) ??
        (nameOrHash.length >= HASH_DIGITS_MIN ? newest(({ hash }) => hash.startsWith(nameOrHash)) : undefined)
      if (found !== undefined) return found
      const names = (await allRead()).map(({ name }) => name)
      const near = didYouMean(nameOrHash, names)
      throw new CloudburstError('CB_PROGRAM_UNKNOWN', `no program ${nameOrHash} is loaded or shipped here${near}`, { program: nameOrHash })
    },
    withHash: async hash => {
      if (!held.has(hash)) await ready()
      return held.get(hash)?.program()
    },
    withGoal: async goal => {
      const having = (await allRead()).filter(program => hasGoal(program, goal))
      const defining = having.filter(program => !isIncluded(program, goal))
      const newest = new Map((defining.length > 0 ? defining : having).map(program => [program.name, program]))
      const [first, second] = newest.values()
      if (first === undefined) {
        const near = didYouMean(goal, (await allRead()).flatMap(goalsOf))
        throw new CloudburstError('CB_GOAL_UNKNOWN', `no program here has a goal ${goal}${near}`, { goal })
      }
      if (second !== undefined)
        throw new CloudburstError('CB_USAGE', `${[...newest.keys()].join(' and ')} both have a goal ${goal}: say which with --program`, {
          goal
        })
      return first
    },
    load: async (files, known, own = false) => await load(known ?? readProgram(files, { before }), files, own),
    keep: async program => {
      for await (const _ of store.rawRange({ prefix: PREFIX + program.hash, limit: 1 })) return inMemory(program, { shipped: false })
      await load(program, program.files, false)
    }
  }
}

/** The value that is made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
