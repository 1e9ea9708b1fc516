import { realpathSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Agency, PeerInfo, Principal, ReleaseInfo } from '../../node/control/contract.ts'
import { CloudburstError } from '../../errors.ts'
import { oneLine } from '../../goals/render/escape.ts'
import { type Invocation, milliseconds, noWords } from '../arguments.ts'
import type { ControlClient } from '../control-client.ts'
import { daemonless } from '../daemonless.ts'
import { amountOf, somePeers, turns } from '../several.ts'
import { showRows, type Table } from '../output.ts'
import { countOf, hostError, rolling } from '../rolling.ts'
import { openScreen, type Screen } from '../screen.ts'
import { daemonOf } from '../session.ts'

/** How long a node has until it is well with its new release, in milliseconds. */
const TRIAL_MS = 60_000
/** How long it may take longer until a node that was not well is back, in milliseconds: its daemons end, the one before starts. */
const RETURN_MS = 60_000
/** How long a node has to say which release it runs, in milliseconds. */
const ASK_MS = 10_000
const POLL_MS = 300

const atTheSocket: Principal = { peer: '', node: '' }

type State = 'upgraded' | 'as it was' | 'went back' | 'failed' | 'not begun'

interface Row {
  readonly node: string
  readonly peer: string
  readonly state: State
  readonly from?: string
  readonly release?: string
  readonly seconds?: number
  readonly error?: CloudburstError
}

const table: Table<Row> = {
  columns: [
    { title: 'NODE', of: row => row.node },
    { title: 'STATE', of: row => row.state },
    { title: 'FROM', of: row => row.from },
    { title: 'RELEASE', of: row => row.release },
    { title: 'TIME', of: row => (row.seconds === undefined ? undefined : `${row.seconds.toFixed(1)} s`) },
    { title: 'WHY', of: row => (row.error === undefined ? undefined : oneLine(row.error.message)) }
  ],
  name: row => row.peer,
  empty: 'no nodes'
}

type Artefact = Awaited<ReturnType<Awaited<ReturnType<Awaited<ReturnType<typeof daemonless>>['delivery']>>['artefactsAt']>>[number]

interface Node {
  readonly info: PeerInfo
  readonly agency: Agency
  /** What it said before anything was done to any of them. */
  readonly before?: ReleaseInfo
  readonly error?: CloudburstError
}

/** Puts a release on nodes over the mesh, so many at a time, each with a way back of its own. Exits like the first that failed. */
export async function run(invocation: Invocation): Promise<number> {
  noWords(invocation)
  const { options, io } = invocation
  const { artefactFolder, artefactsAt, selectPeers } = await (await daemonless()).delivery()
  const artefacts = await artefactsAt(options.to ?? artefactFolder(realpathSync(process.argv[1] ?? '')))
  const { failuresMax } = turns(invocation)
  const unavailable = amountOf('max-unavailable', invocation)
  const client = daemonOf(invocation)
  const all = await client.local('peers', {})
  const chosen = new Map(somePeers(invocation).flatMap(selector => selectPeers(selector, all).map(peer => [peer.peer, peer])))
  // This node last: its daemon is what the others are reached by.
  const targets = [...chosen.values()].toSorted((a, b) => Number(a.status === 'self') - Number(b.status === 'self'))
  const within = options.timeout === undefined ? TRIAL_MS : milliseconds(options.timeout, 'timeout')
  const nodes = await Promise.all(targets.map(info => asked(client, info, artefacts)))

  const states = new Map<string, string>()
  const screen = openScreen(io.stderr, io, () => [...states].map(([node, state]) => `${node.padEnd(28)} ${state}`))
  const tell = (node: string, state: string): void => told(states, screen, io.stderr.isTTY === true, node, state)
  const limit = countOf(failuresMax, nodes.length, 0)
  const bad = nodes.filter(({ error }) => error !== undefined).length
  const release = holding(client)
  try {
    const rows = await rolling(
      nodes,
      {
        parallel: Math.max(1, countOf(unavailable, nodes.length, 1)),
        // Those that are known to fail have failed before the first is begun.
        failuresMax: limit - bad,
        interrupted: io.interrupted,
        isFailure: row => isBad(row) && !nodes.some(({ info, error }) => info.peer === row.peer && error !== undefined)
      },
      notBegun,
      async node => (node.error === undefined ? await upgraded(node, artefacts, release, within, tell) : notBegun(node))
    )
    screen.close()
    return await finished(invocation, rows)
  } finally {
    screen.close()
    await release.end()
  }
}

function notBegun({ info, before, error }: Node): Row {
  const row = { node: info.name, peer: info.peer, ...(before?.release !== undefined && { from: before.release }) }
  return error === undefined ? { ...row, state: 'not begun' } : { ...row, state: 'failed', error }
}

/** Nothing is done to a node that cannot be asked, that is not well before, or for which there is no artefact. */
async function asked(client: ControlClient, info: PeerInfo, artefacts: readonly Artefact[]): Promise<Node> {
  const agency = client.agency(info.status === 'self' ? undefined : info.peer)
  const node = { info, agency }
  try {
    const before = await agency.call('release', {}, atTheSocket, AbortSignal.timeout(ASK_MS))
    const unfit = (message: string, fix: string): Node => ({
      ...node,
      before,
      error: new CloudburstError('CB_HOST_UNFIT', `${info.name}: ${message}`, { fix })
    })
    if (before.release === undefined)
      return unfit('it was not delivered as a release: there is nothing to put another one beside', 'cloudburst deliver USER@HOST')
    if (before.trial === true) return unfit('it is being upgraded by somebody else', `cloudburst hello --peer ${info.name}`)
    const wrong = before.wrong[0]
    if (wrong !== undefined) return unfit(`it is not well, and was not before: ${wrong}`, `cloudburst doctor`)
    if (!artefacts.some(({ target }) => target === before.target))
      return unfit(`it is ${before.target}, and there is no artefact for that`, `npm run package -- --target ${before.target}`)
    return { ...node, before }
  } catch (error) {
    const away = error instanceof Error && error.name === 'TimeoutError'
    const why = away ? new CloudburstError('CB_PEER_UNREACHABLE', `${info.name} does not answer`, { peer: info.name }) : error
    return { ...node, error: hostError(info.name, why) }
  }
}

