/** What gossip carries: everybody passes it on to those with whom a connection stands, and hears it from the first of them; some of it is lost, some doubled. */
import type { Endpoint, Network } from './network.ts'

/** When somebody hears of it, and from whom. */
interface Hearing {
  readonly at: number
  readonly to: Endpoint
  readonly by: Endpoint
}

/** Brings `bytes` to all that listen to a topic, in their time. */
export function publish(network: Network, from: Endpoint, topic: string, bytes: Uint8Array): void {
  const { time, chance, weather } = network
  const late = new Map([[from, 0]])
  const hearings: Hearing[] = []
  for (const [by, ms] of late) {
    for (const end of by.up.values()) {
      const to = end.other()?.of
      if (to === undefined || late.has(to) || network.isCut(by.peer, to.peer) || chance.once(weather.loss)) continue
      const at = ms + network.delay(by, to)
      late.set(to, at)
      if (chance.once(weather.duplication)) hearings.push({ at: time.now + at * chance.between(1, 4), to, by })
      hearings.push({ at: time.now + at, to, by })
    }
  }
  // One after the other: of a thousand only the next waits for its time.
  const hear = (next: number): void => {
    const hearing = hearings[next]
    if (hearing === undefined) return
    const { at, to, by } = hearing
    time.after(at - time.now, () => {
      hear(next + 1)
      if (to.alive) for (const listener of to.topics.get(topic) ?? []) listener(bytes, by.peer)
    })
  }
  hearings.sort((a, b) => a.at - b.at)
  hear(0)
}
