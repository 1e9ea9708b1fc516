import { codeOf, type Finding, findingAt, findingsOf, type Import, importsOf, type SourceFile } from './source.ts'
import { arrows, bare, entries, packages, pure, pureModules, roots, testFiles, testFolders } from './rooms.ts'

export const FILE_LINES_MAX = 400
/** Longer than this is usually two things: noted, not refused. */
export const FILE_LINES_NOTED = 250

const bannedWords = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'impl']
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/

/** Every arrow between rooms points down, and every package stays in its room. See ./rooms.ts. */
export function arrowsPointDown(files: readonly SourceFile[]): Finding[] {
  return production(files).flatMap(file =>
    importsOf(file).flatMap(found => {
      const wrong = found.ours ? wrongArrow(file.path, found) : wrongPackage(file.path, found.target)
      return wrong === undefined ? [] : [findingAt(file, found.offset, wrong)]
    })
  )
}

function wrongArrow(from: string, { target, kind }: Import): string | undefined {
  if (roomOf(from) === roomOf(target) || roots.includes(target)) return undefined
  const rows = arrows.filter(row => matches(from, row.from) && matches(target, row.to))
  if (rows.some(row => row.kind === undefined || row.kind === kind)) return undefined
  const only = rows[0]?.kind
  const rule = only === undefined ? 'no arrow of test/tidy/rooms.ts leads there' : `only by ${only === 'type' ? 'import type' : 'import()'}`
  return `${roomOf(from)} may not import ${target}: ${rule}`
}

function wrongPackage(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) {
    if (specifier === 'node:vm') return 'node:vm is eval by another name'
    const fine = !within(from, pure) || pureModules.includes(specifier)
    return fine ? undefined : `${roomOf(from)} is pure and may not import ${specifier}: ask for it through a port`
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (within(from, bare)) return `${roomOf(from)} starts fast: no packages here, not even ${name}`
  const places = packages[name]
  if (places === undefined) return `${name} has no row in test/tidy/rooms.ts`
  return within(from, places) ? undefined : `${name} belongs to ${places.join(', ')}`
}

/** The CLI reaches the machine's room in one place only. */
export function soloIsImportedOnce(files: readonly SourceFile[]): Finding[] {
  const sites = files
    .filter(file => file.path.startsWith('src/cli/'))
    .flatMap(file => importsOf(file).flatMap(found => (found.target === 'src/node/solo.ts' ? [{ file, offset: found.offset }] : [])))
  return sites.slice(1).map(({ file, offset }) => findingAt(file, offset, `src/node/solo.ts is imported already by ${sites[0]!.file.path}`))
}

/** Entry points load the polyfill before anything that may need it. */
export function polyfillComesFirst(files: readonly SourceFile[]): Finding[] {
  return files
    .filter(file => entries.includes(file.path))
    .filter(file => importsOf(file)[0]?.target !== 'src/polyfill.ts')
    .map(file => findingAt(file, 0, "the first import must be '../polyfill.ts'"))
}

/** The table of packages and package.json name the same ones. */
export function packagesHaveRooms(dependencies: readonly string[]): Finding[] {
  return dependencies
    .filter(name => packages[name] === undefined)
    .map(name => ({ path: 'package.json', line: 1, message: `${name} has no row in test/tidy/rooms.ts` }))
}

