import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { cleanly } from './leftovers.ts'
import { type Node, startNodes } from './nodes.ts'
import { type Measured, p99RowOf, rowOf, seriesOf } from './result.ts'
import { amountOf, interleave } from './sampling.ts'
import { startSerf, whyNoSerf } from './serf.ts'

/** As many as a p99 needs. */
const ROUNDS = 100
/** Longest p99, in milliseconds, until all know. */
const LIMIT_MS = 500
/** Longer than Serf takes to bring two agents in line whatever was lost, in milliseconds. */
const LOST_AFTER_MS = 60_000
/** Updates come at any moment of what nodes do in turns: a pause of up to this long before each, in milliseconds. */
const APART_MS = 300

/** A change at one of twenty daemons until the last of them has told somebody who watches there; beside an event of as many Serf agents. */
export function updates(): Promise<Measured> {
  return cleanly(async later => {
    const count = amountOf(20, 6)
    const nodes = await startNodes(count)
    later(() => nodes.stop())
    const watchers = nodes.all.map(watch)
    later(() => {
      for (const watcher of watchers) watcher.stop()
    })
    const noSerf = whyNoSerf()
    const serf = noSerf === undefined ? await startSerf(count) : undefined
    later(async () => await serf?.stop())
    let told = 0
    const change = async (): Promise<number> => {
      const [at, value] = [told % count, `tick-${String(told++).padStart(6, '0')}`]
      await pause(Math.random() * APART_MS)
      const seen = Promise.all(watchers.map(watcher => watcher.sees(value)))
      const began = performance.now()
      await nodes.all[at]!.connection.post('calls/update', { changes: [{ path: 'shared.tick', value }] })
      await within(seen, () => `${value} was not told by ${nodes.all.filter((_, n) => watchers[n]!.waits(value)).map(({ name }) => name)}`)
      return performance.now() - began
    }
    const event = async (): Promise<number> => {
      await pause(Math.random() * APART_MS)
      return await within(
        serf!.tell(told % count, `event-${String(told++).padStart(6, '0')}`),
        () => 'an event of Serf was not told by all'
      )
    }
    const taken = await interleave({ ours: change, ...(serf !== undefined && { serf: event }) }, ROUNDS)
    const ours = seriesOf(`a change of state, ${count} daemons`, 'ms', taken.ours)
    const theirs = taken.serf === undefined ? undefined : seriesOf(`an event, ${count} agents of Serf`, 'ms', taken.serf)
    const what = `a change of state, until all of ${count} nodes tell of it`
    return {
      rows: [p99RowOf(`${what} (p99)`, ours, LIMIT_MS), ...(theirs === undefined ? [] : [rowOf(what, ours, 'ratio', { peer: theirs })])],
      series: [ours, ...(theirs === undefined ? [] : [theirs])],
      notes: [
        `${ROUNDS} updates, each at another node, every one seen by a watcher at every node; all ${count} daemons and agents share this machine, the daemons are neighbours of the first only`,
        ...(noSerf === undefined
          ? ['Serf with its profile lan, its default; an event is not kept, a change of state is']
          : [`Serf was not measured: ${noSerf}`])
      ]
    }
  })
}

/** @throws Error with what `problem` says when it takes longer than anything that still works */
async function within<T>(work: Promise<T>, problem: () => string): Promise<T> {
  const late = new AbortController()
  const over = pause(LOST_AFTER_MS, undefined, { signal: late.signal }).then(() => Promise.reject(new Error(problem())))
  try {
    return await Promise.race([work, over])
  } finally {
    late.abort()
    over.catch(() => undefined)
  }
}

interface Watcher {
  sees(value: string): Promise<void>
  /** Whether somebody waits for it to see this. */
  waits(value: string): boolean
  stop(): void
}

/** Follows the whole state of all nodes at one node, as `state watch` does. */
function watch({ home }: Node): Watcher {
  const waiting = new Map<string, () => void>()
  const text = JSON.stringify({ path: 'nodes.*.shared' })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  const asked = request({ socketPath: home.socket, path: '/api/v1/streams/watch', method: 'POST', headers }, response => {
    let held = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      held += chunk
      for (const [value] of held.matchAll(/tick-\d{6}/g)) {
        waiting.get(value)?.()
        waiting.delete(value)
      }
      // One may end in the next chunk.
      held = held.slice(-20)
    })
  })
  asked.on('error', () => undefined).end(text)
  return {
    sees: value => new Promise(resolve => waiting.set(value, resolve)),
    waits: value => waiting.has(value),
    stop: () => asked.destroy()
  }
}
