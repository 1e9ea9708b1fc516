/** Suggestions for mistyped commands, options and peers, as programs get them for elements. */
export { closest, didYouMean } from '../program/did-you-mean.ts'
