/** What a command may use of its process. */
export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly uid: number | undefined
  /** Fires on ctrl-C. */
  readonly interrupted: AbortSignal
}

export interface Output {
  write(text: string): boolean
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Whether to colour what goes to `output`: a terminal, and neither NO_COLOR nor TERM=dumb is set. Source: no-color.org */
export function colours(output: Output, env: Io['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false
  if ((env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0') return true
  return output.isTTY === true && env['TERM'] !== 'dumb'
}

/** `lines` with a newline after each; nothing for none. */
export function print(output: Output, lines: readonly string[]): void {
  if (lines.length > 0) output.write(`${lines.join('\n')}\n`)
}
