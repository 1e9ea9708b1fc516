import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Expression } from '../../src/goals/program/model.ts'
import { readProgram } from '../../src/goals/program/read.ts'
import { start } from '../system/mesh/process.ts'
import { entry, type Place, place, root } from './cli.ts'
import { needStrace } from './traced-steps.ts'
import { type Effect, effectsOf } from './tracing.ts'

/** A goal of each program that ships, with what it needs to be planned; $ is a directory that does not exist. */
const plans: readonly (readonly [program: string, goal: string, ...words: readonly string[]])[] = [
  ['build.xml', 'buildHere', 'goal.source=$/source', 'goal.product=greet'],
  ['build.xml', 'build', 'goal.source=$/source', 'goal.product=greet', 'goal.report=$/report', 'goal.nodes=["n2","n3"]'],
  ['dataflow.xml', 'measure', 'goal.folder=$/data'],
  ['deliver.xml', 'deliverAll', 'goal.hosts=["user@host-of-nobody"]'],
  ['hello-world.xml', 'greet'],
  ['install-tool.xml', 'installTool', 'goal.package=no-such-tool-anywhere'],
  ['inventory.xml', 'inventory'],
  ['product.xml', 'product', 'goal.data=n2', 'goal.app=n3', 'goal.folder=$/shop'],
  ['quickstart.xml', 'publish', 'goal.root=$/site', 'goal.port=8080'],
  ['run.xml', 'run', 'goal.command=touch $/made'],
  ['service.xml', 'website', 'goal.folder=$/site', 'goal.port=1'],
  ['service.xml', 'stopWebsite', 'goal.folder=$/site'],
  ['users-keys.xml', 'person', 'goal.name=nobody-of-this-name', 'goal.key=ssh-ed25519 AAAA x']
]

describe('planning a program that ships', function () {
  this.timeout(60_000)
  let here: Place
  before(function () {
    needStrace(this)
  })
  beforeEach(() => {
    here = place()
  })
  afterEach(() => here.remove())

  /** Exit and output of a command, and what it and all its children did to the machine. */
  const traced = async (...words: readonly string[]): Promise<{ exit: number; said: string; effects: readonly Effect[] }> => {
    const log = join(here.directory, 'trace')
    const strace = ['-f', '-qq', '-s', '4096', '-e', 'trace=%file,%process', '-o', log]
    const { exit, stdout, stderr } = await start('strace', [...strace, process.execPath, entry, ...words], here.env).ended
    return { exit, said: stdout + stderr, effects: effectsOf(readFileSync(log, 'utf8'), [here.home, '/dev/', '/proc/']) }
  }

  it('is tried for every one', () => {
    const shipped = readdirSync(join(root, 'programs')).filter(name => name.endsWith('.xml'))
    assert.deepEqual([...new Set(plans.map(([name]) => name))].sort(), shipped.sort())
  })

  for (const [program, goal, ...words] of plans) {
    it(`changes nothing: ${goal} of ${program}`, async () => {
      const filled = words.map(word => word.replaceAll('$', `${here.directory}/nothing`))
      const { exit, said, effects } = await traced('plan', program, goal, ...filled)
      assert.equal(exit, 0, said)
      assert.match(said, /^plan: /m)
      assert.deepEqual(
        effects.filter(({ kind }) => kind === 'file'),
        []
      )
      const shells = effects.flatMap(({ kind, text }) => (kind === 'shell' ? [text] : []))
      const pure = pureTextsOf(program)
      assert.deepEqual(
        shells.filter(text => !pure.some(pattern => pattern.test(text))),
        [],
        'only pure shells run'
      )
    })
  }

  it('would be seen if it changed something', async () => {
    const { exit, said, effects } = await traced('pursue', 'run.xml', 'run', `goal.command=touch ${here.directory}/made`)
    assert.equal(exit, 0, said)
    assert.ok(
      effects.some(({ kind, text }) => kind === 'file' && text.includes('/made')),
      'the file'
    )
    assert.ok(
      effects.some(({ kind, text }) => kind === 'shell' && text.includes('eval')),
      'the shell'
    )
  })
})

/** What each pure shell of a program, and of what it includes, may be given: its text, with anything where values of goals go. */
function pureTextsOf(file: string): readonly RegExp[] {
  const read = (name: string) => ({ name, text: readFileSync(join(root, 'programs', name), 'utf8') })
  const program = readProgram([read(file)], { include: read })
  const found: RegExp[] = []
  const pattern = (part: Expression): string => {
    if (part.kind === 'text') return part.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const own = part.kind === 'get' ? program.instances.get(String(part.path[0])) : undefined
    return own === undefined ? '[^]*' : own.value.map(pattern).join('')
  }
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const expression = value as Expression
    if (expression.kind === 'shell' && 'pure' in expression && expression.pure)
      for (const { text } of expression.shell.sends) found.push(new RegExp(`^${text.map(pattern).join('')}$`))
    for (const inner of value instanceof Map ? value.values() : Object.values(value)) visit(inner)
  }
  visit(program)
  return found
}
