import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readProgram } from '../../../src/goals/program/read.ts'
import { shippedDirectory } from '../../../src/node/programs/program-files.ts'
import { asRemembered } from '../../../src/node/programs/read-remembered.ts'
import { shippedIn } from '../../../src/node/programs/shipped.ts'
import { skip } from '../../skip.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

const cloudburst = fileURLToPath(new URL('../../../dist/cloudburst.js', import.meta.url))

describe('a program that is remembered', () => {
  const temporary = temporaryDirectory()

  it('is what was read, also of an agent with goals', async () => {
    const agent = `<cloudburst name="a"><agent name="keeper"><variable name="n" type="int">1</variable>
      <goalProto name="g"><variable name="p"/><pre><defined><get>goal.p</get></defined></pre><method name="m"><update><set>agent.n</set>2</update></method></goalProto>
      </agent></cloudburst>`
    const programs = [readProgram([{ name: 'a.xml', text: agent }]), ...(await shippedIn(shippedDirectory(), [])).map(({ read }) => read())]
    for (const program of programs) assert.deepEqual(asRemembered(program), program)
  })

  it('is a long one, and not one that was read with credentials', async function () {
    if (!existsSync(cloudburst)) skip(this, 'needs dist/ (npm run build)')
    this.timeout(20_000)
    const directory = temporary()
    const cache = join(directory, 'cache/cloudburst/programs')
    const file = join(directory, 'long.xml')
    const long = (said: string): string =>
      `<cloudburst name="long"><!-- ${'long '.repeat(20_000)} --><goalProto name="g"><method><shell><send>echo ${said}</send></shell></method></goalProto></cloudburst>`
    const env = { PATH: process.env['PATH'], HOME: directory, XDG_CACHE_HOME: join(directory, 'cache') }
    const plan = async (): Promise<string> =>
      (await promisify(execFile)(process.execPath, [cloudburst, 'plan', file, 'g', '-o', 'plain', '--home', directory], { env })).stdout
    writeFileSync(file, long('one'))
    for (const _ of ['read', 'remembered']) assert.equal(await plan(), 'PLAN  echo one\n')
    const [name = ''] = readdirSync(cache)
    const kept = readFileSync(join(cache, name), 'utf8')
    writeFileSync(join(cache, name), kept.replace('echo one', 'echo two'))
    assert.equal(await plan(), 'PLAN  echo two\n', 'it is not read again')
    writeFileSync(file, long('three'))
    assert.equal(await plan(), 'PLAN  echo three\n')
    assert.equal(readdirSync(cache).length, 2)
    // A file of another program under its name is none.
    const [other = ''] = readdirSync(cache).filter(each => each !== name)
    writeFileSync(join(cache, other), kept)
    assert.equal(await plan(), 'PLAN  echo three\n')
    mkdirSync(join(directory, '.cloudburst'))
    writeFileSync(join(directory, '.cloudburst/private.xml'), '<cloudburst><variable name="password">hunter2</variable></cloudburst>', {
      mode: 0o600
    })
    writeFileSync(file, long('four'))
    assert.equal(await plan(), 'PLAN  echo four\n')
    assert.equal(readdirSync(cache).length, 2)
  })
})
