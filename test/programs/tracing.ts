/** What a process and its children did to the machine, out of what strace saw. Source: strace(1), open(2). */

export interface Effect {
  /** A file changed or made, or a command that a shell was given with -c. */
  readonly kind: 'file' | 'shell'
  readonly text: string
}

/** Calls that change what a path names. */
const CHANGES =
  /^(?:mkdir|mkdirat|rmdir|unlink|unlinkat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|chmod|fchmodat|fchmodat2|chown|lchown|fchownat|truncate|utime|utimes|utimensat|futimesat|mknod|mknodat|setxattr|lsetxattr|removexattr|mount|umount2)\(/
const OPENS = /^(?:open|openat|openat2|creat)\(/
const WRITES = /\bO_(?:WRONLY|RDWR|CREAT|TRUNC)\b|^creat\(/

/** Successful changes of files, but for those below one of `besides`, and every command given to a shell. */
export function effectsOf(trace: string, besides: readonly string[]): readonly Effect[] {
  const effects: Effect[] = []
  for (const { text: line } of wholeLines(trace)) {
    if (/\) += +-1 /.test(line)) continue
    const shell = /^execve\("[^"]*\/(?:ba|da)?sh", \["[^"]*", "-c", "((?:[^"\\]|\\.)*)"/.exec(line)
    if (shell !== null) effects.push({ kind: 'shell', text: unescaped(shell[1]!) })
    if (!CHANGES.test(line) && !(OPENS.test(line) && WRITES.test(line))) continue
    const paths = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => path!)
    if (paths.some(path => !besides.some(beside => path === beside || path.startsWith(beside)))) effects.push({ kind: 'file', text: line })
  }
  return effects
}

/** Calls with who made them, those that strace had to cut in two put together again. */
export function wholeLines(trace: string): readonly { readonly pid: string; readonly text: string }[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap(line => {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const unfinished = / <unfinished \.\.\.>$/.exec(text)
    if (unfinished !== null) {
      begun.set(pid, text.slice(0, unfinished.index))
      return []
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text)
    return [{ pid, text: resumed === null ? text : (begun.get(pid) ?? '') + text.slice(resumed[0].length) }]
  })
}

/** A C string as strace writes it. */
function unescaped(text: string): string {
  return text.replace(/\\(n|t|r|["\\])/g, (_, what: string) => ({ n: '\n', t: '\t', r: '\r' })[what] ?? what)
}
