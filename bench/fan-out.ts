import { existsSync } from 'node:fs'
import { cleanly } from './leftovers.ts'
import { CLI, PROGRAM, startNodes } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave, SAMPLES, timeOf } from './sampling.ts'
import { startSshd, whyNoSshd } from './sshd.ts'

const NODES = 20
const CLUSH = '/usr/bin/clush'

/** `true` on twenty nodes: one goal each, against clush over ssh to twenty addresses. */
export function fanOut(): Promise<Measured> {
  return cleanly(async later => {
    const missing = existsSync(CLUSH) ? whyNoSshd() : 'clustershell is not installed'
    const addresses = Array.from({ length: NODES }, (_, at) => `127.0.0.${at + 11}`)
    const nodes = await startNodes(NODES + 1)
    later(() => nodes.stop())
    const sshd = missing === undefined ? await startSshd(addresses) : undefined
    later(async () => await sshd?.stop())
    const home = nodes.all[0]!.home.base
    const cloudburst = (...words: string[]): Promise<number> => timeOf(process.execPath, [CLI, ...words, '--home', home])
    await cloudburst('load', PROGRAM)
    const taken = await interleave({
      ours: () => cloudburst('dispatch', 'command', '--all'),
      ...(sshd !== undefined && {
        clush: () => timeOf(CLUSH, ['-f', String(NODES), '-w', addresses.join(','), '-o', sshd.words.join(' '), 'true'])
      })
    })
    const ours = seriesOf(`cloudburst dispatch command --all, ${NODES} nodes`, 'ms', taken.ours)
    const what = `\`true\` on ${NODES} nodes`
    if (sshd === undefined) return { rows: [rowOf(what, ours, 'value')], series: [ours], notes: [`clush was not measured: ${missing}`] }
    const clush = seriesOf(`clush -f ${NODES} -w … true`, 'ms', taken.clush ?? [])
    return {
      rows: [rowOf(what, ours, 'ratio', { peer: clush, limit: 1 })],
      series: [ours, clush],
      notes: [`${SAMPLES} rounds in turns; all daemons, and the sshd with all its sessions, share this machine`]
    }
  })
}
