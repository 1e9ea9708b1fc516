import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import fc from 'fast-check'
import { dropPrivateFiles, readPrivateFile, writePrivateFile } from '../../../src/node/drivers/private-files.ts'
import { goalDirectory, stepDirectory, stepsDirectory } from '../../../src/node/runner/step-directory.ts'

const seed = Number(process.env['CLOUDBURST_FUZZ_SEED'] ?? 7)

/** Names as an attacker would write them, and any others. */
const name = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '..',
    '.',
    '../x',
    '../../etc/cron.d/x',
    '/etc/passwd',
    'a/b',
    'a\0b',
    '',
    '~',
    '-rf',
    'x'.repeat(500),
    '..\\x',
    '%2e%2e/'
  ),
  fc.stringMatching(/^[./\\a]{1,12}$/)
)

describe(`names of goals, steps and files, seed ${seed},`, () => {
  it('stand for one entry below the state directory, or for none', () => {
    const state = '/home/node/state'
    const check = (goalId: string, step: string): void => {
      for (const path of [() => goalDirectory(state, goalId), () => stepDirectory(state, { goalId, step, attempt: 1 })]) {
        let found: string
        try {
          found = path()
        } catch {
          continue
        }
        assert.equal(resolve(found), found)
        const depth = found === goalDirectory(state, goalId) ? dirname(found) : dirname(dirname(found))
        assert.equal(depth, stepsDirectory(state))
      }
    }
    fc.assert(fc.property(name, name, check), { seed, numRuns: 2_000 })
    assert.notEqual(
      stepDirectory(state, { goalId: 'g', step: '../x', attempt: 1 }),
      stepDirectory(state, { goalId: 'g', step: '../y', attempt: 1 })
    )
  })

  it('touch nothing outside of it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'names-'))
    const state = join(directory, 'state')
    const check = async (goalId: string, file: string): Promise<void> => {
      const path = await writePrivateFile(state, goalId, file, 'text').catch(() => undefined)
      if (path !== undefined) assert.ok(path.startsWith(`${state}/files/`))
      await readPrivateFile(state, goalId, file).catch(() => undefined)
      await dropPrivateFiles(state, goalId).catch(() => undefined)
      assert.deepEqual(
        readdirSync(directory).filter(each => each !== 'state'),
        []
      )
    }
    try {
      await fc.assert(fc.asyncProperty(name, name, check), { seed, numRuns: 200 })
      await writePrivateFile(state, 'goal', 'file', 'text')
      assert.deepEqual(readdirSync(join(state, 'files', 'goal')), ['file'])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
