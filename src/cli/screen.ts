/** Where progress is printed: append-only lines, and on a terminal a block below them that shows what runs now. */
import { colours, type Io, type Output, print } from './io.ts'

/** How often what runs now is drawn, in milliseconds: seconds tick visibly, and a slow link bears it. */
const DRAW_MS = 120

export interface Screen {
  readonly colour: boolean
  print(lines: readonly string[]): void
  /** Clears the block; lines stay. */
  close(): void
}

/**
 * @param output stdout, or stderr when stdout is data
 * @param block lines that describe what runs now
 */
export function openScreen(output: Output, io: Io, block: () => readonly string[]): Screen {
  const colour = colours(output, io.env)
  if (output.isTTY !== true || io.env['TERM'] === 'dumb') return { colour, print: lines => print(output, lines), close: () => {} }
  let drawn = 0
  const erase = (): string => (drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`)
  const draw = (lines: readonly string[]): void => {
    const width = Math.max(20, output.columns ?? 80) - 1
    const current = block().map(line => cut(line, width))
    const text = [...lines, ...current].map(line => `${line}\n`).join('')
    if (text !== '' || drawn > 0) output.write(erase() + text)
    drawn = current.length
  }
  const timer = setInterval(() => draw([]), DRAW_MS)
  timer.unref()
  return {
    colour,
    print: draw,
    close: () => {
      clearInterval(timer)
      output.write(erase())
      drawn = 0
    }
  }
}

function cut(line: string, width: number): string {
  const characters = Array.from(line)
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : line
}
