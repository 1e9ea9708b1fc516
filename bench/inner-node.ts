/** The part of a node that pursues, in this process: real store and journal, and a driver that does nothing. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ulid } from 'ulid'
import { openAgents } from '../src/node/agency/agents.ts'
import { type Compaction, type Keeping, startCompaction } from '../src/node/goals/compaction.ts'
import type { Driver } from '../src/goals/ports.ts'
import { machineProbe } from '../src/node/probe.ts'
import type { EffectCheck } from '../src/node/permissions/effect.ts'
import { openPrograms } from '../src/node/programs/programs.ts'
import { openRuns, type Runs } from '../src/node/goals/runs.ts'
import { type NodeJournal, openJournal } from '../src/node/store/journal.ts'
import { type Disk, type Log, openStore, openStoreOn, type Store } from '../src/node/store/store.ts'
import { openVault } from '../src/node/secrets/vault.ts'
import { fakeDriver } from '../test/fakes/driver.ts'

/** Four commands, one after the other. */
export const FOUR = `<cloudburst name="four"><goalProto name="four"><method name="commands"><shell shell="/bin/sh">
<send>true # 1</send><send>true # 2</send><send>true # 3</send><send>true # 4</send>
</shell></method></goalProto></cloudburst>`

export interface InnerNode {
  readonly store: Store
  readonly journal: NodeJournal
  readonly runs: Runs
  readonly compaction: Compaction
  /** Asks for the goal {@link FOUR}; resolves when it is accepted. */
  accept(): Promise<void>
  /** Resolves when no goal is driven. */
  idle(): Promise<void>
  close(): Promise<void>
}

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** @param options now: epoch milliseconds, as the node is to see them; program: another one with a goal `four`; disk: where its store lies */
export async function openInnerNode(
  directory: string,
  options: { keep?: Keeping; now?: () => number; program?: string; permits?: EffectCheck; disk?: Disk; driver?: Driver } = {}
): Promise<InnerNode> {
  const now = options.now ?? Date.now
  const store = await (options.disk === undefined
    ? openStore(join(directory, 'store'), { log: quiet })
    : openStoreOn(options.disk, { log: quiet }))
  const vault = openVault(join(directory, 'sealed'))
  const agents = await openAgents(store, now, vault)
  const journal = await openJournal(store, { now, agentWrites: (goalId, writes) => runs.agentWrites(goalId, writes) })
  const programs = openPrograms({ store, now, before: [], unreadable: () => undefined })
  const { hash } = await programs.load([{ name: 'four.xml', text: options.program ?? FOUR }])
  const clock = { now, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }) }
  const runs = openRuns({
    store,
    journal,
    programs,
    agents,
    vault,
    driver: options.driver ?? forgetful(),
    probe: machineProbe({ state: () => undefined, now }),
    messenger: { dispatch: () => Promise.resolve({ kind: 'failed', message: 'there are no peers' }) },
    clock,
    random: { id: () => ulid() },
    host: {},
    peer: {},
    ...(options.permits !== undefined && { permits: options.permits }),
    log: quiet
  })
  const compaction = startCompaction({
    store,
    journal,
    dropOutput: () => Promise.resolve(),
    now,
    log: quiet,
    ...(options.keep !== undefined && { keep: options.keep })
  })
  const by = { peer: 'bench', node: 'bench' }
  return {
    store,
    journal,
    runs,
    compaction,
    accept: async () => void (await runs.accept({ goal: 'four', program: hash, assignments: [], by })),
    idle: async () => {
      while (runs.counts().running > 0) await sleep(5)
    },
    close: async () => {
      runs.stop()
      await compaction.stop()
      await journal.close()
      await store.close()
    }
  }
}

/** The fake remembers every command for the sake of tests; this one does not, so that what grows is ours. */
function forgetful(): ReturnType<typeof fakeDriver> {
  const driver = fakeDriver()
  const finished = { exit: { kind: 'exited', code: 0 }, durationMs: 0, stdout: '', stderr: '', truncated: false } as const
  return { ...driver, run: () => Promise.resolve(finished) }
}
