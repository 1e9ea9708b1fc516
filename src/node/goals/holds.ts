/** Goals that a person has asked to rest: kept until the goal goes on, so that a restart does not forget it while a step still runs. */
import type { GoalEvent, Principal } from '../../goals/pursuit/events.ts'
import type { Store } from '../store/store.ts'

const PREFIX = 'hold!'

/** That a goal is to rest, and who says so. */
export interface Hold {
  readonly by: Principal
  readonly why?: string
  /** Number of the goal's last event at that time. */
  readonly seq: number
}

export interface Holds {
  /** Durable on return. */
  put(id: string, hold: Hold): Promise<void>
  get(id: string): Promise<Hold | undefined>
  /** The goal goes on, or is over. Not synced: {@link holdsStill} knows an old one. */
  drop(id: string): Promise<void>
}

export function openHolds(store: Pick<Store, 'get' | 'batch'>): Holds {
  return {
    put: (id, hold) => store.batch([{ type: 'put', key: PREFIX + id, value: hold }], { sync: true }),
    get: id => store.get<Hold>(PREFIX + id),
    drop: id => store.batch([{ type: 'del', key: PREFIX + id }], { sync: false })
  }
}

/** Whether nobody has let the goal go on since. */
export function holdsStill(hold: Hold, events: readonly GoalEvent[]): boolean {
  return !events.some(({ seq, body }) => seq > hold.seq && body.type === 'repaired')
}

/** Why the goal rests, as its suspension says it. */
export function holdText({ by, why }: Pick<Hold, 'by' | 'why'>): string {
  return `suspended by ${by.email ?? by.node}${why === undefined ? '' : `: ${why}`}`
}
