/** What a node measures of itself, as Prometheus reads it. Source: prometheus.io, "Exposition formats", text format 0.0.4 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Resource } from '../control/rest.ts'
import type { Dispatches } from '../dispatch/dispatches.ts'
import type { Mesh } from '../mesh.ts'
import type { NodeState } from '../state/state.ts'
import type { NodeJournal } from '../store/journal.ts'
import type { Store } from '../store/store.ts'

export interface MetricsParts {
  readonly version: string
  readonly name: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly mesh: Pick<Mesh, 'peers'>
  readonly journal: Pick<NodeJournal, 'runs' | 'subscribe'>
  readonly dispatches: Pick<Dispatches, 'open' | 'waiting'>
  readonly state: Pick<NodeState, 'replica'>
  readonly store: Pick<Store, 'counts' | 'state'>
}

/** Resolution of the measured lateness of timers, in milliseconds. */
const LATENESS_RESOLUTION_MS = 100

type Labels = Readonly<Record<string, string>>
interface Sample {
  readonly labels?: Labels
  readonly value: number
}
interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface Metrics {
  readonly resource: Resource
  /** How late timers were, in seconds, the worst of a hundred, since it was asked for last. */
  lateness(): number
  stop(): void
}

/** Counts from here on; everything else is read when somebody asks. */
export function openMetrics(parts: MetricsParts): Metrics {
  const delay = monitorEventLoopDelay({ resolution: LATENESS_RESOLUTION_MS })
  delay.enable()
  const steps = new Map<string, number>()
  let events = 0
  const end = parts.journal.subscribe('*', ({ body }) => {
    events++
    if (body.type === 'step-ended') steps.set(body.status, (steps.get(body.status) ?? 0) + 1)
  })
  const lateness = (): number => {
    const late = Math.max(0, delay.percentile(99) / 1e9 - LATENESS_RESOLUTION_MS / 1_000)
    delay.reset()
    return late
  }
  const read = (): readonly Metric[] => [
    gauge('build_info', 'Version and name of the node; always 1.', [{ labels: { version: parts.version, node: parts.name }, value: 1 }]),
    gauge('start_time_seconds', 'When the daemon began, since the epoch.', [{ value: parts.startedAt / 1_000 }]),
    gauge(
      'goals',
      'Goals by status, those sent to other nodes included.',
      byLabel(
        'status',
        parts.journal.runs().map(each => each.status)
      )
    ),
    gauge(
      'dispatches_open',
      'Goals sent to other nodes that have no outcome, by state.',
      byLabel(
        'state',
        parts.dispatches.open().map(each => each.state)
      )
    ),
    gauge('dispatches_waiting', 'Of those, how many cannot be followed right now.', [
      { value: parts.dispatches.open().filter(({ id }) => parts.dispatches.waiting(id) !== undefined).length }
    ]),
    gauge(
      'peers',
      'Known nodes by status.',
      byLabel(
        'status',
        parts.mesh.peers().map(each => (each.suspect ? 'suspect' : each.left ? 'left' : each.status))
      )
    ),
    gauge(
      'peer_round_trip_seconds',
      'Of the connection to each node.',
      parts.mesh
        .peers()
        .flatMap(({ name, roundTripMs }) => (roundTripMs === undefined ? [] : [{ labels: { peer: name }, value: roundTripMs / 1_000 }]))
    ),
    gauge('state_origins', 'Nodes whose published state is known here.', [{ value: parts.state.replica.origins().length }]),
    gauge('state_forks', 'Nodes of which nothing is believed because two publish as one.', [{ value: parts.state.replica.forks().length }]),
    counter('state_changes_total', 'Changes of the state of all nodes that were seen here.', [{ value: parts.state.replica.count() }]),
    counter('events_total', 'Events of goals that became durable here.', [{ value: events }]),
    counter(
      'steps_total',
      'Steps that ended, by how.',
      [...steps].map(([status, value]) => ({ labels: { status }, value }))
    ),
    gauge('store_ready', '1 while the store can be written.', [{ value: parts.store.state === 'ready' ? 1 : 0 }]),
    counter('store_batches_total', 'Batches given to the store.', [{ value: parts.store.counts.batches }]),
    counter('store_writes_total', 'Writes that they made, several sharing one.', [{ value: parts.store.counts.writes }]),
    counter('store_syncs_total', 'Writes that were synced to disk.', [{ value: parts.store.counts.syncs }]),
    gauge('timer_lateness_seconds', 'How late timers were, the worst of a hundred since the last reading.', [{ value: lateness() }]),
    ...processMetrics()
  ]
  return {
    resource: {
      path: '/metrics',
      methods: ['GET'],
      answer: () => Promise.resolve({ type: 'text/plain; version=0.0.4; charset=utf-8', text: exposition(read()) })
    },
    lateness,
    stop: () => {
      end()
      delay.disable()
    }
  }
}

function processMetrics(): readonly Metric[] {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time, user and system.',
      samples: [{ value: (user + system) / 1e6 }]
    },
    { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Memory that the daemon holds.', samples: [{ value: rss }] },
    { name: 'nodejs_heap_size_used_bytes', type: 'gauge', help: 'Of it, objects.', samples: [{ value: heapUsed }] }
  ]
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `cloudburst_${name}`, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name: `cloudburst_${name}`, type: 'counter', help, samples }
}

function byLabel(label: string, values: readonly string[]): Sample[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }))
}

/** The text that Prometheus reads. */
export function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`)
  ])
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return ''
  const quoted = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(',')}}`
}
