/**
 * A fuzzer that keeps what reaches new code, by V8's block coverage (node:inspector): no compiler, no native addon.
 * Under NODE_V8_COVERAGE it does not look at coverage, whose counters it would take away, and mutates blindly.
 */
import { Session } from 'node:inspector'

/** One thing that takes bytes of strangers. */
export interface Target {
  readonly name: string
  /** Code whose coverage counts, by its URL. */
  readonly code: RegExp
  readonly seeds: readonly Uint8Array[]
  /** Words that are put in between. */
  readonly words?: readonly string[]
  /** Throws when something is wrong with the code, not with the bytes. */
  readonly run: (bytes: Buffer) => Promise<void> | void
}

export interface FuzzOptions {
  readonly ms: number
  /** Inputs that were kept before. */
  readonly corpus: readonly Uint8Array[]
  readonly seed: number
  /** Longest input, in bytes. */
  readonly bytesMax?: number
}

export interface FuzzResult {
  readonly runs: number
  /** Blocks of code that were reached; 0 when coverage was not looked at. */
  readonly edges: number
  /** Inputs that reached code no other had reached, seeds not counted. */
  readonly fresh: readonly Buffer[]
  readonly crashes: readonly { readonly what: string; readonly bytes: Buffer }[]
}

/** An input may take this long, in milliseconds: more is a way to keep a node busy. */
const RUN_MS_MAX = 2_000
/** Then it is said to hang, in milliseconds, and the next one is tried. */
const HANG_MS = 10_000
const CRASHES_MAX = 20
/** Inputs between two looks at the coverage, each of which takes milliseconds: what is new is rare. */
const BATCH = 24

export async function fuzz(target: Target, { ms, corpus, seed, bytesMax = 4096 }: FuzzOptions): Promise<FuzzResult> {
  const random = randomFrom(seed)
  const coverage = process.env['NODE_V8_COVERAGE'] === undefined ? openCoverage(target.code) : undefined
  const crashes = new Map<string, Buffer>()
  const kept: Buffer[] = []
  const fresh: Buffer[] = []
  let runs = 0
  const execute = async (bytes: Buffer): Promise<void> => {
    runs++
    const began = performance.now()
    try {
      await inTime(target.run(bytes))
    } catch (error) {
      note(error instanceof Error ? (error.stack ?? error.message) : String(error), bytes)
    }
    const took = performance.now() - began
    if (took > RUN_MS_MAX) note(`it took ${Math.round(took)} ms`, bytes)
  }
  const note = (what: string, bytes: Buffer): void => {
    const key = what.split('\n').slice(0, 3).join(' | ').slice(0, 400)
    if (!crashes.has(key) && crashes.size < CRASHES_MAX) crashes.set(key, Buffer.from(bytes))
  }
  for (const bytes of [...target.seeds, ...corpus]) {
    await execute(Buffer.from(bytes))
    kept.push(Buffer.from(bytes))
  }
  coverage?.isNew()
  const mutate = mutator(kept, target.words ?? [], random, bytesMax)
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const batch = Array.from({ length: BATCH }, mutate)
    for (const bytes of batch) if (Date.now() < end) await execute(bytes)
    if (coverage === undefined || !coverage.isNew()) continue
    // One of them did it. What it reached counts as new for the first that reaches it again.
    coverage.forgetLast()
    for (const bytes of batch) {
      await execute(bytes)
      if (!coverage.isNew()) continue
      kept.push(bytes)
      fresh.push(bytes)
    }
  }
  const edges = coverage?.close() ?? 0
  return { runs, edges, fresh, crashes: [...crashes].map(([what, bytes]) => ({ what, bytes })) }
}

async function inTime(running: Promise<void> | void): Promise<void> {
  if (running === undefined) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANG_MS)
  })
  await Promise.race([running, late]).finally(() => clearTimeout(timer))
}

/** A number below `below`. Source: Marsaglia, Xorshift RNGs, 2003 */
type Random = (below: number) => number

function randomFrom(seed: number): Random {
  let state = seed >>> 0 || 1
  return below => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

function mutator(kept: readonly Buffer[], words: readonly string[], random: Random, bytesMax: number): () => Buffer {
  const one = (): Buffer => kept[random(kept.length)] ?? Buffer.from('a')
  const change = (bytes: Buffer): Buffer => {
    const at = bytes.length === 0 ? 0 : random(bytes.length)
    const to = bytes.length === 0 ? 0 : random(bytes.length)
    const [from, until] = [Math.min(at, to), Math.max(at, to)]
    switch (random(8)) {
      case 0:
        if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << random(8))
        return bytes
      case 1:
        if (bytes.length > 0) bytes[at] = random(256)
        return bytes
      case 2:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)])
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(8)))])
      case 4: {
        const other = one()
        return Buffer.concat([bytes.subarray(0, at), other.subarray(other.length === 0 ? 0 : random(other.length))])
      }
      case 5:
      case 6:
        if (words.length === 0) return bytes
        return Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(words[random(words.length)]!),
          bytes.subarray(random(2) === 0 ? at : until)
        ])
      default:
        return Buffer.concat([bytes, bytes.subarray(from, until)])
    }
  }
  return () => {
    let bytes: Buffer = Buffer.from(one())
    for (let count = 1 + random(4); count > 0; count--) bytes = change(bytes)
    return Buffer.from(bytes.subarray(0, bytesMax))
  }
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}
interface ScriptCoverage {
  readonly scriptId: string
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

/** Says after each run whether it reached a block, or a number of times, that none had reached before. */
function openCoverage(code: RegExp): { isNew(): boolean; forgetLast(): void; close(): number } {
  const session = new Session()
  session.connect()
  const post = (method: string, parameters?: object): unknown => {
    let answer: unknown
    session.post(method, parameters as never, (error, result) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
  post('Profiler.enable')
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const seen = new Set<string>()
  let last: string[] = []
  const look = (): boolean => {
    last = []
    const { result } = post('Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] }
    for (const script of result) {
      if (!code.test(script.url)) continue
      for (const { ranges } of script.functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const key = `${script.scriptId}:${startOffset}:${endOffset}`
          if (count === 0 || seen.has(key)) continue
          seen.add(key)
          last.push(key)
        }
      }
    }
    return last.length > 0
  }
  return {
    isNew: look,
    forgetLast: () => {
      for (const key of last) seen.delete(key)
    },
    close: () => {
      session.disconnect()
      return seen.size
    }
  }
}
