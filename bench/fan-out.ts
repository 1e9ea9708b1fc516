import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanly, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { CLI, PROGRAM, startNodes } from './nodes.ts'
import { type Measured, type Row, rowOf, seriesOf } from './result.ts'
import { interleave, type Sampler, timeOf } from './sampling.ts'
import { type Sshd, startSshd, whyNoSshd } from './sshd.ts'

const NODES = 20
/** A round starts sixty sessions: enough is soon enough. */
const ROUNDS = 11
const CLUSH = '/usr/bin/clush'
const PSSH = '/usr/bin/parallel-ssh'
const WHAT = `\`true\` on ${NODES} nodes`

/** `true` on twenty nodes: one goal each, against clush and pssh over ssh to twenty addresses. */
export function fanOut(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const noSsh = whyNoSshd()
    const noClush = noSsh ?? (existsSync(CLUSH) ? undefined : 'clustershell is not installed')
    const noPssh = noSsh ?? (existsSync(PSSH) ? undefined : 'pssh is not installed')
    const addresses = Array.from({ length: NODES }, (_, at) => `127.0.0.${at + 11}`)
    const nodes = await startNodes(NODES + 1)
    later(() => nodes.stop())
    const sshd = noClush === undefined || noPssh === undefined ? await startSshd(addresses) : undefined
    later(async () => await sshd?.stop())

    const home = nodes.all[0]!.home.base
    const cloudburst = (...words: string[]): Promise<number> => timeOf(process.execPath, [CLI, ...words, '--home', home])
    await cloudburst('load', PROGRAM)
    const taken = await interleave(
      {
        ours: () => cloudburst('dispatch', 'command', '--all'),
        ...(sshd !== undefined && noClush === undefined && { clush: clush(sshd, addresses) }),
        ...(sshd !== undefined && noPssh === undefined && { pssh: pssh(sshd, addresses, directory) })
      },
      ROUNDS
    )
    const ours = seriesOf(`cloudburst dispatch command --all, ${NODES} nodes`, 'ms', taken.ours)
    const rows: Row[] = []
    const series = [ours]
    const beside = (name: string, samples: readonly number[] | undefined, limit: { limit?: number } = {}): void => {
      if (samples === undefined) return
      const peer = seriesOf(name, 'ms', samples)
      rows.push(rowOf(WHAT, ours, 'ratio', { peer, ...limit }))
      series.push(peer)
    }
    beside(`clush -f ${NODES} -w … true`, taken.clush, { limit: 1 })
    beside(`parallel-ssh -p ${NODES} -h … true`, taken.pssh)
    return {
      rows: rows.length > 0 ? rows : [rowOf(WHAT, ours, 'value')],
      series,
      notes: [
        `${ROUNDS} rounds in turns; all daemons, and the sshd with all its sessions, share this machine`,
        ...(noClush === undefined ? [] : [`clush was not measured: ${noClush}`]),
        ...(noPssh === undefined ? [] : [`pssh was not measured: ${noPssh}`])
      ]
    }
  })
}

function clush(sshd: Sshd, addresses: readonly string[]): Sampler {
  return () => timeOf(CLUSH, ['-f', String(NODES), '-w', addresses.join(','), '-o', sshd.words.join(' '), 'true'])
}

function pssh(sshd: Sshd, addresses: readonly string[], directory: string): Sampler {
  const hosts = join(directory, 'hosts')
  writeFileSync(hosts, addresses.map(address => `${address}\n`).join(''))
  const words = sshd.words.flatMap(word => ['-x', word])
  return () => timeOf(PSSH, ['-p', String(NODES), '-h', hosts, ...words, 'true'])
}
