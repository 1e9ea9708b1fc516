import type { Database } from './heads.ts'
import type { Tables } from './store.ts'

/** An open LevelDB as a store uses it. */
export function tablesOf(database: Database): Tables {
  return {
    get: key => database.get(key),
    iterator: bounds => database.iterator(bounds),
    close: () => database.close(),
    batch: async (ops, options) => {
      // Put by put: of a list the library copies each operation more than once, at three times the cost.
      const batch = database.batch()
      try {
        for (const op of ops) {
          if (op.type === 'put') batch.put(op.key, op.value)
          else batch.del(op.key)
        }
      } catch (error) {
        await batch.close()
        throw error
      }
      await batch.write(options)
    }
  }
}
