import type { Log } from '../../../src/node/store/store.ts'

/** A log that nobody reads. */
export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
