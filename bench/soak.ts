/**
 * `npm run soak -- [--minutes 5] [--day 20000]`: what takes too long for the suite. Goals at a steady rate on a real daemon,
 * and a day's worth of goals in one process, with what it holds in memory after each tenth of them.
 */
import '../src/polyfill.ts'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseArgs } from 'node:util'
import type { NodeInfo } from '../src/node/control/contract.ts'
import { connect } from './connection.ts'
import { FOUR, openInnerNode } from './inner-node.ts'
import { removeDirectory, temporaryDirectory } from './leftovers.ts'
import { type Held, hold } from './load.ts'
import { startNodes } from './nodes.ts'
import { machine } from './result.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, day: { type: 'string', default: '20000' }, out: { type: 'string' } }
})
const minutes = Number(values.minutes)
/** A goal every few seconds for a day; their clock goes as fast as they do. */
const DAY_MS = 24 * 60 * 60 * 1_000

const result = {
  at: new Date().toISOString(),
  machine: machine(),
  command: `npm run soak -- --minutes ${values.minutes} --day ${values.day}`,
  real: await real(),
  noOp: await noOp(),
  day: await day(Number(values.day))
}
console.log(JSON.stringify(result, undefined, 2))
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, undefined, 2)}\n`)
process.exit(0)

/** 25 goals a second of four real commands, on a daemon; and its memory before and after. */
async function real(): Promise<Held & { readonly rssMB: readonly [number, number] }> {
  const nodes = await startNodes(1)
  const [node] = nodes.all
  const connections = Array.from({ length: 8 }, () => connect(node!.home.socket))
  try {
    const post = (at: number, path: string, body: object): Promise<unknown> => connections[at % connections.length]!.post(path, body)
    await post(0, 'calls/load', { files: [{ name: 'four.xml', text: FOUR }] })
    const idle = async (): Promise<void> => {
      while (((await post(0, 'calls/hello', {})) as NodeInfo).counts.running > 0) await pause(20)
    }
    const before = rssOf(node!.process.pid!)
    const held = await hold(25, minutes * 60, at => post(at, 'calls/pursue', { goal: 'four', program: 'four', assignments: [] }), idle)
    return { ...held, rssMB: [before, rssOf(node!.process.pid!)] }
  } finally {
    for (const each of connections) each.close()
    await nodes.stop()
  }
}

async function noOp(): Promise<Held> {
  const directory = temporaryDirectory()
  const node = await openInnerNode(directory)
  const held = await hold(
    100,
    Math.min(60, minutes * 60),
    () => node.accept(),
    () => node.idle()
  )
  await node.close()
  removeDirectory(directory)
  return held
}

/** Heap in MB after each tenth of a day's goals. */
async function day(goals: number): Promise<{ readonly goals: number; readonly heapMB: readonly number[] }> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const directory = temporaryDirectory()
  let done = 0
  const began = Date.now()
  const node = await openInnerNode(directory, {
    now: () => began + (done * DAY_MS) / goals,
    keep: { events: { ageMs: DAY_MS, count: 1_000 }, summaries: { ageMs: DAY_MS, count: 2_000 } }
  })
  const heapMB: number[] = []
  for (let tenth = 0; tenth < 10; tenth++) {
    for (const until = done + goals / 10; done < until; done += 50) {
      await Promise.all(Array.from({ length: 50 }, () => node.accept()))
      await node.idle()
    }
    for (const _ of [1, 2]) await node.compaction.sweep()
    collect()
    heapMB.push(Math.round(process.memoryUsage().heapUsed / 2 ** 17) / 8)
  }
  await node.close()
  removeDirectory(directory)
  return { goals, heapMB }
}

function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}
