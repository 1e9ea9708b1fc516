import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cli } from '../../../src/cli/cli.ts'
import { commands } from '../../../src/cli/commands.ts'
import { fakeIo } from '../../fakes/io.ts'

describe('completion', () => {
  it('offers commands, options and what the daemon knows, in bash', async () => {
    const script = await scriptFor('bash')
    assert.deepEqual(complete(script, 'cloudburst re'), ['resume', 'repair'])
    assert.deepEqual(complete(script, 'cloudburst dispatch --de'), ['--detach'])
    assert.deepEqual(complete(script, 'cloudburst hello --peer '), ['node1', 'node2'])
    assert.deepEqual(complete(script, 'cloudburst help ver'), ['version'])
  })

  it('names every command in zsh and fish', async () => {
    for (const shell of ['zsh', 'fish']) {
      const script = await scriptFor(shell)
      assert.deepEqual(
        Object.keys(commands).filter(name => !script.includes(name)),
        []
      )
    }
  })

  it('has none for other shells', async () => {
    assert.equal(await cli(['completion', 'tcsh'], fakeIo()), 64)
  })
})

async function scriptFor(shell: string): Promise<string> {
  const io = fakeIo()
  assert.equal(await cli(['completion', shell], io), 0)
  return io.said.stdout
}

/** What bash would offer at the end of `line`; the CLI that it asks is a function that knows two peers. */
function complete(script: string, line: string): string[] {
  const words = line.split(' ')
  const test = `${script}
cloudburst() { case "$1" in peers) echo node1; echo node2;; esac; }
COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_cloudburst; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-s'], { input: test, encoding: 'utf8', cwd: '/' })
  assert.equal(stderr, '')
  return stdout.split('\n').filter(word => word !== '')
}
