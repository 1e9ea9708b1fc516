/** A person at a shell in a terminal: what is typed, and all that stands there afterwards. */
import { execFileSync, spawnSync } from 'node:child_process'
import { until } from './process.ts'

/** What may ask for the next line: the shell, `cloudburst repair`, `--step`, and that for values. */
export type Asks = keyof typeof prompts

const prompts = { $: /^\$$/, 'repair>': /^repair>$/, 'quit?': /^\[y\]es, .* \[q\]uit\?$/, 'ends):': /^PATH=VALUE .* ends\):$/ } as const
const ASKED = /^(\$|repair>|\[y\]es, .* \[q\]uit\?|PATH=VALUE .* ends\):)( |$)/

export interface Terminal {
  /** Types a line, and waits for the next `prompt`. */
  types(line: string, prompt: Asks): Promise<void>
  /** All lines since the start, wrapped ones as one. */
  screen(): string
  close(): void
}

let servers = 0

/** @param bin stands first in the PATH */
export function terminal({ bin, home, env }: { readonly bin: string; readonly home: string; readonly env: NodeJS.ProcessEnv }): Terminal {
  const server = `cb-${process.pid}-${++servers}`
  const tmux = (...words: string[]): string => execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...words], { encoding: 'utf8' })
  const all = { PATH: `${bin}:${process.env['PATH']}`, HOME: home, PS1: '$ ', TERM: 'dumb', NO_COLOR: '1', LANG: 'C.UTF-8', ...env }
  const words = ['env', '-i', ...Object.entries(all).map(([name, value]) => `${name}=${value}`), '/bin/sh', '-i']
  tmux('new-session', '-d', '-x', '100', '-y', '50', words.map(word => `'${word}'`).join(' '))
  const screen = (): string =>
    tmux('capture-pane', '-p', '-J', '-S', '-')
      .split('\n')
      .map(line => line.trimEnd())
      .join('\n')
      .trimEnd()
  const count = (text: string): number => text.split('\n').filter(line => ASKED.test(line)).length
  const asks = (prompt: Asks, before: number) => async (): Promise<boolean> => {
    const text = screen()
    return count(text) > before && prompts[prompt].test(text.split('\n').at(-1) ?? '')
  }
  let asked = 0
  return {
    types: async (line, prompt) => {
      if (asked === 0) await until('the shell asks', asks('$', asked))
      asked = count(screen())
      tmux('send-keys', '-l', line)
      tmux('send-keys', 'Enter')
      await until(`${prompt} after ${line}: ${screen()}`, asks(prompt, asked))
    },
    screen: () => `${screen().replace(/\n\$$/, '')}\n`,
    close: () => void spawnSync('tmux', ['-L', server, 'kill-server'])
  }
}

/** What is not the same each time — ids, hashes, times, how long it took — as if it were. Columns keep their widths. */
export function masked(text: string, places: Readonly<Record<string, string>>): string {
  let known = text
  for (const [place, name] of Object.entries(places)) known = known.replaceAll(place, name)
  return known
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '01JD3K7T9QX2M4V6W8Y0Z1A5B7')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-03-14T09:26:53Z')
    .replaceAll(/^( {2}(?:ok|failed)) +[\d.]+ m?s {2}/gm, (_, word: string) => `${word.padEnd(8)}   30 ms  `)
    .replaceAll(/\b[\d.]+ m?s\b( *)/g, (all, gap: string) => '30 ms'.padEnd(gap.length > 1 ? all.length : 5) + (gap === ' ' ? ' ' : ''))
}
