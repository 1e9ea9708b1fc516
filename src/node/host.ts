/** What a program sees of the machine: the top names `host` and `peer`. */
import { cpus, hostname, networkInterfaces, totalmem, type as systemName, release, version as systemVersion, machine } from 'node:os'
import type { Variables } from '../goals/tree.ts'
import type { NodeInfo } from '../protocols/agency/calls.ts'

/** `host`: uname, platform, arch, hostname, hostip, cpus, memory (bytes) of this machine. */
export function hostVariables(): Variables {
  return {
    uname: { value: `${systemName()} ${hostname()} ${release()} ${systemVersion()} ${machine()}` },
    platform: { value: process.platform },
    arch: { value: process.arch },
    hostname: { value: hostname() },
    hostip: { value: firstAddress() },
    cpus: { type: 'int', value: cpus().length },
    memory: { type: 'int', value: totalmem() }
  }
}

/** What a node is chosen by: what the machine is (`os`, `arch`), and what its neighborhood.xml says, which goes over it. */
export function labelsOf(said: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { os: process.platform, arch: process.arch, ...said }
}

/** `peer`: the node that pursues. */
export function peerVariables(id: string, name: string, labels: Readonly<Record<string, string>>): Variables {
  return {
    id: { value: id },
    name: { value: name },
    labels: { fields: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, { value }])) }
  }
}

/** The first address that other machines could know, else loopback. */
function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address
  }
  return '127.0.0.1'
}

/** The machine in a node's answer to hello. */
export function hostInfo(): NodeInfo['host'] {
  return { platform: process.platform, arch: process.arch, hostname: hostname(), cpus: cpus().length, memoryBytes: totalmem() }
}
