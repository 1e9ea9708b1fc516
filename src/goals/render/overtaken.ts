/** Which suspensions of a stream are worth telling: whoever gives a goal up stops it first, and nobody is asked to repair it then. */
import type { GoalEventBody } from '../pursuit/events.ts'
import type { RenderItem } from './events.ts'

const STOPPED_BY_SOMEBODY: ReadonlySet<string> = new Set(['stopped', 'requested'])
const ENDINGS: ReadonlySet<GoalEventBody['type']> = new Set(['cancelled', 'undoing', 'suspended'])

/** Items as they come; a suspension by somebody with the item behind it, which tells whether it was the first half of an end. */
export async function* withOvertaken<T extends RenderItem>(
  items: AsyncIterable<T>
): AsyncGenerator<{ readonly item: T; readonly overtaken: boolean }> {
  let held: T | undefined
  try {
    for await (const item of items) {
      if (held !== undefined) yield { item: held, overtaken: item.type === 'event' && ENDINGS.has(item.event.body.type) }
      held = isStop(item) ? item : undefined
      if (held === undefined) yield { item, overtaken: false }
    }
  } catch (error) {
    if (held !== undefined) yield { item: held, overtaken: false }
    throw error
  }
  if (held !== undefined) yield { item: held, overtaken: false }
}

function isStop(item: RenderItem): boolean {
  return item.type === 'event' && item.event.body.type === 'suspended' && STOPPED_BY_SOMEBODY.has(item.event.body.code)
}
