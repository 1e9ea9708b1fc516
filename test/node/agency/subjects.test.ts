import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { openPrograms, type Programs } from '../../../src/node/programs/programs.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'
import { type Subjects, subjects } from '../../../src/node/agency/subjects.ts'

const ID = '01JD00000000000000000000AA'
const OTHER = '01JE00000000000000000000AA'

describe('the subject of a request about a goal', () => {
  let programs: Programs
  let of: Subjects['call']
  let shell: string

  before(async () => {
    programs = openPrograms({
      store: memoryStore(),
      shippedDirectory: fileURLToPath(new URL('../../../programs', import.meta.url)),
      now: () => 0,
      unreadable: (_what, error) => assert.fail(String(error))
    })
    shell = (await programs.find('run')).hash
    const runs = [ID, OTHER].map(id => ({ id, goal: 'run', program: { name: 'run', hash: shell } }))
    const journal = { runs: () => runs, summary: (id: string) => Promise.resolve(runs.find(run => run.id === id)) }
    const agents = { list: () => [{ name: 'worker', program: { hash: 'ab' } }] }
    of = subjects({ journal: journal as never, programs, agents }).call
  })

  for (const id of [ID, ID.toLowerCase(), ID.slice(0, 5)]) {
    it(`is the goal however its id is typed: ${id}`, async () => {
      assert.deepEqual(await of('repair', { id, assignments: [] }), {
        program: shell,
        programName: 'run',
        goal: 'run',
        also: ['node:shell'],
        vars: []
      })
    })
  }

  it('needs the right to load programs when the goal is to go on with another one', async () => {
    const { hash } = await programs.find('inventory')
    const subject = await of('repair', { id: ID.slice(0, 5), assignments: [], program: 'inventory' })
    assert.equal(subject.program, hash)
    assert.ok(subject.also?.includes('program:load'))
  })

  for (const verb of ['examine', 'suspend', 'resume', 'stop'] as const)
    it(`of ${verb} is the program of the agent`, async () => {
      assert.deepEqual(await of(verb, { agent: 'worker' }), { program: 'ab' })
      assert.deepEqual(await of(verb, { agent: 'nobody' }), {})
    })

  it('is nothing while several goals may be meant', async () => {
    assert.deepEqual(await of('goal', { id: ID.slice(0, 3) }), {})
  })
})
