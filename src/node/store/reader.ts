/** A database that is only looked at: what checks and exports need of a store. */
import type { Database } from './heads.ts'
import type { Range, Store } from './store.ts'
import { decodeValue } from './value.ts'

/** The reading half of a store. */
export type Reader = Pick<Store, 'get' | 'range' | 'rawRange'>

/** @param database open, and closed by the caller */
export function readerOf(database: Database): Reader {
  async function* rawRange({ prefix, after }: Range): AsyncGenerator<[string, Buffer]> {
    const from = after === undefined ? { gte: prefix } : { gt: after }
    yield* database.iterator({ ...from, lt: `${prefix}\uffff` })
  }
  return {
    get: async <T>(key: string) => {
      const bytes = await database.get(key)
      return bytes === undefined ? undefined : (decodeValue(key, bytes) as T)
    },
    range: async function* <T>(range: Range) {
      for await (const [key, bytes] of rawRange(range)) yield [key, decodeValue(key, bytes) as T] as [string, T]
    },
    rawRange
  }
}
