import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPrograms } from '../../../src/node/programs/programs.ts'
import { memoryStore } from '../../../src/node/store/memory-store.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const program = (name: string): string => `<cloudburst name="${name}"><goalProto name="${name}-goal"/></cloudburst>`

describe('the programs of a node', () => {
  const temporary = temporaryDirectory()

  it('are there although one of them cannot be read', async () => {
    const directory = temporary()
    writeFileSync(join(directory, 'good.xml'), program('good'))
    writeFileSync(join(directory, 'bad.xml'), '<cloudburst name="bad"><goalProto/></cloudburst>')
    const store = memoryStore()
    await store.batch([{ type: 'put', key: 'p!00', value: { name: 'old', files: [{ name: 'old.xml', text: '<' }], loadedAt: 1 } }], {
      sync: true
    })
    const told: string[] = []
    const programs = openPrograms({ store, shippedDirectory: directory, now: () => 1, unreadable: what => told.push(what) })
    assert.equal((await programs.withGoal('good-goal')).name, 'good')
    assert.deepEqual(told, ['bad.xml', 'old'])
  })
})
