import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHub, packaged } from '../test/lab/hosts/hub.ts'
import { whyNoLab } from '../test/lab/hosts/image.ts'
import { openLab } from '../test/lab/hosts/lab.ts'
import { cleanly } from './leftovers.ts'
import { progress } from './progress.ts'
import { type Measured, rowOf, seriesOf } from './result.ts'
import { QUICK } from './sampling.ts'

const HOSTS = 10
/** From bare hosts to healthy members, all of them, in milliseconds. */
const DELIVERED_MS = 60_000
/** Again with nothing to do: a second a host, though they go side by side. */
const AGAIN_MS = 1_000 * HOSTS

/** Ten hosts with nothing but sshd become members; beside Ansible, which copies and starts the same artefact without making members of them. */
export function delivery(): Promise<Measured> {
  return cleanly(async later => {
    const missing = whyNoLab()
    if (missing !== undefined) return { rows: [], series: [], notes: [`delivery was not measured: ${missing}`] }
    const lab = openLab()
    later(async () => lab.close())
    const artefacts = packaged('0.9.1')
    const names = Array.from({ length: HOSTS }, (_, at) => `b${at}`)
    const hosts = await Promise.all(names.map(name => lab.host({ name })))
    const hub = await openHub(lab)
    later(() => hub.close())
    const words = [...hosts.map(({ address }) => `carol@${address}`), '--artefact', artefacts]
    const timed = async (what: string, action: () => unknown): Promise<number> => {
      progress(what)
      const started = performance.now()
      await action()
      return performance.now() - started
    }
    const deliver = async (): Promise<void> => {
      const said = await hub.deliver(...words)
      if (said.code !== 0) throw new Error(said.stderr)
    }
    const ansible = ansibleOf(lab, hosts, artefacts)
    const taken = { first: [] as number[], again: [] as number[], ansible: [] as number[], ansibleAgain: [] as number[] }
    for (let round = 0; round < (process.env[QUICK] === undefined ? 2 : 1); round++) {
      taken.first.push(await timed('delivering', deliver))
      taken.again.push(await timed('delivering again', deliver))
      await hub.cloudburst('undeliver', ...words.slice(0, HOSTS), ...hub.reaching)
      if (ansible === undefined) continue
      taken.ansible.push(await timed('ansible', ansible))
      taken.ansibleAgain.push(await timed('ansible again', ansible))
      for (const host of hosts) host.run('pkill -u carol -f node; rm -rf /home/carol/cb /home/carol/h; true')
    }
    const first = seriesOf(`cloudburst deliver, ${HOSTS} bare hosts`, 'ms', taken.first)
    const again = seriesOf(`cloudburst deliver, ${HOSTS} hosts that have it`, 'ms', taken.again)
    const peers =
      taken.ansible.length === 0
        ? []
        : [seriesOf('ansible-playbook, copy and start', 'ms', taken.ansible), seriesOf('ansible-playbook again', 'ms', taken.ansibleAgain)]
    return {
      rows: [
        rowOf(`${HOSTS} bare hosts to members`, first, 'value', { limit: DELIVERED_MS }),
        rowOf(`${HOSTS} hosts again`, again, 'value', { limit: AGAIN_MS }),
        ...(peers[0] === undefined ? [] : [rowOf(`${HOSTS} bare hosts to members`, first, 'ratio', { peer: peers[0], detail: true })]),
        ...(peers[1] === undefined ? [] : [rowOf(`${HOSTS} hosts again`, again, 'ratio', { peer: peers[1], detail: true })])
      ],
      series: [first, again, ...peers],
      notes: peers.length === 0 ? ['ansible is not installed'] : []
    }
  })
}

function ansibleOf(
  lab: { readonly directory: string; readonly key: string },
  hosts: readonly { readonly address: string }[],
  artefacts: string
) {
  if (spawnSync('ansible-playbook', ['--version']).status !== 0) return undefined
  const archive = join(artefacts, readdirSync(artefacts).find(name => name.endsWith('.tar.gz')) ?? '')
  const inventory = join(lab.directory, 'inventory')
  const playbook = join(lab.directory, 'playbook.yml')
  writeFileSync(inventory, hosts.map(({ address }) => `${address} ansible_user=carol\n`).join(''))
  const start =
    '/home/carol/cb/0.9*/bin/cloudburst init --name x --home /home/carol/h; /home/carol/cb/0.9*/bin/cloudburst start-daemon --home /home/carol/h'
  const tasks = [
    'file: path=/home/carol/cb state=directory',
    `unarchive: src=${archive} dest=/home/carol/cb creates=/home/carol/h`,
    `shell: ${start}`
  ]
  writeFileSync(playbook, `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks.map(task => `    - ${task}\n`).join('')}`)
  const env = { ...process.env, ANSIBLE_HOST_KEY_CHECKING: 'False', ANSIBLE_FORKS: String(hosts.length) }
  return (): void => {
    const said = spawnSync('ansible-playbook', ['-i', inventory, '--private-key', lab.key, playbook], { env, encoding: 'utf8' })
    if (said.status !== 0) throw new Error(said.stdout)
  }
}
