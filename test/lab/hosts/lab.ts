/**
 * Real hosts on one machine: each with its own root file system, network, processes, name, users and sshd, on a bridge of
 * the lab's own. Several labs run side by side; nothing stays when one is closed.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Host, type HostOptions, makeHost } from './host.ts'
import { image } from './image.ts'

/** Networks 10.77.1.0/24 … 10.77.250.0/24, one a lab. */
const NETWORKS_MAX = 250

export interface Lab {
  /** This machine's address among the hosts. */
  readonly address: string
  readonly directory: string
  /** Private key that every user of every host knows; its public half ends in `.pub`. */
  readonly key: string
  /** The host keys of all hosts so far, as ssh keeps them. */
  readonly knownHosts: string
  /** Resolves when a command went through its sshd. */
  host(options: HostOptions): Promise<Host>
  close(): void
}

/** Takes a free network and makes a key. */
export function openLab(): Lab {
  const base = image()
  const directory = mkdtempSync(join(tmpdir(), 'cb-lab-'))
  const { bridge, network } = takeNetwork()
  const key = join(directory, 'key')
  const knownHosts = join(directory, 'known_hosts')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  writeFileSync(knownHosts, '')
  const hosts: Host[] = []
  let last = 10
  return {
    address: `${network}.1`,
    directory,
    key,
    knownHosts,
    async host(options) {
      const address = `${network}.${++last}`
      const folder = join(directory, options.name)
      mkdirSync(folder)
      const publicKey = readFileSync(`${key}.pub`, 'utf8')
      const host = await makeHost({ ...options, address, bridge, directory: folder, image: base, key, publicKey })
      hosts.push(host)
      writeFileSync(knownHosts, `${address} ${host.hostKey}\n`, { flag: 'a' })
      return host
    },
    close() {
      for (const host of hosts) host.remove()
      spawnSync('ip', ['link', 'del', bridge])
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** A bridge can be added once: whoever adds it has its network. */
function takeNetwork(): { readonly bridge: string; readonly network: string } {
  for (let number = 1; number <= NETWORKS_MAX; number++) {
    const bridge = `cblab${number}`
    if (spawnSync('ip', ['link', 'add', bridge, 'type', 'bridge'], { stdio: 'ignore' }).status !== 0) continue
    const network = `10.77.${number}`
    execFileSync('ip', ['addr', 'add', `${network}.1/24`, 'dev', bridge])
    execFileSync('ip', ['link', 'set', bridge, 'up'])
    return { bridge, network }
  }
  throw new Error(`all ${NETWORKS_MAX} networks of labs are taken: ip link show type bridge`)
}
