/** An agency in this process, for programs given as files: the same parts as a daemon's, without a mesh. */
import { AssertionError } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import type { Program, SourceFile } from '../../goals/program/model.ts'
import { showPlace } from '../../goals/program/xml.ts'
import type { Agency, CallName } from '../../protocols/agency/calls.ts'
import { openAgency } from './agency.ts'
import { openAgents } from './agents.ts'
import { machineClock as clock, machineRandom as random } from '../clock.ts'
import { localDriver } from '../drivers/local.ts'
import { hostInfo, hostVariables, peerVariables } from '../host.ts'
import { outputSource } from '../goals/output-source.ts'
import { machineProbe } from '../probe.ts'
import { findFiles, readPrivate, readProgramFiles, type Surroundings } from '../programs/program-files.ts'
import { openPrograms } from '../programs/programs.ts'
import { readRemembered } from '../programs/read-remembered.ts'
import { openForks } from '../runner/forks.ts'
import type { Runner } from '../runner/protocol.ts'
import { createRunner } from '../runner/runner.ts'
import { openRuns } from '../goals/runs.ts'
import type { Solo } from '../solo.ts'
import { memoryStore } from '../store/memory-store.ts'
import { openJournal } from '../store/journal.ts'
import type { Log, Store } from '../store/store.ts'
import { openVault } from '../secrets/vault.ts'
import { VERSION } from '../version.ts'

/** Calls that leave nothing behind. */
const TRACELESS: ReadonlySet<CallName> = new Set(['hello', 'programs', 'program', 'list', 'plan'])
/** The state of what leaves nothing behind: whoever would write there all the same fails, also as root. */
const NOWHERE = '/dev/null'
const NOBODY = { peer: '', node: hostname() }

interface Opened {
  readonly agency: Agency
  /** Aborted once its store cannot be written: nobody waits here for it to come back, and the goal goes on with the next command. */
  readonly failed: AbortSignal
  close(): Promise<void>
}

/** See {@link file://./solo.ts}. */
export async function openSolo(names: readonly string[], home: string, around: Surroundings, strict: boolean): Promise<Solo> {
  const paths = findFiles(names, around)
  const files = readProgramFiles(paths, around)
  const own = readPrivate(around)
  const before = own === undefined ? [] : [own.file]
  const program = readRemembered(files, { before, strict }, around.env)
  const directory = join(home, 'solo', createHash('sha256').update(paths.join('\0')).digest('hex').slice(0, 16))
  const opened = new Map<'memory' | 'disk', Promise<Opened>>()
  const get = (where: 'memory' | 'disk'): Promise<Opened> => {
    const known = opened.get(where) ?? openParts(program, before, where === 'disk' ? directory : undefined)
    opened.set(where, known)
    return known
  }
  const agency: Agency = {
    call: async (name, request, by, signal) => {
      // What was done is known to the journal only.
      const looksBack = ('destroy' in request && request.destroy === true) || ('refresh' in request && request.refresh === true)
      const { agency } = await get(TRACELESS.has(name) && !looksBack ? 'memory' : 'disk')
      // Its goals are those of these files, whatever was in them when they were pursued before.
      const asked = 'goal' in request && !('program' in request) ? { ...request, program: program.hash } : request
      return await agency.call(name, asked, by, signal)
    },
    stream: async function* (name, request, by, signal) {
      const { agency, failed } = await get('disk')
      try {
        yield* agency.stream(name, request, by, signal === undefined ? failed : AbortSignal.any([signal, failed]))
      } finally {
        failed.throwIfAborted()
      }
    }
  }
  return {
    agency,
    by: NOBODY,
    warnings: [
      ...(own?.warning === undefined ? [] : [own.warning]),
      ...program.warnings.map(({ place, message }) => `${showPlace(place)}: ${message}`)
    ],
    notes: (program.notes ?? []).map(({ place, message }) => `${showPlace(place)}: ${message}`),
    close: async () => {
      for (const each of opened.values()) await (await each).close()
    }
  }
}

