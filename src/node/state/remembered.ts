/** What this node knew of others when it ended, so that it knows it when it begins alone. Not synced: it can be pulled again. */
import { toErrorData } from '../../errors.ts'
import type { Clock } from '../../goals/ports.ts'
import type { Replica } from '../../protocols/state/replica.ts'
import type { Log } from '../files/live-file.ts'
import type { Op, Store } from '../store/store.ts'
import { openPastChanges, type PastChange } from './past-changes.ts'

/** What is news is written down this often at most, in milliseconds: a crash forgets so much, and pulls it again. */
const WRITE_EVERY_MS = 30_000
/** Records of one origin. */
const KEPT_PREFIX = 'rk!'
/** Forks that a person has accepted: what was signed up to that boot stays untrusted. */
const DISTRUSTED_PREFIX = 'rd!'

interface Kept {
  readonly seq: number
  /** Base64. */
  readonly envelopes: readonly string[]
  readonly gone?: string
}

export interface Remembered {
  /** The latest changes of all values, oldest first: those of earlier lives too. */
  changes(): readonly PastChange[]
  /** Durable on return. */
  distrusted(origin: string, name: string, boot: number): Promise<void>
  /** Writes what is new; resolves when it is written. */
  stop(): Promise<void>
}

/** Puts what was remembered into a replica, then writes down what it comes to know. */
export async function remember(
  store: Pick<Store, 'range' | 'batch'>,
  replica: Replica,
  clock: Clock,
  log: Pick<Log, 'warn'>
): Promise<Remembered> {
  for await (const [key, { name, boot }] of store.range<{ name: string; boot: number }>({ prefix: DISTRUSTED_PREFIX }))
    replica.distrust(key.slice(DISTRUSTED_PREFIX.length), name, boot)
  const written = new Map<string, string>()
  for await (const [key, kept] of store.range<Kept>({ prefix: KEPT_PREFIX })) {
    written.set(key.slice(KEPT_PREFIX.length), '')
    try {
      for (const envelope of kept.envelopes) replica.apply(Buffer.from(envelope, 'base64'))
      if (kept.gone !== undefined) replica.applyForget(Buffer.from(kept.gone, 'base64'))
    } catch (error) {
      // A disk may lie; the signatures tell. What is missing is pulled.
      log.warn({ origin: key, code: toErrorData(error).code }, 'what was remembered of a node does not hold, and is left out')
    }
  }
  const past = await openPastChanges(store, replica)
  const stopping = new AbortController()
  let dirty = false
  const write = async (): Promise<void> => {
    const ops: Op[] = []
    const kept = replica.kept()
    for (const { origin, seq, envelopes, gone } of kept) {
      const mark = `${seq} ${envelopes.length} ${envelopes[0]?.byteLength ?? 0} ${gone !== undefined}`
      if (written.get(origin) === mark) continue
      written.set(origin, mark)
      const value: Kept = { seq, envelopes: envelopes.map(base64), ...(gone !== undefined && { gone: base64(gone) }) }
      ops.push({ type: 'put', key: `${KEPT_PREFIX}${origin}`, value })
    }
    const there = new Set(kept.map(({ origin }) => origin))
    for (const origin of written.keys()) {
      if (there.has(origin)) continue
      written.delete(origin)
      ops.push({ type: 'del', key: `${KEPT_PREFIX}${origin}` })
    }
    ops.push(...past.ops())
    if (ops.length > 0) await store.batch(ops, { sync: false })
    past.written()
  }
  const writeQuietly = (): Promise<void> =>
    write().catch(error => {
      written.clear()
      log.warn({ code: toErrorData(error).code }, 'what is known of other nodes could not be written down; it is tried again')
    })
  const end = replica.subscribe(() => {
    dirty = true
  })
  const regularly = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(WRITE_EVERY_MS, stopping.signal).catch(() => undefined)
      if (!dirty) continue
      dirty = false
      await writeQuietly()
    }
  }
  const running = regularly()
  return {
    changes: past.latest,
    distrusted: (origin, name, boot) =>
      store.batch([{ type: 'put', key: `${DISTRUSTED_PREFIX}${origin}`, value: { name, boot } }], { sync: true }),
    stop: async () => {
      end()
      stopping.abort()
      await running
      await writeQuietly()
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
