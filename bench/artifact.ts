import { randomBytes } from 'node:crypto'
import { openSync, closeSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { cleanly, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { startNodes, until } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave, timeOf } from './sampling.ts'
import { startSshd, whyNoSshd } from './sshd.ts'

/** Large enough that opening and hashing do not hide how fast it flows. */
const FILE_MB = 200
const ROUNDS = 7
/** Of the rate of scp. */
const LIMIT = 0.5

/** A file from one node to another, verified and on disk, against the same file by scp and over ssh. */
export function artifact(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const file = join(directory, 'file')
    const nodes = await startNodes(2)
    later(() => nodes.stop())
    const [holder, fetcher] = nodes.all.map(({ connection }) => connection)
    const noSsh = whyNoSshd()
    const sshd = noSsh === undefined ? await startSshd() : undefined
    later(async () => await sshd?.stop())

    const rates = await interleave(
      {
        ours: async () => {
          write(file)
          const { hash } = (await holder!.post('local/keepfile', { path: file })) as { hash: string }
          await until('the other node knows of the file', async () => {
            const known = (await fetcher!.post('local/artifacts', {})) as readonly { hash: string }[]
            return known.some(each => each.hash === hash)
          })
          const began = performance.now()
          await fetcher!.post('local/fetchfile', { hash })
          const took = performance.now() - began
          for (const each of [holder!, fetcher!]) await each.post('local/dropfile', { hash })
          return took
        },
        ...(sshd !== undefined && {
          scp: () => {
            write(file)
            return timeOf('scp', [...sshd.copying, `127.0.0.1:${file}`, join(directory, 'copy')])
          },
          ssh: () => {
            write(file)
            const words = [...sshd.words, '127.0.0.1', `cat ${file}`].map(word => `'${word}'`).join(' ')
            return timeOf('/bin/sh', ['-c', `ssh ${words} > ${join(directory, 'copy')}`])
          }
        })
      },
      ROUNDS
    )
    const rate = (samples: readonly number[]): number[] => samples.map(ms => FILE_MB / (ms / 1_000))
    const ours = seriesOf('cloudburst artifact get', 'MB/s', rate(rates.ours))
    const ssh = rates.ssh === undefined ? undefined : seriesOf('ssh host cat', 'MB/s', rate(rates.ssh))
    const scp = rates.scp === undefined ? undefined : seriesOf('scp', 'MB/s', rate(rates.scp))
    const what = `a file of ${FILE_MB} MB from node to node`
    return {
      rows:
        scp === undefined || ssh === undefined
          ? [rowOf(what, ours, 'value')]
          : [rowOf(what, ours, 'ratio', { peer: scp, limit: LIMIT }), rowOf(what, ours, 'ratio', { peer: ssh, detail: true })],
      series: [ours, scp, ssh].filter(series => series !== undefined),
      notes: [
        `${ROUNDS} rounds in turns; ours ends when the file is synced to disk and its hash verified, scp and ssh when it is written`,
        ...(noSsh === undefined ? [] : [`ssh was not measured: ${noSsh}`])
      ]
    }
  })
}

/** Another file each time: what is there already is not fetched. */
function write(path: string): void {
  const block = randomBytes(1024 * 1024)
  writeFileSync(path, '')
  const out = openSync(path, 'w')
  for (let at = 0; at < FILE_MB; at++) {
    block.writeUInt32LE(at, 0)
    writeSync(out, block)
  }
  closeSync(out)
}
