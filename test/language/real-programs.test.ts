/** The programs that come with cloudburst are planned under a tracer: nothing is written. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../node/store/temporary-directory.ts'
import { skip } from '../skip.ts'
import { changesOf, trace } from './tracing.ts'

const CLI = fileURLToPath(new URL('../../dist/cloudburst.js', import.meta.url))
const programs = fileURLToPath(new URL('../../programs', import.meta.url))
/** What each is asked for. */
const asked: Readonly<Record<string, readonly string[]>> = {
  'build.xml': ['build', 'goal.source=/srv/source', 'goal.product=product', 'goal.report=/srv/report'],
  'dataflow.xml': ['total'],
  'deliver.xml': ['deliverAll', 'goal.hosts=["admin@web1"]'],
  'hello-world.xml': ['greet'],
  'install-tool.xml': ['installTool', 'goal.package=tree'],
  'inventory.xml': ['inventory'],
  'product.xml': ['product', 'goal.data=n2', 'goal.app=n3', 'goal.folder=folder'],
  'quickstart.xml': ['publish', 'goal.root=.', 'goal.port=8080'],
  'run.xml': ['run', 'goal.command=true'],
  'service.xml': ['website', 'goal.folder=folder'],
  'users-keys.xml': ['people']
}

describe('planning each program of programs/', function () {
  this.timeout(200_000)
  const directory = temporaryDirectory()
  before(function () {
    if (spawnSync('strace', ['-V']).status !== 0) skip(this, 'strace is not installed')
    if (!existsSync(CLI)) skip(this, 'there is no dist/')
  })

  it('knows all of them', () => {
    assert.deepEqual(
      readdirSync(programs).filter(name => asked[name] === undefined),
      []
    )
  })

  for (const [file, words] of Object.entries(asked))
    it(`writes nothing: ${file}`, async () => {
      const place = join(directory(), file)
      mkdirSync(place)
      const { exit, calls, said } = await trace(place, [CLI, 'plan', join(programs, file), ...words, '--home', join(place, 'home')])
      assert.equal(exit, 0, said)
      assert.ok(calls.length > 100, 'the tracer sees nothing')
      assert.deepEqual(changesOf(calls), [])
      assert.deepEqual(readdirSync(place), ['trace'])
    })
})
