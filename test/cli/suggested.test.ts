import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli } from '../../src/cli/cli.ts'
import { fakeIo } from '../fakes/io.ts'

const program = (clusters: string): string => `<cloudburst name="clusters">
  <struct name="EC2ClusterConfiguration"><variable name="size" type="int"/></struct>
  ${clusters}
  <goalProto name="ProvisionEC2Cluster">
    <variable name="config" type="EC2ClusterConfiguration"/><variable name="clusterName" type="string"/>
    <variable name="pw" type="password"/><variable name="note">n</variable>
    <pre><defined><get>goal.config</get></defined><defined><get>goal.clusterName</get></defined></pre>
    <method name="m"><shell><send>true</send></shell></method>
  </goalProto>
</cloudburst>`
const cluster = (name: string, size: number): string =>
  `<struct name="${name}" type="EC2ClusterConfiguration"><variable name="size">${size}</variable></struct>`

describe('a goal that is not configured', () => {
  let home: string
  let file: string

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cb-'))
    file = join(home, 'clusters.xml')
    writeFileSync(file, program(cluster('SmallCluster', 1) + cluster('BigCluster', 9)))
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const run = async (...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> => {
    const io = fakeIo({ cwd: home })
    const exit = await cli([...words, '--home', home], io)
    return { exit, ...io.said }
  }
  const wordsOf = (stderr: string): string[] => {
    const command = stderr.trimEnd().split('\n').at(-1)!.trim()
    return execFileSync('/bin/sh', ['-c', `cloudburst() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
  }

  it('exits 5 with what to type, of plan and pursue alike', async () => {
    for (const command of ['plan', 'pursue']) {
      const { exit, stderr } = await run(command, 'clusters.xml', 'ProvisionEC2Cluster')
      assert.equal(exit, 5)
      assert.deepEqual(stderr.split('\n').slice(1), [
        '? goal.config        choose    EC2ClusterConfiguration',
        '      goal.config=SmallCluster   # state, clusters.xml:3',
        '      goal.config=BigCluster     # state, clusters.xml:3',
        '! goal.clusterName   missing   string',
        'Suggested:',
        `  cloudburst ${command} clusters.xml ProvisionEC2Cluster --home ${home} goal.config=SmallCluster goal.clusterName=`,
        ''
      ])
    }
  })

  it('plans when the suggestion is pasted and filled in', async () => {
    const { stderr } = await run('plan', 'clusters.xml', 'ProvisionEC2Cluster', 'goal.note=it is $(here)', '--set', 'goal.clusterName=')
    const words = wordsOf(stderr)
    assert.ok(words.includes('goal.note=it is $(here)'))
    const io = fakeIo({ cwd: home })
    assert.equal(await cli([...words.slice(0, -1), `${words.at(-1)}east`], io), 0, io.said.stderr)
  })

  it('is not configured by a suggestion that was pasted without filling it in', async () => {
    const { stderr } = await run('plan', 'clusters.xml', 'ProvisionEC2Cluster')
    const io = fakeIo({ cwd: home })
    assert.equal(await cli(wordsOf(stderr), io), 5)
    assert.match(io.said.stderr, /needs goal\.clusterName\n/)
  })

  it('does not repeat a secret that was typed', async () => {
    const { stderr } = await run('plan', 'clusters.xml', 'ProvisionEC2Cluster', 'goal.pw=hush hush')
    assert.ok(!stderr.includes('hush'), stderr)
    assert.ok(wordsOf(stderr).includes('goal.pw='))
  })

  it('takes the only suggestion of each with --accept-suggestions, and asks where there are two', async () => {
    const named = ['ProvisionEC2Cluster', 'goal.clusterName=east', '--accept-suggestions']
    assert.equal((await run('plan', 'clusters.xml', ...named)).exit, 5)
    writeFileSync(file, program(cluster('OnlyCluster', 1)))
    assert.equal((await run('plan', 'clusters.xml', ...named)).exit, 0)
    const { exit, stdout } = await run('pursue', 'clusters.xml', ...named, '-o', 'json')
    assert.equal(exit, 0)
    const info = JSON.parse(stdout)
    const config = info.config.find((each: { path: string }) => each.path === 'goal.config')
    assert.deepEqual([config.value.ref, config.source], ['OnlyCluster', 'state, clusters.xml:3'])
    assert.deepEqual(
      config.history.map((each: { state: string }) => each.state),
      ['proposed', 'validated', 'completed']
    )
  })

  it('is offered what its last completed run had', async () => {
    await run('pursue', 'clusters.xml', 'ProvisionEC2Cluster', 'goal.config=BigCluster', 'goal.clusterName=west')
    const { stderr } = await run('pursue', 'clusters.xml', 'ProvisionEC2Cluster', 'goal.config=BigCluster')
    assert.match(stderr, /\? goal\.clusterName {3}choose {4}string\n {6}goal\.clusterName=west {3}# goal [0-9A-Z]{26}, \d{4}-\d\d-\d\d\n/)
  })

  it('shows each variable with its state, who, when and why', async () => {
    const { stdout } = await run(
      'pursue',
      'clusters.xml',
      'ProvisionEC2Cluster',
      'goal.config=BigCluster',
      'goal.clusterName=w',
      '-o',
      'name'
    )
    const { stdout: wide } = await run('goal', stdout.trim(), 'clusters.xml', '-o', 'wide')
    assert.match(wide, /^VARIABLE +TYPE +VALUE +STATE +SOURCE +BY +AT +WHY$/m)
    assert.match(wide, /^goal\.clusterName +string +w +completed +command line/m)
    assert.match(wide, /^GOAL +METHOD +VERDICT +REASON\nProvisionEC2Cluster +m +selected/m)
  })
})