/** For planning and listing, which start nothing. */
const idle: Runner = {
  start: refuse,
  recover: refuse,
  stop: () => Promise.resolve(),
  close: () => Promise.resolve()
}

function refuse(): never {
  throw new AssertionError({ message: 'a command was to be run while planning' })
}

/** What a command has to say it says on the terminal. */
const unheard: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Loaded only when something is kept: listing and planning start sooner without a database. */
async function storeOnDisk(directory: string, log: Log): Promise<Store> {
  const { openStore } = await import('../store/store.ts')
  return await openStore(join(directory, 'store'), { log })
}

async function openParts(program: Program, before: readonly SourceFile[], directory: string | undefined): Promise<Opened> {
  const log = unheard
  const store: Store = directory === undefined ? memoryStore() : await storeOnDisk(directory, log)
  const { now } = clock
  const state = directory ?? NOWHERE
  const vault = openVault(join(state, 'sealed'))
  const agents = await openAgents(store, now, vault)
  const journal = await openJournal(store, {
    now,
    agentWrites: (goalId, writes) => runs.agentWrites(goalId, writes)
  })
  const programs = openPrograms({ store, now, before, unreadable: () => undefined })
  await programs.keep(program)
  const driver = localDriver(state, directory === undefined ? idle : await createRunner(state, { openForks }))
  const peer = peerVariables('', NOBODY.node, {})
  const runs = openRuns({
    store,
    journal,
    programs,
    agents,
    driver,
    probe: machineProbe({ state: () => undefined, now, isAlone: true }),
    messenger: {
      dispatch: () => Promise.resolve({ kind: 'failed', message: 'a program run from a file has no peers: start cloudburstd' })
    },
    vault,
    clock,
    random,
    host: hostVariables(),
    peer,
    log
  })
  const agency = openAgency({
    self: '',
    info: () => ({
      peer: '',
      name: NOBODY.node,
      version: VERSION,
      labels: {},
      addresses: [],
      startedAt: now(),
      state: store.state,
      host: hostInfo(),
      counts: { programs: 1, agents: agents.list().length, ...runs.counts() }
    }),
    journal,
    programs,
    agents,
    runs,
    output: outputSource(driver),
    state: {
      settled: () => Promise.resolve(),
      get: () => undefined,
      watch: () => nothing(),
      explain: () => ({ values: [], forks: [] }),
      history: () => Promise.resolve([]),
      update: alone,
      forget: alone,
      acceptFork: alone
    },
    sent: {
      nodeOf: () => undefined,
      ids: () => [],
      info: () => Promise.resolve(undefined),
      unheard: () => Promise.resolve([]),
      standing: () => Promise.resolve(undefined),
      onWaiting: () => () => undefined,
      awaitedBy: () => [],
      isOpen: () => Promise.resolve(false),
      repair: () => Promise.resolve(),
      plan: () => Promise.reject(new CloudburstError('CB_PEER_UNREACHABLE', 'a program run from a file has no peers')),
      preview: () => Promise.reject(new CloudburstError('CB_PEER_UNREACHABLE', 'a program run from a file has no peers')),
      cancel: () => Promise.resolve({ kept: false }),
      suspend: () => Promise.resolve([]),
      resume: () => Promise.resolve()
    }
  })
  return {
    agency,
    failed: writable(store, state),
    close: async () => {
      runs.stop()
      await driver.close()
      await journal.close()
      await store.close()
    }
  }
}

function writable(store: Store, state: string): AbortSignal {
  const failing = new AbortController()
  store.onState(now => {
    if (now === 'degraded')
      failing.abort(new CloudburstError('CB_STORE_DEGRADED', `${join(state, 'store')} cannot be written any more`, { home: state }))
  })
  return failing.signal
}

function alone(): Promise<never> {
  return Promise.reject(new CloudburstError('CB_USAGE', 'a program run from a file has no state that others see'))
}

async function* nothing(): AsyncGenerator<never> {}