/** The artefacts that this node's daemon keeps for the others to fetch, for as long as this takes. */
function holding(client: ControlClient) {
  const kept = new Map<string, Promise<string>>()
  const fresh: string[] = []
  const keep = async (path: string): Promise<string> => {
    const before = new Set((await client.local('artifacts', {})).flatMap(({ hash, path: here }) => (here === undefined ? [] : [hash])))
    const { hash } = await client.local('keepfile', { path: realpathSync(path) })
    if (!before.has(hash)) fresh.push(hash)
    return hash
  }
  return {
    hashOf: (path: string): Promise<string> => {
      const one = kept.get(path) ?? keep(path)
      kept.set(path, one)
      return one
    },
    end: async (): Promise<void> => {
      await Promise.all(fresh.map(hash => client.local('dropfile', { hash }).catch(() => undefined)))
    }
  }
}

async function upgraded(
  { info, agency, before }: Node,
  artefacts: readonly Artefact[],
  release: ReturnType<typeof holding>,
  withinMs: number,
  tell: (node: string, state: string) => void
): Promise<Row> {
  const started = performance.now()
  const { name: node, peer } = info
  const artefact = artefacts.find(({ target }) => target === before?.target) as Artefact
  const row = { node, peer, ...(before?.release !== undefined && { from: before.release }), release: artefact.id }
  const took = (): { readonly seconds: number } => ({ seconds: (performance.now() - started) / 1_000 })
  if (before?.release === artefact.id) return { ...row, state: 'as it was' }
  try {
    tell(node, 'copy')
    const artifact = await release.hashOf(artefact.path)
    await agency.call('upgrade', { artifact, release: artefact.id, withinMs }, atTheSocket)
    tell(node, 'trial')
    const back = await whyBack(agency, artefact.id, before as ReleaseInfo, withinMs)
    if (back !== undefined) {
      tell(node, 'went back')
      return { ...row, state: 'went back', error: wentBack(node, artefact.id, back), ...took() }
    }
    await agency.call('keeprelease', { release: artefact.id }, atTheSocket)
    tell(node, 'upgraded')
    return { ...row, state: 'upgraded', ...took() }
  } catch (error) {
    tell(node, 'failed')
    return { ...row, state: 'failed', error: hostError(node, error), ...took() }
  }
}

/**
 * Waits until a node is well with its new release.
 * @returns why it runs the one before again; undefined: it is well
 * @throws CloudburstError CB_PEER_UNREACHABLE when neither the one nor the other answers
 */
async function whyBack(agency: Agency, wanted: string, before: ReleaseInfo, withinMs: number): Promise<string | undefined> {
  let last: unknown
  for (const end = Date.now() + withinMs + RETURN_MS; Date.now() < end; await pause(POLL_MS)) {
    try {
      const now = await agency.call('release', {}, atTheSocket, AbortSignal.timeout(ASK_MS))
      if (now.release === wanted && now.wrong.length === 0) return undefined
      if (now.release === wanted) last = new CloudburstError('CB_DELIVERY_FAILED', `it is not well: ${now.wrong[0]}`)
      else if (now.startedAt !== before.startedAt)
        return now.returned?.why ?? (last instanceof Error ? last.message : 'it was started again')
    } catch (error) {
      last = error
    }
  }
  throw last ?? new CloudburstError('CB_DELIVERY_FAILED', 'it goes on as it was: its daemon has not ended', { fix: 'cloudburst doctor' })
}

function wentBack(node: string, release: string, why: string): CloudburstError {
  return new CloudburstError('CB_DELIVERY_FAILED', `${node}: it has gone back from ${release}: ${why}`, {
    fix: `cloudburst hello --peer ${node}`
  })
}

async function finished(invocation: Invocation, rows: readonly Row[]): Promise<number> {
  const { io } = invocation
  await showRows(invocation, rows.map(shown), table)
  const bad = rows.filter(isBad)
  for (const { error } of bad) if (error !== undefined) io.stderr.write(`error: ${oneLine(error.message)}\nnext: ${oneLine(error.next)}\n`)
  if (io.interrupted.aborted) return 130
  return bad.length === 0 ? 0 : (bad.find(({ error }) => error !== undefined)?.error?.exit ?? 1)
}

/** Errors of rows as data have no stack. */
function shown(row: Row): Row {
  if (row.error === undefined) return row
  const { code, message, next } = row.error
  return { ...row, error: { code, message, next } as CloudburstError }
}

function isBad({ state }: Row): boolean {
  return state !== 'upgraded' && state !== 'as it was'
}

function told(states: Map<string, string>, screen: Screen, live: boolean, node: string, state: string): void {
  const isOver = !['copy', 'trial'].includes(state)
  if (isOver) states.delete(node)
  else states.set(node, state)
  if (!live || isOver) screen.print([`${node}: ${state}`])
}
