import type { TicketStore } from '../../../src/node/joining/tickets.ts'

/** A store in memory whose batches take a turn of the event loop, as a disk does. */
export function memoryTicketStore(): TicketStore & { readonly entries: ReadonlyMap<string, unknown> } {
  const entries = new Map<string, unknown>()
  return {
    entries,
    async *range({ prefix }) {
      for (const entry of [...entries].sort()) if (entry[0].startsWith(prefix)) yield entry
    },
    async batch(operations) {
      await new Promise(resolve => setImmediate(resolve))
      for (const operation of operations) {
        if (operation.type === 'put') entries.set(operation.key, operation.value)
        else entries.delete(operation.key)
      }
    }
  }
}
