import assert from 'node:assert/strict'
import type { Command, Driver, Exit, Files } from '../../src/goals/ports.ts'

/** How to make the driver under test do things: arguments of commands. */
export interface Commands {
  readonly print: (text: string) => readonly string[]
  readonly exit: (code: number) => readonly string[]
  readonly hang: readonly string[]
}

/** What every Driver must do, run against the real one and the fake alike. */
export function aDriver(commands: Commands, open: () => Promise<Driver>): void {
  const command = (argv: readonly string[], step = 'one'): Command => ({ key: { goalId: 'g1', step, attempt: 1 }, argv, env: {} })

  it('returns what a command printed', async () => {
    const { exit, stdout } = await (await open()).run(command(commands.print('hello')))
    assert.deepEqual({ exit, stdout }, { exit: { kind: 'exited', code: 0 }, stdout: 'hello' })
  })

  it('returns a non-zero exit status as data', async () => {
    assert.deepEqual((await (await open()).run(command(commands.exit(7)))).exit, { kind: 'exited', code: 7 })
  })

  it('recovers how a command ended', async () => {
    const driver = await open()
    const ran = await driver.run(command(commands.print('once')))
    assert.deepEqual(await driver.recover(command([]).key), ran)
  })

  it('recovers a command that still runs by waiting for it', async () => {
    const driver = await open()
    const ran = driver.run(command(commands.hang))
    const recovered = driver.recover(command([]).key)
    await driver.stop(command([]).key)
    assert.deepEqual((await recovered).exit, (await ran).exit)
  })

  it('says that a command of which it knows nothing is lost, and starts nothing', async () => {
    assert.deepEqual((await (await open()).recover(command([], 'never').key)).exit, { kind: 'lost' } satisfies Exit)
  })

  it('stops a command on request', async function () {
    this.timeout(10_000)
    const driver = await open()
    const ran = driver.run(command(commands.hang))
    await driver.stop(command([]).key)
    assert.deepEqual((await ran).exit, { kind: 'stopped' })
  })

  it('does not run a command twice under one key', async () => {
    const driver = await open()
    const first = await driver.run(command(commands.print('first')))
    assert.deepEqual(await driver.run(command(commands.print('second'))), first)
  })

  it('replaces a private file of the same name', async () => {
    const driver = await open()
    const path = await driver.writeFile('g1', 'script', 'a')
    assert.equal(await driver.writeFile('g1', 'script', 'b'), path)
    assert.equal(await driver.readFile('g1', 'script'), 'b')
    await driver.dropFiles('g1')
  })

  it('says that a private file is gone once its goal has dropped it', async () => {
    const driver = await open()
    await driver.writeFile('g1', 'script', 'a')
    await driver.dropFiles('g1')
    assert.equal(await driver.readFile('g1', 'script'), undefined)
  })
}

/** What every Driver's files must do. @param place a path below which the test may write */
export function theFiles(open: () => Promise<Files>, place: () => string): void {
  it('finds no text where there is no file', async () => {
    assert.deepEqual(await (await open()).readText(`${place()}/none`), { kind: 'absent' })
  })

  it('replaces a text and keeps the one before beside it', async () => {
    const files = await open()
    const path = `${place()}/text`
    await files.replaceText(path, 'one\n')
    await files.replaceText(path, 'two\n')
    assert.deepEqual(await files.readText(path), { kind: 'text', text: 'two\n' })
    assert.deepEqual(await files.readText(`${path}.cb-backup`), { kind: 'text', text: 'one\n' })
  })
}
