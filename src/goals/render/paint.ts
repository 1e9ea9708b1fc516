/** Colours for a terminal, or none. */

export type Paint = Readonly<Record<'good' | 'bad' | 'warn' | 'quiet' | 'strong', (text: string) => string>>

const plain = (text: string): string => text
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`

/** Without colour every function returns its text. */
export function paint(colour: boolean): Paint {
  if (!colour) return { good: plain, bad: plain, warn: plain, quiet: plain, strong: plain }
  return { good: sgr(32, 39), bad: sgr(31, 39), warn: sgr(33, 39), quiet: sgr(2, 22), strong: sgr(1, 22) }
}
