import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFile, type Replacing, replaceFile, replaceWhole } from '../../../src/node/files/atomic-file.ts'
import { skip } from '../../skip.ts'
import { temporaryDirectory } from '../store/temporary-directory.ts'

describe('a file that is replaced', () => {
  const directory = temporaryDirectory()

  it('has its new text and mode, and nothing is left beside it', async () => {
    const path = join(directory(), 'file')
    replaceFile(path, 'one', 0o600)
    await replaceWhole(path, 'two', { mode: 0o640 })
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, readdirSync(directory())], ['two', 0o640, ['file']])
  })

  it('is the old one when the new one could not be written whole', async () => {
    const path = join(directory(), 'file')
    replaceFile(path, 'one', 0o600)
    const cut = async (into: { writeFile(text: string): Promise<void> }): Promise<void> => {
      await into.writeFile('tw')
      throw new Error('no space')
    }
    for (const alone of [true, false]) await assert.rejects(replaceWhole(path, cut as never, { mode: 0o600, alone }), /no space/)
    assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(directory())], ['one', ['file']])
  })

  it('is not led astray by what lies beside it, unless nobody else can write there', async () => {
    const path = join(directory(), 'file')
    // What a crash has left, with a mode of its own.
    writeFileSync(`${path}.new`, 'left over, and longer than the text')
    chmodSync(`${path}.new`, 0o644)
    await replaceWhole(path, 'text', { mode: 0o600, alone: true })
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, existsSync(`${path}.new`)], ['text', 0o600, false])
  })

  it('is not replaced where only a first one may be made', () => {
    const path = join(directory(), 'file')
    assert.deepEqual([createFile(path, 'one', 0o600), createFile(path, 'two', 0o600)], [true, false])
    assert.deepEqual([readFileSync(path, 'utf8'), readdirSync(directory())], ['one', ['file']])
  })

  for (const durable of ['name', 'content'] as const)
    it(`is on disk before it has its name${durable === 'name' ? ', and its name before anybody is told' : ''}`, function () {
      if (spawnSync('strace', ['-V']).error !== undefined) skip(this, 'needs strace')
      const path = join(directory(), 'file')
      const how: Replacing = { mode: 0o600, durable }
      const module = new URL('../../../src/node/files/atomic-file.ts', import.meta.url).href
      const script = `await (await import('${module}')).replaceWhole('${path}', 'text', ${JSON.stringify(how)})`
      const words = ['-f', '-y', '-e', 'trace=fsync,fdatasync,rename,renameat,renameat2', '--', process.execPath, '--import', 'tsx']
      const { stderr, status } = spawnSync('strace', [...words, '--input-type=module', '-e', script], { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      const calls = [...stderr.matchAll(/(fsync|fdatasync|rename)\w*\(([^\n]*)/g)]
        .filter(([, , about]) => about!.includes(directory()))
        .map(([, call, about]) => (call === 'rename' ? 'rename' : about!.includes(`${path}.`) ? 'sync file' : 'sync directory'))
      assert.deepEqual(calls, ['sync file', 'rename', ...(durable === 'name' ? ['sync directory'] : [])])
    })
})
