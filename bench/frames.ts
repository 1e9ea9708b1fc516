import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cleanly, ours, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { makeHomes } from './nodes.ts'
import { interleave, type Sampler } from './sampling.ts'
import { type Measured, rowOf, type Series, seriesOf } from './result.ts'

/** Messages are sent over a channel of the mesh, over a stream of bare libp2p, over bare TCP and over TLS. */
const LINES = ['channel', 'bare', 'tcp', 'tls'] as const
export type LineName = (typeof LINES)[number]

/** What is sent in one sample: 10 MB of small messages, 256 MB of large ones. */
const LOADS = [
  { bytes: 512, count: 20_000 },
  { bytes: 64 * 1024, count: 4_000 }
] as const

/** A sample is a mean over thousands of messages by itself. */
const ROUNDS = 21

/** Milliseconds of each sample, by {@link sampleName}. */
type FramesTaken = Readonly<Record<string, readonly number[]>>

/** Of a stream of bare libp2p. */
const LIMIT = 0.8

const NAMES: Readonly<Record<LineName, string>> = {
  channel: 'channel over Noise',
  bare: 'bare noise+yamux',
  tcp: 'raw TCP',
  tls: 'Node TLS 1.3'
}

function sampleName(line: LineName, bytes: number): string {
  return `${line} ${bytes}`
}

/**
 * What a stream between two nodes carries, from one process to another, against sockets that carry the bytes and nothing else. Each line
 * has two processes of its own: what one leaves to be collected would be collected while another is measured.
 */
export function frames(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const homes = (await makeHomes(directory, 2)).map(({ home }) => home.base) as [string, string]
    const samplers: Record<string, Sampler> = {}
    for (const line of LINES) {
      const send = await openLine(line, homes, later)
      for (const { bytes, count } of LOADS) samplers[sampleName(line, bytes)] = () => send(bytes, count)
    }
    return measured(await interleave(samplers, ROUNDS))
  })
}

/** Sends so many messages of so many bytes, and gives the milliseconds until all were there. */
type Send = (bytes: number, count: number) => Promise<number>

async function openLine(line: LineName, [from, to]: readonly [string, string], later: (end: () => Promise<void>) => void): Promise<Send> {
  const receiver = start('frames-receiver.ts', [line, to], later)
  const sender = start('frames-sender.ts', [line, from, await receiver.line()], later)
  await sender.line()
  return async (bytes, count) => {
    sender.child.stdin.write(`${bytes} ${count}\n`)
    return Number(await sender.line())
  }
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

function start(script: string, args: readonly string[], later: (end: () => Promise<void>) => void) {
  const words = ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), ...args]
  const child = ours(spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] }))
  const ended = once(child, 'exit')
  later(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const failed = ended.then(([code]) => Promise.reject(new Error(`${script} ended with ${code}`)))
  failed.catch(() => undefined)
  const said = createInterface({ input: child.stdout })
  return { child, line: async (): Promise<string> => String((await Promise.race([once(said, 'line'), failed]))[0]) }
}
