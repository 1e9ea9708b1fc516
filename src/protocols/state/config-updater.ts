/** ConfigUpdater: applies a transaction at the owner of its paths. */
import { CloudburstError } from '../../errors.ts'
import type { ConfigChange, ConfigTransaction } from './messages.ts'
import type { Replica } from './replica.ts'

/** A transaction as asked for: `revision` is the one that the asker saw, 0 for a path that was not there. */
export type Proposed = Omit<ConfigTransaction, 'at'>

/**
 * Makes all changes of a transaction to this node's own state, or none. First form: only the owner itself asks.
 * @throws CloudburstError CB_VALUE_INVALID when a path has changed since the asker saw it; CB_FRAME_TOO_LONG
 */
export function updateConfig(replica: Replica, { changes }: Proposed): void {
  const own = replica.own()
  for (const { path, revision } of changes) {
    const now = own.get(path)?.revision ?? 0
    if (now !== revision) {
      throw new CloudburstError('CB_VALUE_INVALID', `${path} has changed: it is at revision ${now}, not ${revision}`, {
        path,
        revision: now
      })
    }
  }
  replica.publish(changes.map(({ path, value }: ConfigChange) => ({ path, ...(value === undefined ? {} : { value }) })))
}
