import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cleanly, removeDirectory, temporaryDirectory } from './leftovers.ts'
import { CLI, startNodes } from './nodes.ts'
import { type Measured, type Row, rowOf, type Series, seriesOf } from './result.ts'
import { interleave, type Sampler, timeOf } from './sampling.ts'
import { type Sshd, startSshd, whyNoSshd } from './sshd.ts'

const ANSIBLE = '/usr/bin/ansible'
const HOST = '127.0.0.1'
/** ansible takes a second and more for each. */
const ROUNDS = 15
const WHAT = '`run -- true` on a peer, CLI'

/** One command on another host, from spawn to exit: ours against ssh, alone and with a connection kept open, and ansible. */
export function adHoc(): Promise<Measured> {
  return cleanly(async later => {
    const directory = temporaryDirectory()
    later(() => removeDirectory(directory))
    const noSsh = whyNoSshd()
    const noAnsible = noSsh ?? (existsSync(ANSIBLE) ? undefined : 'ansible-core is not installed')
    const nodes = await startNodes(2)
    later(() => nodes.stop())
    const sshd = noSsh === undefined ? await startSshd() : undefined
    later(async () => await sshd?.stop())
    later(() => endShared(join(directory, 'shared')))

    const home = nodes.all[0]!.home.base
    const taken = await interleave(
      {
        ours: () => timeOf(process.execPath, [CLI, 'run', '--peer', 'n2', '--home', home, '--', 'true']),
        ...(sshd !== undefined && {
          ssh: () => timeOf('ssh', [...sshd.words, HOST, 'true']),
          shared: () => timeOf('ssh', [...sshd.sharing, HOST, 'true'])
        }),
        ...(sshd !== undefined && noAnsible === undefined && { ansible: ansible(sshd, directory) })
      },
      ROUNDS
    )
    const ours = seriesOf('cloudburst run --peer n2 -- true', 'ms', taken.ours)
    const peers = [
      seriesOfPeer('ssh host true', taken.ssh),
      seriesOfPeer('ssh host true, ControlMaster', taken.shared),
      seriesOfPeer('ansible all -m command -a true', taken.ansible)
    ].filter(peer => peer !== undefined)
    const rows: Row[] = peers.map(peer => rowOf(WHAT, ours, 'ratio', { peer }))
    return {
      rows: rows.length > 0 ? rows : [rowOf(WHAT, ours, 'value')],
      series: [ours, ...peers],
      notes: [
        `${ROUNDS} rounds in turns; ansible with its defaults, which keep the connection to the host open`,
        ...(noSsh === undefined ? [] : [`ssh was not measured: ${noSsh}`]),
        ...(noAnsible === undefined ? [] : [`ansible was not measured: ${noAnsible}`])
      ]
    }
  })
}

function seriesOfPeer(name: string, samples: readonly number[] | undefined): Series | undefined {
  return samples === undefined ? undefined : seriesOf(name, 'ms', samples)
}

/** Nothing of the user's configuration, and nothing kept in the user's home, here or at the host. */
function ansible(sshd: Sshd, directory: string): Sampler {
  const env = {
    ...process.env,
    ANSIBLE_CONFIG: join(directory, 'none.cfg'),
    ANSIBLE_HOME: directory,
    ANSIBLE_LOCAL_TEMP: join(directory, 'local'),
    ANSIBLE_REMOTE_TEMP: join(directory, 'remote'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(directory, 'shared'),
    ANSIBLE_SSH_COMMON_ARGS: sshd.words.join(' ')
  }
  return () => timeOf(ANSIBLE, ['all', '-i', `${HOST},`, '-m', 'command', '-a', 'true'], env)
}

/** ansible leaves its connections open for a minute. */
async function endShared(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  for (const socket of readdirSync(directory))
    await timeOf('ssh', ['-F', 'none', '-o', `ControlPath=${join(directory, socket)}`, '-O', 'exit', HOST])
}
