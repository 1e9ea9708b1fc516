/** What writing and reading of messages have in common. */

/** Major types of CBOR (RFC 8949, 3.1) that messages consist of. */
export const MAJOR = { count: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, simple: 7 } as const

/** Deepest nesting of lists and maps in a message: state trees of programs stay far below it, and no reader's stack ends. */
export const NESTING_MAX = 64
/** Most values in one message: a frame of one-byte values would otherwise cost forty times its size in memory. */
export const VALUES_MAX = 500_000
