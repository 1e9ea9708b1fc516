import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cleanly, ours, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { makeHomes } from './nodes.ts'
import { type Measured, rowOf, type Series, seriesOf } from './result.ts'

/** Messages are sent over a channel of the mesh, over a stream of bare libp2p, over bare TCP and over TLS. */
export const LINES = ['channel', 'bare', 'tcp', 'tls'] as const
export type LineName = (typeof LINES)[number]

/** What is sent in one sample: 10 MB of small messages, 256 MB of large ones. */
export const LOADS = [
  { bytes: 512, count: 20_000 },
  { bytes: 64 * 1024, count: 4_000 }
] as const

/** Milliseconds of each sample, by {@link sampleName}. */
export type FramesTaken = Readonly<Record<string, readonly number[]>>

/** What the receiver prints when it listens. */
export interface Listening {
  readonly tcp: number
  readonly tls: number
  /** Address with peer id. */
  readonly bare: string
}

/** Of a stream of bare libp2p. */
const LIMIT = 0.8

const NAMES: Readonly<Record<LineName, string>> = {
  channel: 'channel over Noise',
  bare: 'bare noise+yamux',
  tcp: 'raw TCP',
  tls: 'Node TLS 1.3'
}

export function sampleName(line: LineName, bytes: number): string {
  return `${line} ${bytes}`
}

/** What a stream between two nodes carries, from one process to another, against sockets that carry the bytes and nothing else. */
export function frames(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const homes = await makeHomes(directory, 2)
    const [from, to] = homes.map(({ home }) => home.base) as [string, string]
    const receiver = start('frames-receiver.ts', [to])
    later(async () => {
      receiver.child.kill('SIGKILL')
      await receiver.ended
    })
    const { tcp, tls, bare } = JSON.parse(await receiver.line) as Listening
    const sender = start('frames-sender.ts', [from, homes[1]!.peer, String(tcp), String(tls), bare])
    return measured(JSON.parse(await sender.line) as FramesTaken)
  })
}

function measured(taken: FramesTaken): Measured {
  const [small, large] = LOADS
  const rates = (unit: 'frames/s' | 'MB/s', { bytes, count }: (typeof LOADS)[number]): Series[] =>
    LINES.map(line => {
      const amount = unit === 'MB/s' ? (count * bytes) / 1e6 : count
      return seriesOf(
        NAMES[line],
        unit,
        (taken[sampleName(line, bytes)] ?? []).map(ms => (amount * 1000) / ms)
      )
    })
  const series = [...rates('frames/s', small), ...rates('MB/s', large)]
  const rows = [
    ['512-byte messages, one stream', series.slice(0, LINES.length)],
    ['64 KiB messages, one stream', series.slice(LINES.length)]
  ] as const
  return {
    rows: rows.flatMap(([what, [channel, bare, tcp, tls]]) => [
      rowOf(what, channel!, 'ratio', { peer: bare!, limit: LIMIT }),
      rowOf(what, channel!, 'ratio', { peer: tls! }),
      rowOf(what, channel!, 'ratio', { peer: tcp!, detail: true })
    ]),
    series,
    notes: [
      'of a stream: payload from one process to another, as output messages of a dispatch over the mesh, encoded, framed, encrypted, decoded; the others carry the bare bytes, one write a message'
    ]
  }
}

function start(script: string, args: readonly string[]) {
  const words = ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), ...args]
  const child = ours(spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => Promise.reject(new Error(`${script} ended with ${code}`)))
  failed.catch(() => undefined)
  const line = Promise.race([once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)), failed])
  return { child, ended, line }
}
