import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skip } from '../skip.ts'
import { start } from '../system/mesh/process.ts'
import { type Mesh, mesh } from '../system/mesh.ts'
import { entry, type Place, place } from './cli.ts'

const has = (tool: string): boolean => spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status === 0

/** A program in C, with files for the kinds of build given. */
function source(directory: string, ...kinds: readonly ('make' | 'cmake')[]): string {
  const path = join(directory, 'a source')
  mkdirSync(path)
  writeFileSync(join(path, 'greet.c'), '#include <stdio.h>\nint main(void) { puts("greetings"); return 0; }\n')
  if (kinds.includes('make'))
    writeFileSync(join(path, 'Makefile'), 'greet: greet.c\n\t$(CC) -o $@ $<\ncheck: greet\n\t./greet | grep -qx greetings\n')
  if (kinds.includes('cmake'))
    writeFileSync(
      join(path, 'CMakeLists.txt'),
      'cmake_minimum_required(VERSION 3.10)\nproject(greet C)\nadd_executable(greet greet.c)\nenable_testing()\nadd_test(NAME says COMMAND greet)\n'
    )
  return path
}

describe('build.xml', function () {
  this.timeout(60_000)
  before(function () {
    if (!has('cc')) skip(this, 'no C compiler on this machine')
  })

  describe('on one node', () => {
    let here: Place
    beforeEach(() => {
      here = place()
    })
    afterEach(() => here.remove())
    const build = (path: string, env: NodeJS.ProcessEnv = here.env) =>
      start(process.execPath, [entry, 'pursue', 'build.xml', 'buildHere', `goal.source=${path}`, 'goal.product=greet', '-g'], env).ended
    const says = (path: string): string => spawnSync(join(path, 'greet'), { encoding: 'utf8' }).stdout

    it('uses cmake and ninja where the node and the source have them', async function () {
      if (!has('cmake') || !has('ninja')) skip(this, 'no cmake with ninja on this machine')
      const path = source(here.directory, 'make', 'cmake')
      const { exit, stdout, stderr } = await build(path)
      assert.equal(exit, 0, stdout + stderr)
      assert.match(stdout, /method cmake-ninja selected/)
      assert.equal(says(path), 'greetings\n')
    })

    it('uses make when the source has no CMakeLists.txt', async function () {
      if (!has('make')) skip(this, 'no make on this machine')
      const path = source(here.directory, 'make')
      const { exit, stdout, stderr } = await build(path)
      assert.equal(exit, 0, stdout + stderr)
      assert.match(stdout, /method make selected/)
      assert.equal(says(path), 'greetings\n')
    })

    it('uses the compiler alone on a node without build tools, and says why', async () => {
      const path = source(here.directory, 'make', 'cmake')
      const bin = join(here.directory, 'bin')
      mkdirSync(bin)
      for (const tool of ['sh', 'bash', 'cc', 'as', 'ld', 'ls', 'grep', 'cksum', 'test', 'cat']) {
        const found = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
        if (found.startsWith('/')) symlinkSync(found, join(bin, tool))
      }
      const { exit, stdout, stderr } = await build(path, { ...here.env, PATH: bin })
      assert.equal(exit, 0, stdout + stderr)
      assert.match(stdout, /method cc selected/)
      assert.match(stdout, /method make rejected/)
      assert.equal(says(path), 'greetings\n')
    })

    it('fails when a test of the source does', async () => {
      const path = source(here.directory, 'make')
      writeFileSync(join(path, 'greet.c'), '#include <stdio.h>\nint main(void) { puts("farewell"); return 0; }\n')
      const { exit, stdout } = await build(path)
      assert.equal(exit, 3, stdout)
      assert.match(stdout, /run the tests that the source brings/)
    })

    it('suspends with what the compiler said; after the source is mended it goes on', async () => {
      const path = source(here.directory)
      writeFileSync(join(path, 'greet.c'), 'int main(void) { return missing; }\n')
      const failed = await build(path)
      assert.equal(failed.exit, 3)
      assert.match(failed.stdout, /missing/)
      const [line] = /cloudburst repair .* --retry/.exec(failed.stdout) ?? []
      writeFileSync(join(path, 'greet.c'), '#include <stdio.h>\nint main(void) { puts("greetings"); return 0; }\n')
      const repaired = await here.cli(...line!.split(' ').slice(1))
      assert.equal(repaired.exit, 0, repaired.stdout)
      assert.equal(says(path), 'greetings\n')
    })
  })

  describe('on several', () => {
    let m: Mesh
    before(async function () {
      if (!has('make')) skip(this, 'no make on this machine')
      m = await mesh(3)
    })
    after(() => m?.stop())

    it('sends the source along, builds on each, and gathers one table', async () => {
      const path = source(m.directory, 'make')
      // More than a value may hold, and no packing helps.
      writeFileSync(join(path, 'pictures'), randomBytes(600_000))
      const report = join(m.directory, 'report')
      const words = [`goal.source=${path}`, 'goal.product=greet', `goal.report=${report}`, `goal.folder=${m.directory}/builds`]
      const { exit, stdout, stderr } = await m.node(1).cli('pursue', 'build', ...words, 'goal.nodes=["n2","n3"]')
      assert.equal(exit, 0, stdout + stderr)
      for (const name of ['n2', 'n3']) {
        assert.match(
          readFileSync(join(report, `${name}.built`), 'utf8'),
          new RegExp(`^${name} make ${process.platform}-${process.arch} \\d+ \\d+ tested\n$`)
        )
        assert.equal(spawnSync(join(m.directory, `builds/greet-${name}/greet`), { encoding: 'utf8' }).stdout, 'greetings\n')
      }
    })
  })
})
