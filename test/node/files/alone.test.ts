import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alone } from '../../../src/node/files/alone.ts'

const TIMES = 200
const source = fileURLToPath(new URL('../../../src/node/files/alone.ts', import.meta.url))

describe('changing a file alone', () => {
  let directory: string
  let file: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-alone-'))
    file = join(directory, 'count')
    writeFileSync(file, '0')
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('loses nothing that another process writes', async () => {
    const program = `import { alone } from '${source}'; import { readFileSync, writeFileSync } from 'node:fs'
      const file = process.argv[1]
      for (let time = 0; time < ${TIMES}; time++) alone(file, () => writeFileSync(file, String(Number(readFileSync(file, 'utf8')) + 1)))`
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program, file], { stdio: 'inherit' })
    )
    const codes = await Promise.all(children.map(async child => (await once(child, 'exit'))[0] as number))
    assert.deepEqual(codes, [0, 0, 0])
    assert.equal(readFileSync(file, 'utf8'), String(3 * TIMES))
    assert.ok(!existsSync(`${file}.lock`))
  }).timeout(60_000)

  it('goes on when whoever had it has died', () => {
    const long = new Date(Date.now() - 60_000)
    writeFileSync(`${file}.lock`, '')
    utimesSync(`${file}.lock`, long, long)
    assert.equal(
      alone(file, () => 'changed'),
      'changed'
    )
  })

  it('lets others change it after a change that failed', () => {
    assert.throws(() => alone(file, () => assert.fail('no')))
    assert.ok(!existsSync(`${file}.lock`))
  })
})
