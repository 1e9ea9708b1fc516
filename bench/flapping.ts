/**
 * `npm run flapping -- [--minutes 10] [--hosts 20] [--out FILE]`: one host of twenty loses its line again and again; is any other
 * one taken for dead by anybody meanwhile?
 */
import '../src/polyfill.ts'
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openHosts, whyNoHosts } from './hosts.ts'
import { machine } from './result.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, hosts: { type: 'string', default: '20' }, out: { type: 'string' } }
})
/** The line is out and in for so long by turns, in milliseconds: sometimes noticed, sometimes not. */
const TURNS_MS = [3_000, 6_000, 1_000, 4_000, 8_000, 5_000]
/** Between two looks at what all hosts say, in milliseconds. */
const LOOK_MS = 1_000

const missing = whyNoHosts()
if (missing !== undefined) {
  console.error(`error: ${missing}`)
  process.exit(1)
}
const count = Number(values.hosts)
const hosts = await openHosts(count)
const flapping = count
const began = Date.now()
const over = began + Number(values.minutes) * 60_000
/** What was said of hosts that never lost their line: `n3 of n7: away`, and when. */
const falsely: { readonly said: string; readonly afterS: number }[] = []
let [looks, suspected, away, load] = [0, 0, 0, 0]
try {
  const flaps = (async () => {
    for (let turn = 0; Date.now() < over; turn++) {
      hosts.network.plug(flapping, turn % 2 === 1)
      await pause(Math.min(TURNS_MS[turn % TURNS_MS.length]!, Math.max(0, over - Date.now())))
    }
    hosts.network.heal()
  })()
  while (Date.now() < over) {
    for (const number of hosts.numbers) {
      if (number === flapping) continue
      for (const [name, { status, suspect }] of await hosts.peers(number)) {
        if (name === `n${flapping}`) away += status === 'away' ? 1 : 0
        else if (status === 'up') suspected += suspect === true ? 1 : 0
        else if (status !== 'self')
          falsely.push({ said: `n${number} of ${name}: ${status}`, afterS: Math.round((Date.now() - began) / 1000) })
      }
    }
    looks++
    load = Math.max(load, loadavg()[0] ?? 0)
    await pause(LOOK_MS)
  }
  await flaps
  await hosts.up()
} finally {
  await hosts.stop()
}
const result = {
  at: new Date().toISOString(),
  machine: machine(),
  highestLoad: Number(load.toFixed(1)),
  command: `npm run flapping -- --minutes ${values.minutes} --hosts ${values.hosts}`,
  hosts: count,
  minutes: Number(values.minutes),
  looks,
  falseDeaths: falsely.length,
  falsely: falsely.slice(0, 50),
  suspectedForAMoment: suspected,
  flappingSeenAway: away
}
console.log(JSON.stringify(result, undefined, 2))
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, undefined, 2)}\n`)
process.exit(falsely.length === 0 ? 0 : 1)
