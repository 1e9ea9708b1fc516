/** Suggestions for mistyped commands, options and peers, as programs get them for elements. */
export { closest } from '../program/did-you-mean.ts'
