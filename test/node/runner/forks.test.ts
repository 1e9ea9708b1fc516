import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRunner } from '../../../src/node/runner/runner.ts'
import { openForks } from '../../../src/node/runner/forks.ts'
import { ERR, EXIT, OUT } from '../../../src/node/runner/step-directory.ts'
import { temporaryDirectory, until } from '../store/temporary-directory.ts'

describe('a small process that starts commands for a large one', function () {
  this.timeout(20_000)
  const directory = temporaryDirectory()
  const step = (): string => {
    const place = join(directory(), 'x.1')
    mkdirSync(place)
    return place
  }

  it('does so in a group of their own, and tells how they ended', async () => {
    const forks = openForks()
    try {
      await until('it is ready', () => forks.isReady)
      const place = step()
      const launched = await forks.launch(place, { argv: ['/bin/sh', '-c', 'echo "$A"; echo oops >&2; exit 3'], env: { A: 'said' } })
      assert(typeof launched !== 'string')
      await launched.gone
      assert.equal(readFileSync(join(place, OUT), 'utf8'), 'said\n')
      assert.equal(readFileSync(join(place, ERR), 'utf8'), 'oops\n')
      assert.match(readFileSync(join(place, EXIT), 'utf8'), new RegExp(`^pid ${launched.pid}\ncode 3\n$`))
      assert.equal(await forks.launch(place, { argv: ['no-such-program'], env: {} }), 'no such program: no-such-program')
    } finally {
      forks.close()
    }
  })

  it('starts each command once, also when it dies: what it had started goes on, and its end is seen', async () => {
    const forks = openForks()
    await until('it is ready', () => forks.isReady)
    const runner = await createRunner(directory(), { openForks: () => forks })
    const run = (step: string, text: string) =>
      runner.start({ key: { goalId: 'g', step, attempt: 1 }, argv: ['/bin/sh', '-c', text], env: {} })
    const parentsOf = (step: string): string => readFileSync(join(directory(), `parent-${step}`), 'utf8')
    try {
      for (let i = 0; i < 30; i++)
        assert.deepEqual((await run(`s${i}`, `echo ran >>${directory()}/ran; exit ${i}`)).exit, { kind: 'exited', code: i })
      assert.equal(readFileSync(join(directory(), 'ran'), 'utf8').split('\n').length - 1, 30)
      const grandparent = `read -r p _ _ q _ </proc/$PPID/stat; echo "$q"`
      const long = run('long', `${grandparent} >${directory()}/parent-long; until [ -e ${directory()}/go ]; do sleep 0.02; done; exit 7`)
      await until('the command runs', () => existsSync(join(directory(), 'parent-long')) && parentsOf('long') !== '')
      assert.equal(parentsOf('long'), `${forks.pid}\n`, 'it is the small process that has started it')
      process.kill(forks.pid!, 'SIGKILL')
      await until('that is seen', () => !forks.isReady)
      writeFileSync(join(directory(), 'go'), '')
      assert.deepEqual((await long).exit, { kind: 'exited', code: 7 })
      assert.deepEqual((await run('after', 'exit 2')).exit, { kind: 'exited', code: 2 }, 'the large process starts them again')
    } finally {
      await runner.close()
    }
  })

  it('ends what takes too long', async () => {
    const forks = openForks()
    await until('it is ready', () => forks.isReady)
    const runner = await createRunner(directory(), { openForks: () => forks })
    try {
      const start = (step: string, text: string, timeoutMs?: number) =>
        runner.start({
          key: { goalId: 'g', step, attempt: 1 },
          argv: ['/bin/sh', '-c', text],
          env: {},
          ...(timeoutMs !== undefined && { timeoutMs })
        })
      for (let i = 0; i < 24; i++) await start(`s${i}`, 'true')
      assert.deepEqual((await start('slow', 'sleep 60', 50)).exit, { kind: 'timed-out', afterMs: 50 })
    } finally {
      await runner.close()
    }
  })
})
