import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skip } from '../skip.ts'
import type { Host } from './hosts/host.ts'
import { bookOf, type Hub, openHub, packaged, withAuthority } from './hosts/hub.ts'
import { whyNoLab } from './hosts/image.ts'
import { type Lab, openLab } from './hosts/lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** How often a delivery is killed: so many in the suite, at least 30 with CLOUDBURST_DELIVERY_KILLS. */
const KILLS = Number(process.env['CLOUDBURST_DELIVERY_KILLS'] ?? 7)
const HOSTS = 3
const STAGES = ['connect', 'look', 'copy', 'verify', 'switch', 'enrol', 'start', 'health']

describe('a delivery that is killed', function () {
  this.timeout(120_000 + KILLS * 60_000)
  let lab: Lab
  let hub: Hub
  let hosts: Host[]
  let artefacts: string

  before(async function () {
    const why = whyNoLab()
    if (why !== undefined) skip(this, why)
    lab = openLab()
    artefacts = packaged('0.9.1')
    const names = Array.from({ length: HOSTS }, (_, at) => `k${at}`)
    ;[hub, hosts] = await Promise.all([openHub(lab), Promise.all(names.map(name => lab.host({ name })))])
    await withAuthority(hub)
  })

  after(async () => {
    await hub?.close()
    lab?.close()
  })

  it(`ends in one healthy member when it is run again, whichever of ${KILLS} moments it was killed at`, async () => {
    const moments = Array.from({ length: KILLS }, (_, at) => ({
      stage: STAGES[at % STAGES.length] as string,
      // From nothing to more than a stage takes: also between its beginning and its end.
      delayMs: [0, 30, 120, 400, 900][Math.floor(at / STAGES.length) % 5] as number
    }))
    await Promise.all(
      hosts.map(async (host, mine) => {
        for (const moment of moments.filter((_, at) => at % HOSTS === mine)) await killedAt(host, moment)
      })
    )
  })

  it('is a goal that waits for repair where a host cannot be reached, and goes on for that host alone', async () => {
    const bin = join(lab.directory, 'bin')
    mkdirSync(bin)
    symlinkSync(join(root, 'dist/cloudburst.js'), join(bin, 'cloudburst'))
    const options = [...hub.reaching, '--artefact', artefacts, '--home', hub.home].join(' ')
    const [first, second] = hosts as [Host, Host]
    second.cable(false)
    const targets = JSON.stringify([first, second].map(({ address }) => `carol@${address}`))
    const env = { PATH: `${bin}:${process.env['PATH']}` }
    const begun = await pursue(['deliver.xml', 'deliverAll', `goal.hosts=${targets}`, `goal.options=${options}`], env)
    assert.equal(begun.code, 3, `${begun.stdout}${begun.stderr}`)
    second.cable(true)
    const [id = ''] = /(?<=repair )\w+/.exec(`${begun.stdout}${begun.stderr}`) ?? []
    const repaired = await pursue(['deliver.xml', id, '--retry', '--yes'], env, 'repair')
    assert.equal(repaired.code, 0, `${repaired.stdout}${repaired.stderr}`)
    assert.equal((await hub.peers()).filter(({ name, status }) => ['k0', 'k1'].includes(name) && status === 'up').length, 2)
  })

  async function pursue(words: readonly string[], env: NodeJS.ProcessEnv, command = 'pursue') {
    return await hub.begin([command, ...words], env, false).said
  }

  async function killedAt(host: Host, { stage, delayMs }: { readonly stage: string; readonly delayMs: number }): Promise<void> {
    const what = `${host.name}, killed ${delayMs} ms after ${stage}`
    const to = ['deliver', `carol@${host.address}`, '--artefact', artefacts]
    const { child, said } = hub.begin(to)
    let text = ''
    child.stderr?.on('data', chunk => {
      text += String(chunk)
      if (text.includes(`: ${stage}\n`)) setTimeout(() => child.kill('SIGKILL'), delayMs)
    })
    await said
    const again = await hub.begin([...to, '-o', 'json']).said
    assert.equal(again.code, 0, `${what}: ${again.stderr}${logs(host)}`)
    const [{ peer }] = JSON.parse(again.stdout) as [{ peer: string }]
    assert.deepEqual(
      (await hub.peers()).filter(each => each.name.startsWith(host.name)).map(each => [each.peer, each.status]),
      [[peer, 'up']],
      what
    )
    assert.ok(!readFileSync(join(hub.home, 'permissions.xml'), 'utf8').includes(peer), `${what}: a permit besides its grant`)
    const grants = bookOf(hub).issued.filter(({ subject }) => subject === peer)
    assert.equal(grants.length, 1, `${what}: ${grants.length} grants`)
    assert.equal(host.run('pgrep -fc cloudburstd[.]js').trim(), '1', `${what}: daemons`)
    assert.equal(host.run('ls -A /home/carol/.local/lib/cloudburst/releases | wc -l').trim(), '1', `${what}: releases`)
    const removed = await hub.begin(['undeliver', `carol@${host.address}`]).said
    assert.equal(removed.code, 0, `${what}: ${removed.stderr}`)
    assert.ok(!host.holds('pgrep -u carol -f cloudburs[t]'), `${what}: orphans`)
    assert.ok(
      bookOf(hub).revoked.some(({ subject }) => subject === peer),
      `${what}: its grant holds on`
    )
  }

  /** The ends of what both daemons had to say: what went wrong once in thirty times is not seen again soon. */
  function logs(host: Host): string {
    const ofHub = readFileSync(join(lab.directory, 'hub.log'), 'utf8').split('\n').slice(-25)
    return ['', 'hub:', ...ofHub, `${host.name}:`, host.run('tail -n 25 /home/carol/.local/state/cloudburst/daemon.log 2>&1; true')].join(
      '\n'
    )
  }
})
