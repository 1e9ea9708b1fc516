import { setTimeout as pause } from 'node:timers/promises'
import { frozen, type Hosts, openHosts, timeTo, whyNoHosts } from './hosts.ts'
import { cleanly } from './leftovers.ts'
import { progress } from './progress.ts'
import { type Measured, rowOf, type Series, seriesOf } from './result.ts'
import { amountOf } from './sampling.ts'

/** Lengths of partitions, in seconds: shorter than anybody notices, noticed by all, given up by some, by all, for long. */
const PARTITIONS_S = [1, 5, 8, 16, 30]
/** From the end of a partition to equal states everywhere, in milliseconds. */
const HEALED_MS = 5_000
/** From the death of a host to every other one knowing, in milliseconds. */
const NOTICED_MS = 5_000

/** Twenty daemons in network namespaces: from the end of a partition to one state, and from a death to all others knowing. */
export function partition(): Promise<Measured> {
  return cleanly(async later => {
    const missing = whyNoHosts()
    if (missing !== undefined) return { rows: [], series: [], notes: [`partitions were not measured: ${missing}`] }
    const [count, deaths] = [amountOf(20, 6), amountOf(3, 1)]
    const hosts = await openHosts(count)
    later(() => hosts.stop())
    const healed: number[] = []
    const details: string[] = []
    for (const seconds of PARTITIONS_S.slice(0, amountOf(PARTITIONS_S.length, 1))) {
      progress(`a partition of ${seconds} s`)
      const ms = await heal(hosts, seconds)
      healed.push(ms)
      details.push(`healed in ${Math.round(ms)} ms after ${seconds} s`)
      await hosts.up()
    }
    const [pulled, stopped, killed]: [number[], number[], number[]] = [[], [], []]
    for (let death = 0; death < deaths; death++) {
      const victim = 2 + ((death * 4) % (count - 1))
      progress(`the deaths of host ${victim}`)
      hosts.network.plug(victim, false)
      pulled.push(await noticed(hosts, victim))
      hosts.network.heal()
      await hosts.up()
      await frozen(hosts.node(victim), async () => void stopped.push(await noticed(hosts, victim)))
      await hosts.up()
      await hosts.node(victim).kill('SIGKILL')
      killed.push(await noticed(hosts, victim))
      await hosts.node(victim).start()
      await hosts.up()
    }
    const worst = (series: Series, what: string, limit: number) => {
      const most = Math.max(...series.samples)
      return { ...rowOf(what, series, 'value', { limit }), figure: { kind: 'value' as const, value: most, limit }, within: most <= limit }
    }
    const all = [
      [seriesOf('partition healed', 'ms', healed), `a partition of ${count} hosts healed, to one state everywhere (longest)`, HEALED_MS],
      [seriesOf('line pulled', 'ms', pulled), `a host without a line, until all of ${count - 1} know (longest)`, NOTICED_MS],
      [seriesOf('daemon stopped', 'ms', stopped), `a daemon that stands still, until all of ${count - 1} know (longest)`, NOTICED_MS],
      [seriesOf('daemon killed', 'ms', killed), `a daemon that was killed, until all of ${count - 1} know (longest)`, NOTICED_MS]
    ] as const
    return {
      rows: all.map(([series, what, limit]) => worst(series, what, limit)),
      series: all.map(([series]) => series),
      notes: [
        `${count} daemons in network namespaces, all neighbours of all; partitions of ${PARTITIONS_S.join(', ')} s with changes on both sides`
      ],
      details
    }
  })
}

/** Cut in halves, both of which go on; milliseconds from the end of it to one state on all hosts. */
async function heal(hosts: Hosts, seconds: number): Promise<number> {
  const half = hosts.numbers.length / 2
  await timeTo('all agree', () => hosts.agree())
  hosts.network.split([hosts.numbers.slice(0, half), hosts.numbers.slice(half)])
  for (const number of [1, half + 1])
    await hosts.connection(number).post('calls/update', { changes: [{ path: 'shared.during', value: `${number} ${seconds} s` }] })
  await pause(seconds * 1_000)
  hosts.network.heal()
  return await timeTo('all agree again', () => hosts.agree())
}

/** Milliseconds until nobody but itself holds host `victim` for up. */
async function noticed(hosts: Hosts, victim: number): Promise<number> {
  const asked = new Set(hosts.numbers.filter(number => number !== victim))
  return await timeTo(`all know of host ${victim}`, async () => {
    const look = async (number: number): Promise<void> => {
      const peers = await hosts.peers(number)
      if (peers.get(`n${victim}`)?.status !== 'up') asked.delete(number)
    }
    await Promise.all([...asked].map(look))
    return asked.size === 0
  })
}
