import { join } from 'node:path'
import { openLog } from '../src/node/log.ts'
import { initHome, resolveHome } from '../src/node/home.ts'
import { openStore } from '../src/node/store/store.ts'
import { fill, hasty, journalAt } from '../test/node/store/filled.ts'
import { removeDirectory, temporaryDirectory } from './leftovers.ts'
import { runnerOf, startDaemon, stopNode, until } from './nodes.ts'
import { progress } from './progress.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { roundsOf } from './sampling.ts'

/** Longest median of opening the journal, and of a start, in milliseconds. */
const OPEN_LIMIT_MS = 1_000
const READY_LIMIT_MS = 2_000
/** Goals that are over, of 8 events each, and goals that wait, of 200 each: 100,000 events. */
const FINISHED = 10_000
const OPEN = 100
const ROUNDS = 9
/** Goals that are written at a time. */
const AT_A_TIME = 500

/** Opening the journal of a node that has pursued 10,000 goals, of which 100 more wait; and its daemon, from spawn to ready. */
export async function past(): Promise<Measured> {
  const directory = temporaryDirectory()
  const home = resolveHome(join(directory, 'n1'))
  initHome(home, { name: 'n1', listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  const openJournal = async (): Promise<number> => {
    const began = performance.now()
    const store = await openStore(join(home.state, 'store'), { log: openLog('silent') })
    const journal = await journalAt(store, Date.now)
    const took = performance.now() - began
    await journal.close()
    await store.close()
    return took
  }
  const start = async (): Promise<number> => {
    const started = await startDaemon(home)
    await until('there is a runner', () => Promise.resolve(runnerOf(home) !== undefined))
    await stopNode({ ...started, home })
    return started.readyMs
  }
  try {
    await fillStore(join(home.state, 'store'))
    const opened: number[] = []
    const ready: number[] = []
    for (let round = 0; round < roundsOf(ROUNDS); round++) {
      opened.push(await openJournal())
      ready.push(await start())
      progress(`round ${round + 1} of ${roundsOf(ROUNDS)}`)
    }
    const [journal, daemon] = [seriesOf('journal of 100,000 events, opened', 'ms', opened), seriesOf('with that past, ready', 'ms', ready)]
    return {
      rows: [
        rowOf('a journal of 100,000 events, opened', journal, 'value', { limit: OPEN_LIMIT_MS }),
        rowOf('cloudburstd with 10,000 goals finished and 100 open, spawn to ready', daemon, 'value', { limit: READY_LIMIT_MS })
      ],
      series: [journal, daemon],
      notes: []
    }
  } finally {
    removeDirectory(directory)
  }
}

async function fillStore(path: string): Promise<void> {
  const store = await openStore(path, { log: openLog('silent') })
  const journal = await journalAt(hasty(store), Date.now)
  for (let at = 0; at < FINISHED; at += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, more) => fill(journal, `F${at + more}`, 8)))
  }
  for (let at = 0; at < OPEN; at++) {
    await fill(journal, `O${at}`, 199, { open: true })
    await journal.append(`O${at}`, { type: 'suspended', code: 'requested', reason: 'for this benchmark' })
  }
  await journal.close()
  await store.close()
}
