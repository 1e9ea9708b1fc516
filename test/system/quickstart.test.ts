import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lookAndRemove, lookInText } from './mesh/planted.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** What the README promises, in milliseconds. */
const WITHIN_MS = 60_000

describe('the quickstart', () => {
  it('shows three inventories, a failure and its repair, and leaves nothing behind', async function () {
    this.timeout(WITHIN_MS + 30_000)
    assert.ok(existsSync(join(root, 'dist/cloudburstd.js')), 'dist/ is built before the tests run')
    const scratch = mkdtempSync('/tmp/cb-')
    try {
      const began = Date.now()
      const { exit, text } = await walk(scratch)
      assert.equal(exit, 0, text)
      assert.ok(Date.now() - began < WITHIN_MS)
      lookInText('what the quickstart prints', text)
      for (const node of ['node1', 'node2', 'node3']) assert.match(text, new RegExp(`^${node} +\\S.*(Linux|macOS)`, 'm'))
      assert.match(text, /suspended: .*\n.*publish\/files\/configure/)
      assert.match(text, /try +cloudburst repair [0-9A-Z]{26} --peer node3 --set goal\.port=…/)
      assert.match(text, /cat \$DIR\/sites\/node3\/times-made\nmade\n\n/)
      assert.doesNotMatch(text, /cb1-[\w-]{20}/, 'a ticket was printed')
      assert.deepEqual(
        readdirSync(scratch).filter(name => name.startsWith('cloudburst-')),
        []
      )
    } finally {
      lookAndRemove(scratch)
    }
  })
})

async function walk(scratch: string): Promise<{ exit: number | null; text: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/quickstart.ts'], {
    cwd: root,
    env: { ...process.env, TMPDIR: scratch, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, text }
}