/** Code is never made from text, and a shell is never started by a flag. */
export function nothingRunsText(files: readonly SourceFile[]): Finding[] {
  const banned: ReadonlyArray<[RegExp, string]> = [
    [/(?<![.\w$])exec(Sync)?\s*\(/g, 'exec starts a shell: use spawn with an argument list'],
    [/\bchild_?process\.exec(Sync)?\s*\(/gi, 'exec starts a shell: use spawn with an argument list'],
    [/\bimport\b[^;()]*?[{,\s]exec(Sync)?[\s,}][^;()]*?\bfrom\b/g, 'exec starts a shell: import spawn instead'],
    [/\bshell\s*:\s*true\b/g, 'shell: true turns arguments into code'],
    [/(?<![.\w$])eval\b(?!\s*[:?])/g, 'eval turns text into code'],
    [/\bnew\s+Function\b|(?<![.\w$])Function\s*\(/g, 'the Function constructor turns text into code'],
    [/\bimport\s*\((?!\s*['"])/g, 'a computed import may load anything: name the file']
  ]
  return production(files).flatMap(file => {
    const code = codeOf(file.text)
    return banned.flatMap(([pattern, message]) => findingsOf(file, code, pattern, () => message))
  })
}

/** Time and chance come through ports, so that a replay gives the same. */
export function pureRoomsHaveNoClock(files: readonly SourceFile[]): Finding[] {
  const world =
    /\bDate\.now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s(]))|(?<![.\w$]|new\s{1,9})Date\s*\(|\bMath\.random\b|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|\brandom(?:UUID|Bytes|Int)\b/g
  const chanceIsFine = (file: SourceFile, word: string): boolean => file.path.startsWith('src/crypto/') && word.startsWith('random')
  return files
    .filter(file => within(file.path, pure))
    .flatMap(file =>
      [...codeOf(file.text).matchAll(world)]
        .filter(([word]) => !chanceIsFine(file, word))
        .map(match => findingAt(file, match.index, `${match[0]}: ask the Clock or Random port`))
    )
}

/** Names say what a thing is: no drawers for anything, no barrels, one way to write them. */
export function namesSayWhat(files: readonly SourceFile[]): Finding[] {
  return code(files).flatMap(file => {
    const parts = file.path.split('/')
    const finding = (message: string): Finding => ({ path: file.path, line: 1, message })
    const crooked = parts.filter(part => !kebab.test(part) && !part.startsWith('.'))
    const vague = parts.filter(part => part.split(/[.-]/).some(word => bannedWords.includes(word)) || /^index\.[mc]?[jt]sx?$/.test(part))
    return [
      ...crooked.map(part => finding(`${part} is not kebab-case`)),
      ...vague.map(part => finding(`${part} says nothing: name it by what it is or does`))
    ]
  })
}

/** Every test sits where its source sits. `paths` are all files of the repository. */
export function testsMirrorSources(paths: readonly string[]): Finding[] {
  return paths
    .filter(path => path.startsWith('test/') && path.endsWith('.test.ts') && !testFiles.includes(path) && !isMirror(path, paths))
    .map(path => ({
      path,
      line: 1,
      message: `no src${path.slice('test'.length, -'.test.ts'.length)}.ts, nor a folder of that name: tests sit where their source sits`
    }))
}

function isMirror(path: string, paths: readonly string[]): boolean {
  const [, folder] = path.split('/')
  if (testFolders.includes(folder!)) return true
  const source = `src${path.slice('test'.length, -'.test.ts'.length)}`
  return paths.some(other => other === `${source}.ts` || other.startsWith(`${source}/`))
}

/** Tests skip through test/skip.ts, which asks for the reason. */
export function skipsSayWhy(files: readonly SourceFile[]): Finding[] {
  const bare = /\b(?:it|describe|specify)\.skip\b|(?<![.\w$])x(?:it|describe|specify|context)\s*\(|\bthis\.skip\s*\(/g
  return files
    .filter(file => file.path.startsWith('test/') && file.path.endsWith('.ts'))
    .flatMap(file => findingsOf(file, codeOf(file.text), bare, ([words]) => `${words}: skip with skip(this, reason) of test/skip.ts`))
}

/** The repository works on any machine and tells nothing of the one it was written on. */
export function nothingOfThisMachine(files: readonly SourceFile[]): Finding[] {
  // Put together from parts, or this file would name them itself.
  const path = new RegExp(`(?<![\\w.~$}\\])>*/-])/(?:${['work', 'root'].join('|')})(?![\\w.>-])`, 'g')
  const registries = ['npmjs\\.(?:org|com)', 'yarnpkg\\.com', '(?:deb|security|ftp|snapshot)\\.debian\\.org']
  const host = new RegExp(`\\b(?:[\\w-]+\\.)*(?:${registries.join('|')})\\b`, 'gi')
  return files.flatMap(file => [
    ...findingsOf(file, file.text, path, ([found]) => `${found} is a path of one machine`),
    ...findingsOf(file, file.text, host, ([found]) => `${found} is a package registry: the machine's own configuration names it`),
    ...(file.path === 'package-lock.json' ? findingsOf(file, file.text, /"resolved": "http/g, () => 'the lock names a registry') : [])
  ])
}

/** What is left to do has a number somebody can look up. */
export function todosHaveNumbers(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file =>
    findingsOf(file, file.text, /\b(TO(?:)DO|FIX(?:)ME)\b(?!\s*[:(]?\s*#\d)/g, ([, word]) => `${word} without an issue number`)
  )
}

/** Files that are too long, and those that are getting there. */
export function fileLengths(files: readonly SourceFile[]): { tooLong: Finding[]; noted: Finding[] } {
  const long = code(files)
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
    .filter(({ lines }) => lines > FILE_LINES_NOTED)
    .map(({ path, lines }) => ({ path, line: lines, message: `more than ${FILE_LINES_NOTED} lines are usually two things` }))
  return { tooLong: long.filter(({ line }) => line > FILE_LINES_MAX), noted: long.filter(({ line }) => line <= FILE_LINES_MAX) }
}

function production(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(({ path }) => /^(src|web)\/.*\.tsx?$/.test(path))
}

function code(files: readonly SourceFile[]): SourceFile[] {
  return files.filter(({ path }) => /^(src|web|test|scripts|bench)\/.*\.(tsx?|[mc]?js)$/.test(path) && !/\/(golden|fixtures)\//.test(path))
}

/** `src/goals/plan/plan.ts` is in `goals`, `web/main.tsx` in `web`. */
function roomOf(path: string): string {
  const [top, room] = path.split('/')
  return top === 'src' ? room! : top!
}

function within(path: string, places: readonly string[]): boolean {
  return places.some(place => matches(path, place))
}

function matches(path: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]+')
  return new RegExp(`^${escaped}`).test(path)
}
