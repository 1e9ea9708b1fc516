/** Time and chance of this machine: the ports that everything pure is given. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ulid } from 'ulid'
import type { Clock, Random } from '../goals/ports.ts'

/** The machine's clock. */
export const machineClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal })
}

/** Ids that sort by the time they were made. */
export const machineRandom: Random = { id: () => ulid() }
