import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { readyDirectories } from '../../../src/node/runner/ready-directories.ts'
import { META } from '../../../src/node/runner/step-directory.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const meta = { goalId: 'g', step: 's', attempt: 1, startedAt: 7 }

describe('directories of steps that are ready', () => {
  const steps = temporaryDirectory()
  const one = async (): Promise<ReturnType<typeof readyDirectories>> => {
    const ready = readyDirectories(steps())
    ready.prepare()
    await turn()
    return ready
  }

  it('stand in their place with all their files, for the owner alone', async () => {
    const ready = await one()
    const place = join(steps(), 'g', 'x.1')
    assert.equal(ready.place(place, meta), true)
    assert.deepEqual(readdirSync(place).sort(), ['err', 'exit', META, 'out'])
    assert.deepEqual(JSON.parse(readFileSync(join(place, META), 'utf8')), meta)
    for (const name of ['.', ...readdirSync(place)]) assert.equal(statSync(join(place, name)).mode & 0o077, 0)
  })

  it('are as many as were prepared', async () => {
    const ready = await one()
    assert.equal(ready.place(join(steps(), 'g', 'x.1'), meta), true)
    assert.equal(ready.place(join(steps(), 'g', 'x.2'), meta), false)
    assert.equal(existsSync(join(steps(), 'g', 'x.2')), false)
  })

  it('take the place of nothing', async () => {
    const ready = await one()
    const place = join(steps(), 'g', 'x.1')
    mkdirSync(place, { recursive: true })
    assert.equal(ready.place(place, meta), false)
    writeFileSync(join(place, META), 'theirs')
    assert.equal(ready.place(place, meta), false)
    assert.deepEqual(readdirSync(place), [META])
    assert.equal(readFileSync(join(place, META), 'utf8'), 'theirs')
  })

  it('are not left behind', async () => {
    await one()
    const left = readdirSync(steps())
    assert.equal(left.length, 1)
    const again = readyDirectories(steps())
    assert.deepEqual(readdirSync(steps()), [])
    assert.equal(again.place(join(steps(), 'g', 'x.1'), meta), false)
  })
})
