import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as checks from './tidy/checks.ts'
import type { Finding, SourceFile } from './tidy/source.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const TEXT_BYTES_MAX = 2 * 1024 * 1024

describe('the repository', () => {
  const paths = filesOfRepository()
  const files = paths.map(read).filter(file => file !== undefined)
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }

  const sentences: ReadonlyArray<[string, () => Finding[]]> = [
    ['has arrows that point down, and packages in their rooms', () => checks.arrowsPointDown(files)],
    ['gives each package a room', () => checks.packagesHaveRooms(Object.keys(manifest.dependencies))],
    ['lets the CLI run programs without a daemon from one place', () => checks.soloIsImportedOnce(files)],
    ['loads the polyfill first', () => checks.polyfillComesFirst(files)],
    ['never makes code from text', () => checks.nothingRunsText(files)],
    ['keeps clock and chance out of its pure rooms', () => checks.pureRoomsHaveNoClock(files)],
    ['has names that say what a thing is', () => checks.namesSayWhat(files)],
    ['has each test where its source is', () => checks.testsMirrorSources(paths)],
    ['says why a test skips', () => checks.skipsSayWhy(files)],
    ['tells nothing of the machine it was written on', () => checks.nothingOfThisMachine(files)],
    ['numbers what is left to do', () => checks.todosHaveNumbers(files)],
    [`has no file of more than ${checks.FILE_LINES_MAX} lines`, () => checks.fileLengths(files).tooLong]
  ]
  for (const [sentence, check] of sentences) {
    it(sentence, () => assert.deepEqual(check().map(told), []))
  }

  after(() => {
    for (const finding of checks.fileLengths(files).noted) console.log(`  note: ${told(finding)}`)
  })
})

function told({ path, line, message }: Finding): string {
  return `${path}:${line}: ${message}`
}

/** Tracked files, and new ones that are not ignored: what the next commit could hold. */
function filesOfRepository(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  return listed.split('\0').filter(path => path !== '' && existsSync(join(root, path)))
}

/** A text file, or undefined for links, pictures and other bytes. */
function read(path: string): SourceFile | undefined {
  const stat = lstatSync(join(root, path))
  if (!stat.isFile() || stat.size > TEXT_BYTES_MAX) return undefined
  const text = readFileSync(join(root, path), 'utf8')
  return text.includes('\0') ? undefined : { path, text }
}
