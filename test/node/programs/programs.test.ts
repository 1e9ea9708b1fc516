import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readProgram } from '../../../src/goals/program/read.ts'
import { openPrograms, PROGRAMS_MAX } from '../../../src/node/programs/programs.ts'
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

  it('are so many at most: unused older versions give way to a new one, nothing else does', async () => {
    const store = memoryStore()
    let time = 1
    const used = new Set<string>()
    const open = () => openPrograms({ store, now: () => time++, inUse: () => Promise.resolve(used), unreadable: () => assert.fail() })
    const version = (name: string, at: number) => [{ name: `${name}.xml`, text: `${program(name)}<!-- ${at} -->` }]
    const programs = open()
    const [first, second] = [await programs.load(version('site', 1)), await programs.load(version('site', 2))]
    for (let at = 2; at < PROGRAMS_MAX; at++) await programs.load(version(`other${at}`, 1))
    used.add(first.hash)
    await assert.rejects(programs.load(version('more', 1)), { code: 'CB_BUSY', message: /1000 programs are loaded here already/ })
    // The same once more is no other program.
    await programs.load(version('other2', 1))
    // The second version of site gives way to the third: the first is in use.
    const third = await programs.load(version('site', 3))
    assert.equal((await programs.find('site')).hash, third.hash)
    await assert.rejects(programs.find(second.hash), { code: 'CB_PROGRAM_UNKNOWN' })
    for (const each of [programs, open()]) {
      const hashes = (await each.loaded()).map(({ hash }) => hash)
      assert.deepEqual([hashes.length, hashes.includes(first.hash), hashes.includes(second.hash)], [PROGRAMS_MAX, true, false])
    }
  })

  it('are kept once: what is there already is not written again, and others are not even read', async () => {
    const store = memoryStore()
    const files = [{ name: 'site.xml', text: program('site') }]
    const kept = readProgram(files)
    const open = (now: number) => openPrograms({ store, now: () => now, unreadable: what => assert.fail(what) })
    await open(1).keep(kept)
    await store.batch([{ type: 'put', key: 'p!00', value: { name: 'old', files: [{ name: 'old.xml', text: '<' }], loadedAt: 1 } }], {
      sync: true
    })
    const again = open(2)
    await again.keep(kept)
    assert.equal(await again.find(kept.hash), kept)
    assert.equal(await again.withHash(kept.hash), kept)
    assert.equal((await again.load(files)).loadedAt, 2)
    assert.equal((await open(3).withHash(kept.hash))?.name, 'site')
  })
})
