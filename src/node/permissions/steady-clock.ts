/** Time for decisions about trust: a clock that was set back must not wake what has expired. */
import type { Log } from '../files/live-file.ts'
import type { StorePart } from '../store/part.ts'

const KEY = 't!clock'
/** How often the highest time is written down, in milliseconds: this much a clock can go back unnoticed across a restart. */
const SAVE_INTERVAL_MS = 60_000
/** A clock this far behind what it was is worth a word, in milliseconds. */
const BEHIND_MS = 5 * 60_000

export interface SteadyClock {
  /** Epoch milliseconds: the highest that was ever seen. */
  readonly now: () => number
  close(): Promise<void>
}

/** @param raw epoch milliseconds of the machine */
export async function steadyClock(store: StorePart, raw: () => number = Date.now, log: Log): Promise<SteadyClock> {
  let highest = 0
  for await (const [key, value] of store.range({ prefix: KEY })) if (key === KEY && typeof value === 'number') highest = value
  let warned = false
  const now = (): number => {
    const time = raw()
    if (time >= highest) highest = time
    else if (highest - time > BEHIND_MS && !warned) {
      warned = true
      const behind = Math.round((highest - time) / 1_000)
      log.warn({ behindS: behind }, 'the clock was set back: permits and grants are judged by the latest time that was seen')
    }
    return highest
  }
  const save = (): Promise<void> => store.batch([{ type: 'put', key: KEY, value: now() }], { sync: false }).catch(() => undefined)
  const timer = setInterval(() => void save(), SAVE_INTERVAL_MS).unref()
  now()
  return {
    now,
    close: async () => {
      clearInterval(timer)
      await save()
    }
  }
}
