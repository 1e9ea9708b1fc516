/** Pursuing a goal only until one step of it is done: `--target`. */
import type { GoalEvent } from './events.ts'

export interface Target {
  /** Fires when the goal is to rest, for whatever reason. */
  readonly stop: AbortSignal
  /** A step, or a goal, has been done or was kept. */
  reached(id: string): void
}

/**
 * What the first event says about that. Once the goal has rested because it was done, it goes on as any other.
 * @param stop fires when the goal is to rest for another reason
 */
export function targetOf(events: readonly GoalEvent[], stop: AbortSignal): Target {
  const proposed = events[0]?.body
  const target = proposed?.type === 'proposed' ? proposed.target : undefined
  const doneAt = target === undefined ? -1 : events.findLastIndex(event => isDone(event, target))
  const rested = doneAt !== -1 && events.slice(doneAt).some(({ body }) => body.type === 'suspended')
  if (target === undefined || rested) return { stop, reached: () => undefined }
  const own = new AbortController()
  const reached = (id: string): void => {
    if (id === target) own.abort(`${target} is done, as was asked for; it can be resumed for what comes after`)
  }
  if (doneAt !== -1) reached(target)
  return { stop: AbortSignal.any([stop, own.signal]), reached }
}

function isDone({ body }: GoalEvent, target: string): boolean {
  switch (body.type) {
    case 'step-ended':
      return body.step === target && (body.status === 'completed' || body.status === 'ignored')
    case 'goal-ended':
      return body.instance === target && body.outcome !== 'failed'
    default:
      return false
  }
}
