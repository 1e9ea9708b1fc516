/** The store of a node that has gone back to an older release. */
import { toErrorData } from '../../errors.ts'
import { goBack } from '../store/opening.ts'
import { type Log, openStore, type Store } from '../store/store.ts'

/**
 * Opens the store; on the way back from a release that has migrated it, as it was before that. What the newer one wrote
 * meanwhile, which nobody had found well, stays beside it.
 * @param returned whether this daemon is the way back
 * @throws as openStore
 */
export async function openStoreOfBefore(directory: string, log: Log, returned: boolean): Promise<Store> {
  try {
    return await openStore(directory, { log })
  } catch (error) {
    const newer = returned && toErrorData(error).code === 'CB_STORE_NEWER' ? await goBack(directory) : undefined
    if (newer === undefined) throw error
    log.warn({ newer }, 'the store is as it was before the release that was taken back')
    return await openStore(directory, { log })
  }
}
