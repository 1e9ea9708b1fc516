import { CloudburstError } from '../../src/errors.ts'

type Op = { readonly type: 'put'; readonly key: string; readonly value: unknown } | { readonly type: 'del'; readonly key: string }

/** Keys and JSON values in memory: what the rooms above need of the store. `broken` makes it refuse writes. */
export function memoryStore() {
  const held = new Map<string, string>()
  const store = {
    broken: false,
    syncs: 0,
    async get<T>(key: string): Promise<T | undefined> {
      const text = held.get(key)
      return text === undefined ? undefined : (JSON.parse(text) as T)
    },
    async *range<T>({ prefix }: { readonly prefix: string }): AsyncGenerator<[string, T]> {
      for (const key of [...held.keys()].sort()) if (key.startsWith(prefix)) yield [key, JSON.parse(held.get(key)!) as T]
    },
    async batch(ops: readonly Op[], { sync }: { readonly sync: boolean }): Promise<void> {
      await Promise.resolve()
      if (store.broken) throw new CloudburstError('CB_STORE_DEGRADED', 'the disk is full')
      if (sync) store.syncs++
      for (const op of ops) {
        if (op.type === 'put') held.set(op.key, JSON.stringify(op.value))
        else held.delete(op.key)
      }
    }
  }
  return store
}

export type MemoryStore = ReturnType<typeof memoryStore>
