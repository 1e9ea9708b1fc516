import { cleanly } from './leftovers.ts'
import { CLI, PROGRAM, startNodes } from './nodes.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { interleave, SAMPLES, timeOf } from './sampling.ts'
import { startSshd, whyNoSshd } from './sshd.ts'

/** Of the time of `ssh host true`. */
const LIMIT = 0.5

/** From key press to outcome, through the CLI, both journals synced; against ssh, alone and with a connection kept open. */
export function dispatchCli(): Promise<Measured> {
  return cleanly(async later => {
    const missing = whyNoSshd()
    const nodes = await startNodes(2)
    later(() => nodes.stop())
    const sshd = missing === undefined ? await startSshd() : undefined
    later(async () => await sshd?.stop())
    const home = nodes.all[0]!.home.base
    const cloudburst = (...words: string[]): Promise<number> => timeOf(process.execPath, [CLI, ...words, '--home', home])
    await cloudburst('load', PROGRAM)
    const taken = await interleave({
      noop: () => cloudburst('dispatch', 'noop', '--peer', 'n2'),
      ...(sshd !== undefined && {
        ssh: () => timeOf('ssh', [...sshd.words, '127.0.0.1', 'true']),
        shared: () => timeOf('ssh', [...sshd.sharing, '127.0.0.1', 'true'])
      })
    })
    const noop = seriesOf('cloudburst dispatch noop --peer n2', 'ms', taken.noop)
    if (sshd === undefined)
      return {
        rows: [rowOf('dispatch of nothing, CLI', noop, 'value')],
        series: [noop],
        notes: [`ssh was not measured: ${missing}`]
      }
    const ssh = seriesOf('ssh host true', 'ms', taken.ssh ?? [])
    const shared = seriesOf('ssh host true, ControlMaster', 'ms', taken.shared ?? [])
    return {
      rows: [
        rowOf('dispatch of nothing, CLI', noop, 'ratio', { peer: ssh, limit: LIMIT }),
        rowOf('dispatch of nothing, CLI', noop, 'ratio', { peer: shared, detail: true })
      ],
      series: [noop, ssh, shared],
      notes: [`${SAMPLES} rounds in turns; a dispatch is recorded durably on both nodes, ssh records nothing`]
    }
  })
}
