import assert from 'node:assert/strict'
import { milliseconds, parseInvocation, peersOf } from '../../src/cli/arguments.ts'
import { commands } from '../../src/cli/commands.ts'
import { fakeIo } from '../fakes/io.ts'

describe('words of the command line', () => {
  it('are sorted into files, assignments and the rest', () => {
    const { files, words, assignments } = parse('pursue', [
      'site.xml',
      'publish',
      'goal.port=8080',
      '--set',
      'goal.title=a=b c',
      'goal.seeds[0].ip=10.0.0.1'
    ])
    assert.deepEqual([files, words], [['site.xml'], ['publish']])
    assert.deepEqual(assignments, [
      { path: 'goal.title', value: 'a=b c' },
      { path: 'goal.port', value: '8080' },
      { path: 'goal.seeds[0].ip', value: '10.0.0.1' }
    ])
  })

  it('may assign nothing, and what looks like a file', () => {
    assert.deepEqual(parse('pursue', ['publish', 'goal.a=', 'goal.b=x.xml']).assignments, [
      { path: 'goal.a', value: '' },
      { path: 'goal.b', value: 'x.xml' }
    ])
  })

  const peers: ReadonlyArray<{ it: string; words: readonly string[]; peers: readonly string[] }> = [
    { it: 'repeated', words: ['-p', 'node2', '--peer', 'node3'], peers: ['node2', 'node3'] },
    { it: 'separated by commas', words: ['--peer', 'node2,node3'], peers: ['node2', 'node3'] },
    { it: 'a label selector of two labels', words: ['--peer', 'os=linux,role=web'], peers: ['os=linux,role=web'] },
    { it: 'mixed', words: ['--peer=node1,os=linux,role=web,node3'], peers: ['node1', 'os=linux,role=web', 'node3'] }
  ]
  for (const { it: name, words, peers: expected } of peers) {
    it(`name peers: ${name}`, () => assert.deepEqual(peersOf(parse('dispatch', ['x', ...words]).options), expected))
  }

  it('leave what follows -- alone', () => {
    assert.deepEqual(parse('run', ['--peer', 'node2', '--', 'ls', '-l', '--help']).rest, ['ls', '-l', '--help'])
  })

  it('leave a raw command alone without --, too', () => {
    const { rest, options } = parse('run', ['--peer', 'node2', 'ls', '-l', '--help'])
    assert.deepEqual([rest, options.peer], [['ls', '-l', '--help'], ['node2']])
  })

  const wrong: ReadonlyArray<{ it: string; words: readonly string[]; message: RegExp }> = [
    { it: 'an unknown option, with what was meant', words: ['--detch'], message: /pursue has no option --detch; did you mean --detach\?/ },
    { it: 'an option of another command', words: ['--follow'], message: /pursue has no option --follow/ },
    { it: 'a missing value', words: ['--agent'], message: /pursue: option '--agent/ },
    { it: '--set without =', words: ['--set', 'goal.port'], message: /--set goal.port is not PATH=VALUE/ }
  ]
  for (const { it: name, words, message } of wrong) {
    it(`are refused for ${name}`, () => assert.throws(() => parse('pursue', words), { code: 'CB_USAGE', message }))
  }

  it('give times with units', () => {
    assert.deepEqual(
      ['250', '30s', '2h', '1d'].map(text => milliseconds(text, 'lifetime')),
      [250, 30_000, 7_200_000, 86_400_000]
    )
    assert.throws(() => milliseconds('soon', 'lifetime'), { code: 'CB_USAGE' })
  })
})

function parse(command: string, words: readonly string[]) {
  return parseInvocation(command, commands[command]!, words, fakeIo())
}
