import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = 'test/scripts/fixtures'

describe('the test command', function () {
  this.timeout(30_000)

  it('ends with the counts, and fails when a test fails', () => {
    const { status, lines } = test(`${fixtures}/mixed.ts`)
    assert.equal(lines.at(-1), '1 passed, 1 failed, 2 skipped')
    assert.equal(status, 1)
  })

  it('tells the reason of each skip, and how to repeat a failure', () => {
    const { lines } = test(`${fixtures}/mixed.ts`)
    const from = lines.indexOf('Skipped')
    assert.deepEqual(lines.slice(from, from + 5), [
      'Skipped',
      '  it is a fixture:',
      '    a fixture skips',
      '  the whole suite:',
      '    a fixture of which all skip skips too'
    ])
    assert.ok(lines.includes(`  npm test -- ${fixtures}/mixed.ts`))
  })

  it('passes flags on', () => {
    const { status, lines } = test(`${fixtures}/mixed.ts`, '--grep', 'passes')
    assert.equal(lines.at(-1), '1 passed, 0 failed, 0 skipped')
    assert.equal(status, 0)
    assert.doesNotMatch(
      test(`${fixtures}/mixed.ts`, '--grep', 'docs/').lines.join('\n'),
      /Invalid regular expression/,
      'a text, not a folder'
    )
  })

  it('counts a file that cannot be loaded as failed', () => {
    const { status, lines } = test(`${fixtures}/broken.mjs`)
    assert.equal(lines.at(-1), '0 passed, 1 failed, 0 skipped')
    assert.notEqual(status, 0)
  })

  it('ends a run that stays after its last test, and fails it', () => {
    const { status, lines } = test(`${fixtures}/lingering.ts`)
    assert.ok(lines.some(line => /this is still open: .*Timeout/.test(line)))
    assert.equal(lines.at(-1), '1 passed, 1 failed, 0 skipped')
    assert.notEqual(status, 0)
  })
})

function test(...args: string[]): { status: number | null; lines: string[] } {
  const env = { ...process.env, CLOUDBURST_TEST_LINGER_MS: '500' }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', '--no-setup', ...args], {
    cwd: root,
    env,
    encoding: 'utf8'
  })
  return { status, lines: `${stderr}${stdout}`.trimEnd().split('\n') }
}
