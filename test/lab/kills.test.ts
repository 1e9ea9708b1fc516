/**
 * A goal is sent from one daemon to another, and one of them, or both, is killed at some moment of it. The suite tries a few
 * moments; `npm run kills` tries two hundred, and says in CB_OUT that all went well. CB_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { machine } from '../../bench/result.ts'
import { type ControlClient, controlClient } from '../../src/cli/control-client.ts'
import type { GoalEvent } from '../../src/goals/pursuit/events.ts'
import { chanceOf } from '../sim/world/chance.ts'
import { type Mesh, type MeshNode, mesh } from '../system/mesh.ts'
import { until } from '../system/mesh/process.ts'

const TRIALS = Number(process.env['CB_TRIALS'] ?? 6)
const SEED = Number.parseInt(process.env['CB_SEED'] ?? Math.floor(Math.random() * 0x10000).toString(16), 16)
/** The whole of a goal, and then some, in milliseconds: a kill comes somewhere in it. */
const MOMENTS_MS = 1_200
const PATIENCE_MS = 60_000
/** File for the figures of a run without a fault. */
const OUT = process.env['CB_OUT']

const PROGRAM = `<cloudburst name="kills">
  <goalProto name="work">
    <variable name="mark" type="string"/>
    <variable name="file" type="string"/>
    <method>
      <shell><send>echo <get quote="shell">goal.mark</get> a >> <get quote="shell">goal.file</get></send></shell>
      <shell><send>sleep 0.2; echo <get quote="shell">goal.mark</get> b >> <get quote="shell">goal.file</get></send></shell>
      <shell><send>echo <get quote="shell">goal.mark</get> c >> <get quote="shell">goal.file</get></send></shell>
    </method>
  </goalProto>
</cloudburst>`

describe('a goal on another node, when daemons are killed', function () {
  this.timeout(TRIALS * 40_000)
  let m: Mesh
  const ended = new AbortController()
  before(async () => {
    m = await mesh(2)
  })
  after(async () => {
    ended.abort()
    await m?.stop()
  })
  const client = ({ home }: MeshNode): ControlClient =>
    controlClient({ socket: home.socket, home: home.base, signal: ended.signal, onWaiting: () => undefined })
  const eventsOf = async (node: MeshNode, id: string): Promise<readonly GoalEvent[]> => {
    const events: GoalEvent[] = []
    for await (const item of client(node).agency().stream('events', { id }, { peer: node.peer, node: node.name }))
      if (item.type === 'event') events.push(item.event)
    return events
  }

  it(`is done once, wholly, and told without gap or repeat, at ${TRIALS} moments (CB_SEED=${SEED.toString(16)})`, async () => {
    const chance = chanceOf(SEED)
    const began = Date.now()
    let accepted = 0
    const program = `${m.directory}/kills.xml`
    const file = `${m.directory}/done`
    writeFileSync(program, PROGRAM)
    assert.equal((await m.node(1).cli('load', program)).exit, 0)
    for (let trial = 1; trial <= TRIALS; trial++) {
      const victims = chance.pick([[1], [2], [1, 2]] as const)
      const mark = `t${trial}`
      const assignments = Object.entries({ mark, file }).map(([name, value]) => ({ path: `goal.${name}`, value: { value } }))
      const asked = client(m.node(1)).local('dispatch', {
        goal: 'work',
        program: 'kills',
        peers: ['n2'],
        assignments,
        acceptWithinMs: PATIENCE_MS
      })
      const told = asked.catch(() => undefined)
      await new Promise(resolve => setTimeout(resolve, chance.between(0, MOMENTS_MS)))
      await Promise.all(victims.map(number => m.node(number).kill('SIGKILL')))
      await Promise.all(victims.map(number => m.node(number).start()))
      const what = `trial ${trial}, ${victims.map(number => `n${number}`).join(' and ')} killed`
      const sent = (
        await client(m.node(1))
          .agency()
          .call('goals', {}, { peer: m.node(1).peer, node: 'n1' })
      ).find(({ assignments: given }) => given.some(({ value }) => typeof value !== 'string' && value.value === mark))
      const [first] = (await told) ?? []
      const id = first !== undefined && 'id' in first ? first.id : sent?.id
      // Nobody was told that it is seen to, and it is not.
      if (id === undefined) continue
      accepted++
      await m.node(1).goal(id, ({ status }) => status === 'completed')
      const lines = existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter(line => line.startsWith(`${mark} `))
        : []
      assert.deepEqual(
        lines,
        ['a', 'b', 'c'].map(step => `${mark} ${step}`),
        what
      )
      const here = await until(
        'n1 has been told all',
        async () => {
          const events = await eventsOf(m.node(1), id)
          return events.at(-1)?.body.type === 'completed' && events
        },
        PATIENCE_MS
      )
      assert.deepEqual(
        here.map(({ seq }) => seq),
        here.map((_, at) => at + 1),
        what
      )
      const outline = (events: readonly GoalEvent[]): unknown => events.map(({ seq, at, body }) => [seq, at, body.type])
      assert.deepEqual(outline(here), outline(await eventsOf(m.node(2), id)), what)
    }
    if (OUT !== undefined) {
      const seconds = Math.round((Date.now() - began) / 1_000)
      const found = { trials: TRIALS, accepted, lost: 0, twice: 0, gapsOrRepeats: 0, seconds }
      const result = { at: new Date().toISOString(), machine: machine(), command: `CB_SEED=${SEED.toString(16)} npm run kills`, ...found }
      writeFileSync(OUT, `${JSON.stringify(result, undefined, 2)}\n`)
    }
  })
})
