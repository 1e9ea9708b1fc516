/** What has to be undone, in the order in which it was done; undone in reverse. */
export type StopList = (() => Promise<void> | void)[]

/**
 * Undoes everything, the latest first, the rest even when one fails; a second call finds nothing to do.
 * @throws AggregateError of all that failed
 */
export async function stopAll(list: StopList): Promise<void> {
  const failures: unknown[] = []
  for (let undo = list.pop(); undo !== undefined; undo = list.pop()) {
    try {
      await undo()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'some parts did not stop')
}
