import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Most that the artefact may weigh, in bytes. */
const ARTEFACT_BYTES_MAX = 60_000_000

describe('the artefact', function () {
  this.timeout(180_000)
  let directory: string
  let tree: string
  let hash: string

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cb-package-'))
    hash = packageInto('first')
    run('tar', ['xzf', artefact('first'), '-C', directory])
    tree = join(directory, readdirSync(directory).find(name => /^\d+\.\d+\.\d+-[0-9a-f]{12}$/.test(name)) ?? 'none')
  })

  after(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  it('is the same bytes when it is made again', () => {
    assert.equal(packageInto('second'), hash)
    assert.ok(readFileSync(artefact('first')).equals(readFileSync(artefact('second'))))
  })

  it(`weighs at most ${ARTEFACT_BYTES_MAX / 1e6} MB`, () => {
    assert.ok(statSync(artefact('first')).size <= ARTEFACT_BYTES_MAX, `${statSync(artefact('first')).size} bytes`)
  })

  it('names the hash of every file in it', () => {
    run('sha256sum', ['-c', '--quiet', 'MANIFEST'], { cwd: tree })
    const listed = readFileSync(join(tree, 'MANIFEST'), 'utf8').trimEnd().split('\n')
    const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    assert.equal(listed.length, files.length - 1)
  })

  it('runs without any other Node, without a word on standard error', () => {
    const env = { PATH: '/usr/bin:/bin', HOME: directory }
    const said = spawnSync('env', ['-i', `PATH=${env.PATH}`, `HOME=${directory}`, join(tree, 'bin/cloudburst'), 'version'], {
      encoding: 'utf8'
    })
    assert.match(said.stdout, /^cloudburst \d/)
    assert.equal(said.stderr, '')
    for (const program of ['cloudburst', 'cloudburstd']) run(join(tree, 'bin', program), ['--version'], { env })
  })

  it('loads its native parts and makes a home', () => {
    const home = join(directory, 'home')
    run(join(tree, 'bin/cloudburst'), ['init', '--home', home, '--name', 'packaged'])
    assert.ok(existsSync(join(home, 'neighborhood.xml')))
    const load = `await import('${join(tree, 'lib/node_modules')}/level/index.js'); await import('${join(tree, 'lib/node_modules')}/ssh2/lib/index.js')`
    run(join(tree, 'runtime/node'), ['--input-type=module', '-e', load])
  })

  it('has the licences of all that is in it', () => {
    const texts = readFileSync(join(tree, 'THIRD-PARTY.txt'), 'utf8')
    for (const name of ['libp2p', 'classic-level', 'ssh2', 'tar-stream']) assert.match(texts, new RegExp(`^${name} \\d`, 'm'))
    assert.match(readFileSync(join(tree, 'runtime/LICENSE'), 'utf8'), /Node\.js/)
  })

  function packageInto(name: string): string {
    run(process.execPath, ['scripts/package.mjs', '--no-build', '--out', join(directory, name)])
    const [sum = ''] = readFileSync(`${artefact(name)}.sha256`, 'utf8').split(' ')
    return sum
  }

  function artefact(name: string): string {
    const folder = join(directory, name)
    return join(folder, readdirSync(folder).find(file => file.endsWith('.tar.gz')) ?? 'none')
  }
})

describe('the npm package', function () {
  this.timeout(120_000)

  it('gives both programs once it is installed from its file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cb-npm-'))
    try {
      run(process.execPath, ['scripts/package.mjs', '--no-build', '--npm', '--out', directory])
      const [packed = 'none'] = readdirSync(directory)
      run('npm', ['install', '--silent', '--prefix', directory, '--prefer-offline', '--omit=dev', join(directory, packed)])
      for (const program of ['cloudburst', 'cloudburstd'])
        assert.match(run(join(directory, 'node_modules/.bin', program), ['--version']), /\d+\.\d+\.\d+/)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

function run(program: string, words: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', ...options })
  assert.equal(status, 0, `${program} ${words.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
