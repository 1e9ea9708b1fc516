import assert from 'node:assert/strict'
import * as checks from './checks.ts'
import type { Finding, SourceFile } from './source.ts'

type Check = (files: readonly SourceFile[]) => Finding[]

/** A file that a check must refuse at `line`, or accept without one. */
interface Case {
  readonly it: string
  readonly check: Check
  readonly path: string
  readonly text: string
  readonly line?: number
}

const todo = 'TO' + 'DO'
const home = '/' + 'root'
const registry = ['registry', 'npmjs', 'org'].join('.')
const { arrowsPointDown: arrows, nothingRunsText: text, pureRoomsHaveNoClock: clock, namesSayWhat: names } = checks

const cases: readonly Case[] = [
  {
    it: 'refuses protocols that import node',
    check: arrows,
    path: 'src/protocols/wire/channel.ts',
    text: "\nimport { dial } from '../../node/mesh.ts'\n",
    line: 2
  },
  {
    it: 'refuses goals that import protocols, even types',
    check: arrows,
    path: 'src/goals/ports.ts',
    text: "import type { A } from '../protocols/wire/a.ts'",
    line: 1
  },
  {
    it: 'refuses goals that import crypto',
    check: arrows,
    path: 'src/goals/ports.ts',
    text: "export { a } from '../crypto/a.ts'",
    line: 1
  },
  {
    it: 'refuses node that imports the CLI',
    check: arrows,
    path: 'src/node/daemon.ts',
    text: "import {\n  a\n} from '../cli/a.ts'",
    line: 1
  },
  { it: 'lets node import goals', check: arrows, path: 'src/node/daemon.ts', text: "import { a } from '../goals/a.ts'" },
  { it: 'lets every room import errors', check: arrows, path: 'src/crypto/a.ts', text: "import { errors } from '../errors.ts'" },
  {
    it: 'lets the CLI import types of the contract',
    check: arrows,
    path: 'src/cli/a.ts',
    text: "import type { Call } from '../node/control/contract.ts'"
  },
  {
    it: 'lets the CLI import values of the contract',
    check: arrows,
    path: 'src/cli/a.ts',
    text: "import { type Call } from '../node/control/contract.ts'"
  },
  {
    it: 'refuses other files of node in the CLI',
    check: arrows,
    path: 'src/cli/a.ts',
    text: "import type { A } from '../node/daemon.ts'",
    line: 1
  },
  { it: 'lets the CLI load solo late', check: arrows, path: 'src/cli/a.ts', text: "const { solo } = await import('../node/solo.ts')" },
  {
    it: 'refuses the CLI that loads solo at once',
    check: arrows,
    path: 'src/cli/a.ts',
    text: "import { solo } from '../node/solo.ts'",
    line: 1
  },
  { it: 'lets the CLI render events', check: arrows, path: 'src/cli/a.ts', text: "import { lines } from '../goals/render/lines.ts'" },
  {
    it: 'refuses the rest of goals in the CLI',
    check: arrows,
    path: 'src/cli/a.ts',
    text: "import type { Plan } from '../goals/plan/plan.ts'",
    line: 1
  },
  {
    it: 'refuses values of the contract in the page',
    check: arrows,
    path: 'web/main.tsx',
    text: "import { a } from '../src/node/control/contract.ts'",
    line: 1
  },
  {
    it: 'refuses libp2p in a driver',
    check: arrows,
    path: 'src/node/drivers/shell.ts',
    text: "import { createLibp2p } from 'libp2p'",
    line: 1
  },
  {
    it: 'lets a protocol client use libp2p',
    check: arrows,
    path: 'src/protocols/agency/client.ts',
    text: "import type { Stream } from '@libp2p/interface'"
  },
  {
    it: 'refuses libp2p in the words of a protocol',
    check: arrows,
    path: 'src/protocols/agency/messages.ts',
    text: "import type { Stream } from '@libp2p/interface'",
    line: 1
  },
  { it: 'refuses a package without a row', check: arrows, path: 'src/node/a.ts', text: "import a from 'left-pad/deep'", line: 1 },
  {
    it: 'refuses require of a package elsewhere',
    check: arrows,
    path: 'src/node/a.ts',
    text: "const forge = require('node-forge')",
    line: 1
  },
  { it: 'is not fooled by a method named require', check: arrows, path: 'src/node/a.ts', text: "session.require('goal:plan')" },
  { it: 'refuses any package in the runner', check: arrows, path: 'src/node/runner/main.ts', text: "import { pino } from 'pino'", line: 1 },
  { it: 'refuses the disk in goals', check: arrows, path: 'src/goals/a.ts', text: "import { readFileSync } from 'node:fs'", line: 1 },
  { it: 'lets goals hash', check: arrows, path: 'src/goals/a.ts', text: "import { createHash } from 'node:crypto'" },
  {
    it: 'is not fooled by a comment',
    check: arrows,
    path: 'src/goals/a.ts',
    text: "// import { a } from '../node/a.ts'\n/* import '../node/a.ts' */"
  },
  { it: 'is not fooled by a string', check: arrows, path: 'src/goals/a.ts', text: 'const a = `\nimport { a } from "../node/a.ts"\n`' },
  {
    it: 'sees code inside a template',
    check: arrows,
    path: 'src/goals/a.ts',
    text: "const a = `x ${(await import('../node/a.ts')).a} y`",
    line: 1
  },
  {
    it: 'goes on after a regular expression with a quote',
    check: arrows,
    path: 'src/goals/a.ts',
    text: "const a = /['\"`]/g\nimport '../node/a.ts'",
    line: 2
  },

  {
    it: 'refuses a second place that loads solo',
    check: checks.soloIsImportedOnce,
    path: 'src/cli/a.ts',
    text: "import('../node/solo.ts')\nimport('../node/solo.ts')",
    line: 2
  },
  {
    it: 'refuses an entry without the polyfill first',
    check: checks.polyfillComesFirst,
    path: 'src/node/main.ts',
    text: "import 'libp2p'\nimport '../polyfill.ts'",
    line: 1
  },
  {
    it: 'accepts an entry with the polyfill first',
    check: checks.polyfillComesFirst,
    path: 'src/node/main.ts',
    text: "import '../polyfill.ts'\nimport 'libp2p'"
  },

  { it: 'refuses eval', check: text, path: 'src/node/a.ts', text: "const a = 1\neval('a')", line: 2 },
  { it: 'refuses indirect eval', check: text, path: 'src/node/a.ts', text: "(0, eval)('a')", line: 1 },
  { it: 'refuses new Function', check: text, path: 'web/a.tsx', text: "new Function('a')", line: 1 },
  { it: 'refuses exec', check: text, path: 'src/node/a.ts', text: "import { exec, spawn } from 'node:child_process'", line: 1 },
  { it: 'refuses a call of execSync', check: text, path: 'src/node/a.ts', text: "execSync('ls')", line: 1 },
  { it: 'lets a regular expression exec', check: text, path: 'src/node/a.ts', text: 'pattern.exec(line)' },
  { it: 'refuses shell: true', check: text, path: 'src/node/a.ts', text: 'spawn(a, [], { shell: true })', line: 1 },
  { it: 'lets a field be called shell', check: text, path: 'src/node/a.ts', text: 'interface A { shell: ShellStatement }' },
  { it: 'refuses a computed import', check: text, path: 'src/node/a.ts', text: 'await import(name)', line: 1 },

  { it: 'refuses Date.now in goals', check: clock, path: 'src/goals/a.ts', text: 'const a = Date.now()', line: 1 },
  { it: 'refuses new Date() in crypto', check: clock, path: 'src/crypto/a.ts', text: 'const a = new Date()', line: 1 },
  { it: 'lets goals format a time it was given', check: clock, path: 'src/goals/a.ts', text: 'const a = new Date(at).toISOString()' },
  { it: 'refuses Date() in goals', check: clock, path: 'src/goals/a.ts', text: 'const a = Date()', line: 1 },
  { it: 'refuses Math.random in goals', check: clock, path: 'src/goals/a.ts', text: 'Math.random()', line: 1 },
  { it: 'refuses setTimeout in goals', check: clock, path: 'src/goals/a.ts', text: 'setTimeout(f, 1)', line: 1 },
  { it: 'refuses randomUUID in goals', check: clock, path: 'src/goals/a.ts', text: 'randomUUID()', line: 1 },
  { it: 'lets crypto make a nonce', check: clock, path: 'src/crypto/a.ts', text: 'randomBytes(16)' },
  { it: 'lets node look at the clock', check: clock, path: 'src/node/a.ts', text: 'Date.now()' },

  { it: 'refuses a drawer for anything', check: names, path: 'src/node/frame-utils.ts', text: '', line: 1 },
  { it: 'refuses a folder of helpers', check: names, path: 'test/helpers/mesh.ts', text: '', line: 1 },
  { it: 'refuses a barrel', check: names, path: 'src/goals/index.ts', text: '', line: 1 },
  { it: 'refuses capitals', check: names, path: 'src/goals/ConfigController.ts', text: '', line: 1 },
  { it: 'accepts kebab-case', check: names, path: 'src/goals/config-controller.ts', text: '' },
  { it: 'accepts index as a part of a name', check: names, path: 'src/goals/step-index.ts', text: '' },

  { it: 'refuses a skip without a reason', check: checks.skipsSayWhy, path: 'test/a.test.ts', text: "it.skip('a', () => {})", line: 1 },
  { it: 'refuses this.skip()', check: checks.skipsSayWhy, path: 'test/a.test.ts', text: '\nthis.skip()', line: 2 },
  { it: 'accepts skip with a reason', check: checks.skipsSayWhy, path: 'test/a.test.ts', text: "skip(this, 'needs root')" },

  { it: 'refuses a path of this machine', check: checks.nothingOfThisMachine, path: 'docs/a.md', text: `see\n${home}/notes`, line: 2 },
  {
    it: 'accepts the same word elsewhere',
    check: checks.nothingOfThisMachine,
    path: 'a.xml',
    text: `<root></root> .${home} lab${home} ${home}s`
  },
  { it: 'refuses a registry', check: checks.nothingOfThisMachine, path: '.npmrc', text: `registry=https://${registry}/`, line: 1 },
  {
    it: 'refuses an address in the lock',
    check: checks.nothingOfThisMachine,
    path: 'package-lock.json',
    text: '"resolved": "https://example.com/a.tgz"',
    line: 1
  },

  { it: `refuses a ${todo} without a number`, check: checks.todosHaveNumbers, path: 'src/a.ts', text: `// ${todo}: later`, line: 1 },
  { it: `accepts a ${todo} with a number`, check: checks.todosHaveNumbers, path: 'src/a.ts', text: `// ${todo} #12: later` },
  {
    it: 'refuses a file of 401 lines',
    check: files => checks.fileLengths(files).tooLong,
    path: 'src/a.ts',
    text: 'a\n'.repeat(401),
    line: 401
  },
  { it: 'accepts a file of 400 lines', check: files => checks.fileLengths(files).tooLong, path: 'src/a.ts', text: 'a\n'.repeat(400) },
  { it: 'notes a file of 251 lines', check: files => checks.fileLengths(files).noted, path: 'src/a.ts', text: 'a\n'.repeat(251), line: 251 }
]

describe('the tidy check', () => {
  for (const { it: sentence, check, path, text: content, line } of cases) {
    it(sentence, () => {
      const found = check([{ path, text: content }]).map(finding => `${finding.path}:${finding.line}`)
      assert.deepEqual(found, line === undefined ? [] : [`${path}:${line}`])
    })
  }

  it('refuses a test without a source, and accepts one with', () => {
    const paths = ['src/goals/plan.ts', 'src/goals/program/model.ts', 'test/goals/plan.test.ts', 'test/goals/program.test.ts']
    const astray = ['test/goals/plans.test.ts', 'test/plan.test.ts']
    assert.deepEqual(
      checks.testsMirrorSources([...paths, 'test/lab/hosts.test.ts', ...astray]).map(finding => finding.path),
      astray
    )
  })

  it('refuses a dependency without a room', () => {
    assert.equal(checks.packagesHaveRooms(['level', 'left-pad']).length, 1)
  })
})
