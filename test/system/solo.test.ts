import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lookAndRemove } from './mesh/planted.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('a program without a daemon', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-'))
  })

  afterEach(() => lookAndRemove(directory))

  const type = async (...words: string[]): Promise<{ exit: number | null; stdout: string; stderr: string }> => {
    const env = { ...process.env, CLOUDBURST_HOME: join(directory, 'home'), NO_COLOR: '1' }
    const child = spawn(process.execPath, [join(root, 'dist/cloudburst.js'), ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    const [exit] = (await once(child, 'close')) as [number | null]
    return { exit, ...said }
  }
  const publish = (verb: string, ...words: string[]) => type(verb, 'quickstart.xml', 'publish', `goal.root=${directory}`, ...words)

  it('is listed and planned without any effect', async () => {
    assert.match((await type('list', 'quickstart.xml')).stdout, /^publish .*root:string\* port:int\*/m)
    const plan = await publish('plan', 'goal.port=8080', '--detailed-exitcode')
    assert.equal(plan.exit, 2)
    assert.match(plan.stdout, /plan: 3 to do/)
    assert.deepEqual(readdirSync(directory), [])
  })

  it('exits 5 when the configuration is incomplete', async () => {
    for (const verb of ['plan', 'pursue']) {
      const { exit, stdout, stderr } = await publish(verb)
      assert.equal(exit, 5)
      assert.match(stdout + stderr, /goal\.port/)
    }
  })

  it('is pursued, suspends, and is repaired by the next command', async function () {
    this.timeout(10_000)
    assert.equal((await publish('pursue', 'goal.port=8080')).exit, 0)
    const [site] = readdirSync(directory).filter(name => name !== 'home')
    writeFileSync(join(directory, site!, 'ports-in-use'), '8080\n')
    const failed = await publish('pursue', 'goal.port=8080')
    assert.equal(failed.exit, 3)
    const [line] = /cloudburst repair .* --set goal\.port=/.exec(failed.stdout) ?? []
    assert.ok(line !== undefined, failed.stdout)
    const repaired = await type(...`${line}8081`.split(' ').slice(1))
    assert.equal(repaired.exit, 0, repaired.stderr)
    assert.equal(readFileSync(join(directory, site!, 'times-made'), 'utf8'), 'made\nmade\n')
    assert.equal(readFileSync(join(directory, site!, 'site.conf'), 'utf8'), 'listen 8081\n')
  })

  it('may be any that ships', async function () {
    this.timeout(10_000)
    assert.match((await type('pursue', 'inventory.xml', 'inventory', 'goal.folders=/etc /nowhere')).stdout, /completed: 17 done, 0 failed/)
    assert.match(
      (await type('pursue', 'run.xml', 'run', 'goal.command=echo $((6*7)); exit 3', '-e')).stdout,
      /\| 42\n {2}ignore .*exit 3\ncompleted/
    )
  })

  it('is refused whole when anything in it is wrong, at its place', async () => {
    const file = join(directory, 'bad.xml')
    writeFileSync(file, '<cloudburst>\n  <goalProto nme="x"/>\n</cloudburst>')
    const { exit, stderr } = await type('list', file)
    assert.equal(exit, 1)
    assert.match(stderr, /bad\.xml:2:3: /)
  })

  it('says so when the file is nowhere', async () => {
    const { exit, stderr } = await type('list', 'nowhere.xml')
    assert.equal(exit, 1)
    assert.match(stderr, /^error: there is no file nowhere\.xml here, in \$CBPATH or among the shipped programs\nnext: /)
  })
})
