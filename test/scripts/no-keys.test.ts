import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FILE_BYTES_MAX = 16 * 1024 * 1024
const KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}/

/** Tracked files, and what is built to be shipped. */
function files(): readonly string[] {
  const tracked = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: FILE_BYTES_MAX }).stdout.split('\0')
  const listed = tracked.length > 1 ? tracked.slice(0, -1) : ['package.json']
  const built = readdirSync(root).includes('dist') ? readdirSync(join(root, 'dist')).map(name => join('dist', name)) : []
  return [...listed, ...built]
}

describe('what is shipped', () => {
  it('holds no private key: each node makes its own on its first start', () => {
    const holding = files().filter(file => {
      const path = join(root, file)
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats?.isFile() === true && stats.size <= FILE_BYTES_MAX && KEY.test(readFileSync(path, 'latin1'))
    })
    assert.deepEqual(holding, [])
  })

  it('would be found: the pattern knows a key', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    assert.match(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), KEY)
  })
})
