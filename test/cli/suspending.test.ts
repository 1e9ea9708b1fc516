import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { CloudburstError } from '../../src/errors.ts'
import { CONTROL_SOCKET } from '../../src/node/control/contract.ts'
import { bindControl, type ControlBinding } from '../../src/node/control/server.ts'
import { fakeAgency, noLocalCalls, runInfo } from '../fakes/agency.ts'
import { type FakeIo, fakeIo } from '../fakes/io.ts'

const by = { peer: 'me', node: 'n1' }
const agent = {
  name: 'farm',
  program: { name: 'site', hash: 'ab12cd34ef56' },
  proto: 'farm',
  status: 'suspended',
  startedAt: 1,
  goals: { running: 0, suspended: 0 }
} as const

describe('suspend and resume', () => {
  let home: string
  let daemon: ControlBinding
  let asked: readonly { readonly name?: string; readonly request?: unknown }[]

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    const nobody = ({ agent: name }: { readonly agent: string }) => {
      if (name === 'farm') return agent
      throw new CloudburstError('CB_AGENT_UNKNOWN', `no agent ${name} is here`, { agent: name })
    }
    const goal = ({ id }: { readonly id: string }) => {
      if (!runInfo.id.startsWith(id.toUpperCase())) throw new CloudburstError('CB_RUN_UNKNOWN', `no goal ${id} is known here`, { id })
      return { ...runInfo, inFlight: [{ goal: runInfo.id, step: 'files/make', show: 'make' }] }
    }
    const agency = fakeAgency({ suspend: nobody, resume: nobody, suspendgoal: goal, resumegoal: goal })
    asked = agency.asked as never
    daemon = await bindControl(join(home, CONTROL_SOCKET))
    daemon.serve({ agency, agencyOf: async () => ({ agency, peer: 'n2' }), local: noLocalCalls, by })
  })
  afterEach(async () => {
    await daemon.stop()
    rmSync(home, { recursive: true, force: true })
  })
  const run = async (...words: string[]): Promise<FakeIo['said'] & { exit: number }> => {
    const io = fakeIo()
    return { exit: await cli([...words.slice(0, 1), '--home', home, ...words.slice(1)], io), ...io.said }
  }

  for (const verb of ['suspend', 'resume'] as const) {
    it(`${verb} an agent by its name`, async () => {
      const { exit, stdout } = await run(verb, 'farm')
      assert.equal(exit, 0)
      assert.match(stdout, /farm +suspended +site@ab12cd34/)
      assert.equal(asked.length, 1)
    })

    for (const id of [runInfo.id, runInfo.id.slice(0, 4), runInfo.id.slice(0, 8).toLowerCase()])
      it(`${verb} a goal by its id: ${id}`, async () => {
        const { exit, stdout, stderr } = await run(verb, id, '--why', 'later')
        assert.equal(exit, 0, stderr)
        assert.match(stdout, new RegExp(`^${runInfo.id} `, 'm'))
        assert.match(
          stderr,
          /^step files\/make of goal .* still runs; the goal rests once it has ended\nto end it now, and the goal: cloudburst cancel /
        )
        assert.deepEqual(asked.at(-1)?.request, { id, why: 'later' })
      })

    for (const word of ['fram', '0wrong', '01JZ'])
      it(`say that there is no agent ${word} when there is no goal either`, async () => {
        const { exit, stderr } = await run(verb, word)
        assert.equal(exit, 1)
        assert.match(stderr, new RegExp(`^error: no agent ${word} is here`))
      })
  }

  it('say of a whole id that there is no such goal', async () => {
    const { exit, stderr } = await run('suspend', `${runInfo.id.slice(0, -1)}1`)
    assert.deepEqual([exit, asked.length], [1, 1])
    assert.match(stderr, /^error: no goal /)
  })
})
