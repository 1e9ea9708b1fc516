/** Programs of the earlier spelling: what of it must load, and what it must mean. Source: docs/language.md */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readProgram } from '../../src/goals/program/read.ts'
import { skip } from '../skip.ts'
import { type Place, place, root } from './cli.ts'

const folder = join(root, 'test/fixtures/older')
const file = join(folder, 'cassandra.xml')
const source = (name: string) => ({ name, text: readFileSync(join(folder, name), 'utf8') })

describe('a program of the earlier spelling', function () {
  this.timeout(20_000)
  let here: Place
  beforeEach(() => {
    here = place()
  })
  afterEach(() => here.remove())

  it('loads with nothing but a warning for words that stand between elements', () => {
    const program = readProgram([source('cassandra.xml')], { include: source })
    assert.deepEqual(
      program.warnings.map(({ place: { file: name, line }, message }) => `${name}:${line}: ${message}`),
      ['cassandra.xml:14: text in <goalProto> is ignored']
    )
    assert.deepEqual([...program.types.keys()].sort(), [
      'EC2Cluster',
      'EC2ClusterConfiguration',
      'EC2Credentials',
      'EC2GroupConfiguration',
      'EC2Node',
      'NumericVersion3',
      'SSHCredentials',
      'SSHKeypair'
    ])
    assert.deepEqual(program.files.map(({ name }) => name).sort(), ['cassandra.xml', 'clusters.xml', 'types.xml'])
  })

  it('takes the later of two agents of one name, and tells so', () => {
    const { agents, notes = [] } = readProgram([source('cassandra.xml')], { include: source })
    assert.deepEqual(
      agents.get('cassandra')?.variables.map(({ name }) => name),
      ['key', 'user', 'programName', 'seeds', 'token']
    )
    assert.ok(
      notes.some(({ message }) => message === '<agent name="cassandra"> replaces that of clusters.xml:20'),
      JSON.stringify(notes)
    )
  })

  it('is listed', async () => {
    const { exit, stdout, stderr } = await here.cli('list', file)
    assert.equal(exit, 0, stderr)
    assert.match(stdout, /^ProvisionEC2Cluster +cassandra +cassandra +clusterName:string\* config:EC2ClusterConfiguration\*/m)
    assert.match(stdout, /^SeedsKnown /m)
  })

  it('tells what it needs with all candidates of the type, in a command that plans once it is filled in', async () => {
    const asked = await here.cli('plan', file, 'ProvisionEC2Cluster')
    assert.equal(asked.exit, 5)
    const said = asked.stdout + asked.stderr
    assert.match(said, /goal\.config=SmallCluster +# state, clusters\.xml:8\n +goal\.config=BigCluster +# state, clusters\.xml:12/)
    const [, line] = /Suggested:\n +cloudburst (.*)/.exec(said) ?? []
    assert.ok(line !== undefined, said)
    const words = line.replace('goal.clusterName=', 'goal.clusterName=ring').split(' ')
    const planned = await here.cli(...words)
    assert.equal(planned.exit, 0, planned.stdout + planned.stderr)
    assert.match(planned.stdout, /Provision ring with 2 nodes/)
  })

  it('is pursued: python with pasted values, prefixed sends as they are, disabled parts left out', async function () {
    if (spawnSync('python3', ['--version']).status !== 0) skip(this, 'no python3 for its code blocks')
    const { exit, stdout, stderr } = await here.cli(
      'pursue',
      file,
      'ProvisionEC2Cluster',
      'goal.config=BigCluster',
      'goal.clusterName=ring',
      '-e'
    )
    assert.equal(exit, 0, stdout + stderr)
    const printed = stdout.split('\n').filter(line => line.startsWith('  | '))
    assert.deepEqual(printed, [
      '  | -i /etc/ssl/office.pem ubuntu@192.0.2.11 sudo mkdir -p /etc/cassandra ; sudo chown ubuntu /etc/cassandra',
      "  | -i /etc/ssl/office.pem ubuntu@192.0.2.11 find /etc/cassandra -name cassandra.yaml -exec cat {} ';'",
      "  | -i /etc/ssl/office.pem ubuntu@192.0.2.11 echo a%20%26%20b ; nodetool status | grep -c '^UN' ; true",
      '  | 1'
    ])
  })
})
