/** What is wrong with a node, or soon will be, and what to type about it: `cloudburst doctor`, `/healthz` and `/readyz`. */
import { statfs } from 'node:fs/promises'
import { toErrorData } from '../../errors.ts'
import type { Check, PeerInfo } from '../control/contract.ts'
import type { Resource } from '../control/rest.ts'
import type { Dispatches } from '../dispatch/dispatches.ts'
import type { Mesh } from '../mesh.ts'
import type { NodeState } from '../state/state.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Store } from '../store/store.ts'

export interface DoctorParts {
  readonly mesh: Pick<Mesh, 'peers'>
  readonly journal: Pick<NodeJournal, 'runs' | 'damaged'>
  readonly dispatches: Pick<Dispatches, 'open'>
  readonly state: Pick<NodeState, 'replica'>
  readonly store: Pick<Store, 'state' | 'damage'>
  /** Where the node keeps what it knows. */
  readonly directory: string
  /** Whether the runner answers. */
  readonly runner: () => Promise<void>
  /** How late timers are, in seconds. */
  readonly lateness: () => number
}

/** Less free space than this is a warning, and less than that a fault, in bytes: a busy node writes some megabytes a minute. */
const FREE_WARN_BYTES = 1024 ** 3
const FREE_FAIL_BYTES = 100 * 1024 ** 2
/** Timers this late say that the machine does not keep up, in seconds. */
const LATE_WARN_S = 0.5
/** The runner has this long to answer, in milliseconds. */
const RUNNER_WITHIN_MS = 5_000

/** All checks, in the order in which a person would go through them. */
export async function examineNode(parts: DoctorParts): Promise<readonly Check[]> {
  return [
    storeCheck(parts),
    await spaceCheck(parts.directory),
    await runnerCheck(parts.runner),
    latenessCheck(parts.lateness()),
    ...neighbourChecks(parts.mesh.peers()),
    ...stateChecks(parts),
    ...goalChecks(parts)
  ]
}

function storeCheck({ store, journal }: DoctorParts): Check {
  if (store.state !== 'ready')
    return { name: 'store', verdict: 'fail', say: 'it cannot be written: nothing is accepted until it can', next: 'df -h .' }
  if (store.damage !== undefined)
    return { name: 'store', verdict: 'warn', say: `it was damaged and repaired: ${store.damage.reason}`, next: 'cloudburst store check' }
  if (journal.damaged.size > 0)
    return {
      name: 'store',
      verdict: 'fail',
      say: `the journals of ${journal.damaged.size} goals do not hold together`,
      next: 'cloudburst goals --suspended'
    }
  return { name: 'store', verdict: 'ok', say: 'can be written' }
}

async function spaceCheck(directory: string): Promise<Check> {
  try {
    const { bavail, bsize } = await statfs(directory)
    const free = bavail * bsize
    const say = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${directory}`
    const verdict = free < FREE_FAIL_BYTES ? 'fail' : free < FREE_WARN_BYTES ? 'warn' : 'ok'
    return { name: 'disk', verdict, say, ...(verdict !== 'ok' && { next: `df -h ${directory}` }) }
  } catch (error) {
    return { name: 'disk', verdict: 'warn', say: `its free space is not known: ${toErrorData(error).message}` }
  }
}

async function runnerCheck(ready: () => Promise<void>): Promise<Check> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${RUNNER_WITHIN_MS} ms`)), RUNNER_WITHIN_MS)
  try {
    await Promise.race([ready(), late.promise])
    return { name: 'runner', verdict: 'ok', say: 'starts commands' }
  } catch (error) {
    return { name: 'runner', verdict: 'fail', say: `no command can be started: ${toErrorData(error).message}` }
  } finally {
    clearTimeout(timer)
  }
}

function latenessCheck(seconds: number): Check {
  const say = `timers are ${(seconds * 1_000).toFixed(0)} ms late at worst`
  return { name: 'machine', verdict: seconds > LATE_WARN_S ? 'warn' : 'ok', say }
}

/** One line for those that are well, one for each that is not. */
function neighbourChecks(peers: readonly PeerInfo[]): Check[] {
  const near = peers.filter(peer => peer.static)
  const well = near.filter(({ status, suspect }) => status === 'up' && suspect !== true)
  const ill = near.filter(peer => !well.includes(peer))
  return [
    { name: 'neighbours', verdict: 'ok', say: `${well.length} of ${near.length} answer` },
    ...ill.map(({ name, status, left, suspect, lastError }): Check => {
      const how = left === true ? 'it has left' : suspect === true ? 'it does not answer' : status
      const say = `${how}${lastError === undefined || left === true ? '' : `: ${lastError}`}`
      return {
        name: `neighbour ${name}`,
        verdict: 'warn',
        say,
        next: status === 'denied' ? `cloudburst peers -o wide` : `cloudburst hello --peer ${name}`
      }
    })
  ]
}

function stateChecks({ state }: DoctorParts): Check[] {
  const forks = state.replica.forks().map(
    ({ origin, name }): Check => ({
      name: `state of ${name}`,
      verdict: 'warn',
      say: 'two machines publish as this node: nothing of it is believed; end one of them first',
      next: `cloudburst state accept-fork ${origin}`
    })
  )
  return [{ name: 'state', verdict: 'ok', say: `${state.replica.origins().length} nodes are known by what they publish` }, ...forks]
}

function goalChecks({ journal, dispatches }: DoctorParts): Check[] {
  const suspended = journal.runs().filter(({ status, mirrored }) => status === 'suspended' && !mirrored).length
  const doubtful = dispatches.open().filter(({ state }) => state === 'in-doubt')
  return [
    suspended === 0
      ? { name: 'goals', verdict: 'ok', say: 'none of this node waits for repair' }
      : { name: 'goals', verdict: 'warn', say: `${suspended} of this node wait for repair`, next: 'cloudburst goals --suspended' },
    ...doubtful.map(
      ({ id, node }): Check => ({
        name: `goal ${id}`,
        verdict: 'warn',
        say: `${node} accepted it and does not know it any more`,
        next: `cloudburst abandon ${id}`
      })
    )
  ]
}

/** `/healthz`: the daemon answers. `/readyz`: it can take on goals. 503 with the reasons when it is not so. */
export function healthResources(parts: DoctorParts): readonly Resource[] {
  return [
    { path: '/healthz', methods: ['GET'], answer: () => Promise.resolve({ type: 'text/plain; charset=utf-8', text: 'ok\n' }) },
    {
      path: '/readyz',
      methods: ['GET'],
      answer: async () => {
        const failed = (await examineNode(parts)).filter(({ verdict }) => verdict === 'fail')
        const text = failed.length === 0 ? 'ok\n' : failed.map(({ name, say }) => `${name}: ${say}\n`).join('')
        return { status: failed.length === 0 ? 200 : 503, type: 'text/plain; charset=utf-8', text }
      }
    }
  ]
}
