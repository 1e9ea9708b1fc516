import assert from 'node:assert/strict'
import { cli } from '../../src/cli/cli.ts'
import { complain } from '../../src/cli/complaint.ts'
import { atHome, CloudburstError } from '../../src/errors.ts'
import { fakeIo } from '../fakes/io.ts'

describe('a complaint', () => {
  it('is problem details with -o json, also when that stands before the command', async () => {
    const io = fakeIo()
    assert.equal(await cli(['--home', '/nowhere', '-o', 'json', 'hello'], io), 1)
    const { code, next } = JSON.parse(io.said.stderr)
    assert.deepEqual([code, next], ['CB_NO_DAEMON', 'cloudburstd --home /nowhere'])
  })

  it('says what to type at the home that was given, not at another', () => {
    for (const words of [
      ['goal', 'X', '--home', '/a b'],
      ['goal', 'X', '--home=/a b']
    ]) {
      const io = fakeIo()
      assert.equal(complain(new CloudburstError('CB_RUN_UNKNOWN', 'there is no goal X'), words, io), 1)
      assert.equal(io.said.stderr, "error: there is no goal X\nnext: cloudburst goals --home '/a b'\n")
    }
  })

  it('says what to type at the peer that was asked', () => {
    const io = fakeIo()
    complain(new CloudburstError('CB_AGENT_UNKNOWN', 'no agent a'), ['examine', 'a', '--peer', 'node2', '--home', '/h'], io)
    complain(new CloudburstError('CB_AGENT_EXISTS', 'it is here', { agent: 'a' }), ['start', 'x', '--peer=node2'], io)
    complain(new CloudburstError('CB_GOAL_UNKNOWN', 'no goal'), ['dispatch', 'g', '--peer', 'node2'], io)
    complain(new CloudburstError('CB_PEER_UNKNOWN', 'no peer'), ['examine', 'a', '--peer', 'nobody'], io)
    assert.deepEqual(io.said.stderr.match(/(?<=^next: ).*/gm), [
      'cloudburst agents --peer node2 --home /h',
      'cloudburst examine a --peer node2',
      'cloudburst list',
      'cloudburst peers'
    ])
  })

  it('of how a command was used points at the help of that command', () => {
    const io = fakeIo()
    complain(new CloudburstError('CB_USAGE', '--timeout takes a time'), ['dispatch', 'g', '--timeout', '1x'], io)
    complain(new CloudburstError('CB_USAGE', 'no such command'), ['fly'], io)
    assert.deepEqual(io.said.stderr.match(/(?<=^next: ).*/gm), ['cloudburst help dispatch', 'cloudburst --help'])
  })

  it('names a program file where it was said to be', () => {
    const io = fakeIo()
    const details = { file: 'site.xml', line: 3, col: 1 }
    complain(new CloudburstError('CB_PROGRAM_INVALID', 'site.xml:3:1: no', details), ['load', '/srv/site.xml'], io)
    assert.equal(io.said.stderr, 'error: /srv/site.xml:3:1: no\nnext: vi +3 /srv/site.xml\n')
  })

  it('leaves words alone that are for another program', () => {
    const io = fakeIo()
    complain(new CloudburstError('CB_RUN_UNKNOWN', 'no'), ['run', '--', 'x', '--home', '/a'], io)
    assert.match(io.said.stderr, /^next: cloudburst goals$/m)
  })
})

describe('a command to type next', () => {
  const cases = [
    { it: 'names the home', next: 'cloudburst peers', home: '/h', is: 'cloudburst peers --home /h' },
    { it: 'names it once', next: 'cloudburstd --home /h', home: '/h', is: 'cloudburstd --home /h' },
    { it: 'is as it is without one', next: 'cloudburst peers', home: undefined, is: 'cloudburst peers' },
    { it: 'is as it is when it is not ours', next: 'chmod 600 /h/identity.key', home: '/h', is: 'chmod 600 /h/identity.key' }
  ]
  for (const { it: name, next, home, is } of cases) it(name, () => assert.equal(atHome(next, home), is))
})
