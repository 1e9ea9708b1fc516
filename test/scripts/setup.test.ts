import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Stands in for npm, which would need the network: notes that it was called, and leaves what `npm ci` leaves. */
const npm = `#!/bin/sh
echo "$@" >> npm-calls
rm -rf node_modules
mkdir node_modules
ln -s '${repository}/node_modules/esbuild' node_modules/esbuild
cp package-lock.json node_modules/.package-lock.json
`

describe('set-up', function () {
  this.timeout(30_000)
  let clone: string

  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'cloudburst-setup-'))
    cpSync(join(repository, 'scripts'), join(clone, 'scripts'), { recursive: true })
    write('package.json', '{"type":"module"}')
    lockWith('1.0.0')
    write('src/cli/main.ts', "console.log('hello')\n")
    write('bin/npm', npm)
    chmodSync(join(clone, 'bin/npm'), 0o755)
  })
  afterEach(() => rmSync(clone, { recursive: true, force: true }))

  it('installs and builds in a fresh clone', async () => {
    const { status, said } = await setUp()
    assert.equal(status, 0, said)
    assert.deepEqual(npmCalls(), ['ci --no-audit --no-fund --loglevel=error'])
    const bin = readFileSync(join(clone, 'dist/cloudburst.js'), 'utf8')
    assert.match(bin, /^#!\/usr\/bin\/env node\n.*hello/)
    assert.equal(statSync(join(clone, 'dist/cloudburst.js')).mode & 0o111, 0o111)
  })

  it('does nothing, and says nothing, the second time', async () => {
    await setUp()
    assert.deepEqual(await setUp(), { status: 0, said: '' })
    assert.equal(npmCalls().length, 1)
  })

  it('installs again when the lock has changed', async () => {
    await setUp()
    lockWith('1.0.1')
    await setUp()
    assert.equal(npmCalls().length, 2)
  })

  it('builds again when a source has changed', async () => {
    await setUp()
    write('src/cli/main.ts', "console.log('good day')\n")
    await setUp()
    assert.match(readFileSync(join(clone, 'dist/cloudburst.js'), 'utf8'), /good day/)
    assert.equal(npmCalls().length, 1)
  })

  it('runs twice at once, and works once', async () => {
    const both = await Promise.all([setUp(), setUp(), setUp()])
    assert.deepEqual(
      both.map(({ status }) => status),
      [0, 0, 0]
    )
    assert.equal(npmCalls().length, 1)
    assert.equal(existsSync(join(clone, '.setup-lock')), false)
  })

  it('takes over from a set-up that was killed', async () => {
    const gone = spawn('true')
    await new Promise(resolve => gone.once('exit', resolve))
    write('.setup-lock/pid', String(gone.pid))
    const { status } = await setUp()
    assert.equal(status, 0)
  })

  it('says what npm said when npm fails', async () => {
    write('bin/npm', '#!/bin/sh\necho no route to anywhere >&2\nexit 1\n')
    const { status, said } = await setUp()
    assert.equal(status, 1)
    assert.match(said, /error: npm ci failed\nno route to anywhere/)
  })

  function write(path: string, text: string): void {
    mkdirSync(join(clone, path, '..'), { recursive: true })
    writeFileSync(join(clone, path), text)
  }

  function lockWith(version: string): void {
    write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/a': { version, integrity: version } } }))
  }

  function npmCalls(): string[] {
    return readFileSync(join(clone, 'npm-calls'), 'utf8').trimEnd().split('\n')
  }

  function setUp(): Promise<{ status: number | null; said: string }> {
    const env = { ...process.env, PATH: `${join(clone, 'bin')}${delimiter}${process.env['PATH']}` }
    const child = spawn(process.execPath, [join(clone, 'scripts/setup.mjs')], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk))
    return new Promise(resolve => child.once('close', status => resolve({ status, said })))
  }
})
