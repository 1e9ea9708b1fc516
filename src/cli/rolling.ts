/** Work on several hosts, so many at a time, that stops beginning more once too many have failed. */
import { CloudburstError } from '../errors.ts'
import type { turns } from './several.ts'

export interface Rolling<R> {
  /** At a time. */
  readonly parallel: number
  /** Once more have failed, no more are begun. */
  readonly failuresMax: number
  readonly interrupted: AbortSignal
  readonly isFailure: (row: R) => boolean
}

/**
 * A row for each item, in their order.
 * @param notBegun the row of those that nothing was done to
 * @param one never throws
 */
export async function rolling<T, R>(
  items: readonly T[],
  { parallel, failuresMax, interrupted, isFailure }: Rolling<R>,
  notBegun: (item: T) => R,
  one: (item: T) => Promise<R>
): Promise<R[]> {
  const rows = items.map(notBegun)
  let failures = 0
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      if (failures > failuresMax || interrupted.aborted) return
      const row = await one(items[at] as T)
      rows[at] = row
      if (isFailure(row)) failures++
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, work))
  return rows
}

/** So many of them, of a hundred or all; `missing` when it was not said. */
export function countOf(max: ReturnType<typeof turns>['failuresMax'], all: number, missing: number): number {
  if (max === undefined) return missing
  return 'percent' in max ? Math.floor((max.percent / 100) * all) : max.count
}

/** What anything thrown is as an error of a host. */
export function hostError(host: string, error: unknown): CloudburstError {
  return error instanceof CloudburstError ? error : new CloudburstError('CB_INTERNAL', `${host}: ${String(error)}`, {}, error)
}
