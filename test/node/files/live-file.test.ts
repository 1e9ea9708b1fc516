import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LiveFile, liveFile } from '../../../src/node/files/live-file.ts'

describe('a live file', () => {
  let directory: string
  let path: string
  let file: LiveFile<string> | undefined
  let refused: Promise<string>
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'live-'))
    path = join(directory, 'file')
  })
  afterEach(() => {
    file?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  function open(): LiveFile<string> {
    const read = (text: string): string => {
      if (text.startsWith('bad')) throw new Error(`refused ${text}`)
      return text
    }
    const quiet = { debug() {}, info() {}, warn() {} }
    let said: (reason: string) => void = () => undefined
    refused = new Promise(resolve => {
      said = resolve
    })
    file = liveFile({ path, read, absent: 'nothing', log: { ...quiet, error: fields => said((fields as { reason: string }).reason) } })
    return file
  }

  function changed(of: LiveFile<string>): Promise<[string, string]> {
    return new Promise(resolve => of.onChange((now, before) => resolve([now, before])))
  }

  it('is read again when it is written', async () => {
    writeFileSync(path, 'one')
    const live = open()
    const change = changed(live)
    writeFileSync(path, 'two')
    assert.deepEqual(await change, ['two', 'one'])
    assert.equal(live.current, 'two')
  })

  it('is read again when another takes its place', async () => {
    writeFileSync(path, 'one')
    const change = changed(open())
    writeFileSync(`${path}.new`, 'two')
    renameSync(`${path}.new`, path)
    assert.deepEqual(await change, ['two', 'one'])
  })

  it('may come and go', async () => {
    const live = open()
    assert.equal(live.current, 'nothing')
    const came = changed(live)
    writeFileSync(path, 'one')
    assert.deepEqual(await came, ['one', 'nothing'])
    rmSync(path)
    live.reload()
    assert.equal(live.current, 'nothing')
  })

  it('stays as it was when the new version is bad, and says so', async () => {
    writeFileSync(path, 'one')
    const live = open()
    writeFileSync(path, 'bad')
    assert.equal(await refused, 'refused bad')
    assert.equal(live.current, 'one')
    assert.throws(() => live.reload(), /refused bad/)
  })

  it('stays as it was when others may write the new version', async () => {
    writeFileSync(path, 'one')
    const live = open()
    chmodSync(path, 0o666)
    writeFileSync(path, 'two')
    assert.match(await refused, /chmod go-w/)
    assert.equal(live.current, 'one')
  })
})
