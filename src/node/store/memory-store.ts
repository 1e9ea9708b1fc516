/** A store that keeps nothing: for planning and listing without a daemon, which must leave no trace. */
import { randomBytes } from 'node:crypto'
import type { Range, Store } from './store.ts'
import { decodeValue, encodePut } from './value.ts'

export function memoryStore(): Store {
  const values = new Map<string, Buffer>()
  const keys = ({ prefix, reverse = false, limit = -1, after }: Range): string[] => {
    const found = [...values.keys()].filter(key => key.startsWith(prefix)).sort()
    if (reverse) found.reverse()
    const from = after === undefined ? found : found.filter(key => (reverse ? key < after : key > after))
    return limit < 0 ? from : from.slice(0, limit)
  }
  async function* rawRange(range: Range): AsyncGenerator<[string, Buffer]> {
    for (const key of keys(range)) {
      const bytes = values.get(key)
      if (bytes !== undefined) yield [key, bytes]
    }
  }
  return {
    boot: 1,
    nonce: randomBytes(16).toString('hex'),
    damage: undefined,
    state: 'ready',
    counts: { batches: 0, writes: 0, syncs: 0 },
    get: <T>(key: string) => {
      const bytes = values.get(key)
      return Promise.resolve(bytes === undefined ? undefined : (decodeValue(key, bytes) as T))
    },
    range: async function* <T>(range: Range) {
      for await (const [key, bytes] of rawRange(range)) yield [key, decodeValue(key, bytes) as T] as [string, T]
    },
    rawRange,
    batch: ops => {
      for (const op of ops) {
        if (op.type === 'put') values.set(op.key, encodePut(op))
        else values.delete(op.key)
      }
      return Promise.resolve()
    },
    saveHeads: () => Promise.resolve(),
    onState: () => () => undefined,
    close: () => Promise.resolve()
  }
}
