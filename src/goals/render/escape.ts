/**
 * Text from values, programs, peers and commands, made harmless for a terminal: what a peer returns is data.
 * Nothing that reaches a terminal may skip this.
 */

/** Colour and emphasis only: a command's own colours are dropped, not shown as noise. */
const sgr = /\u001b\[[0-9;:]*m/g
/** C0 but newline and tab, DEL, C1, line separators, and all that turns the direction of text around. */
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** `text` with control characters shown as `\x1b`, `\u202e`; newlines and tabs stay. */
export function escapeTerminal(text: string): string {
  return text.replace(sgr, '').replaceAll('\r\n', '\n').replace(harmful, shown)
}

/** The first line of `text`, escaped, tabs as blanks, ` …` when there is more; at most `width` characters. */
export function oneLine(text: string, width = Number.POSITIVE_INFINITY): string {
  const lines = escapeTerminal(text)
    .replaceAll('\t', ' ')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  const first = lines[0] ?? ''
  const whole = lines.length > 1 ? `${first} …` : first
  const characters = Array.from(whole)
  return characters.length > width ? `${characters.slice(0, Math.max(0, width - 1)).join('')}…` : whole
}

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
