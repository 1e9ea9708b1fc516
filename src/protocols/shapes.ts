/**
 * Shapes of the values that several protocols carry. What a peer sends is data until one of these has accepted it.
 * Requests are strict (an unknown field is refused: ignoring it could mean doing something else than was asked);
 * what a peer reports is tolerant (unknown fields are dropped, so that a newer peer can be followed).
 */
import * as v from 'valibot'
import { CloudburstError, errors, type ErrorCode, type ErrorData } from '../errors.ts'
import type { Scalar, Tree, Variables } from '../goals/tree.ts'

/** Longest name of a goal, agent, program, step or path, in characters: fits a line of a terminal and a file name. */
export const NAME_CHARS_MAX = 255
/** Longest piece of text in a request or event, in characters: a program file of 1 MiB fits. */
export const TEXT_CHARS_MAX = 1024 * 1024
/** Most entries of any list in a message: more is a mistake or an attack. */
export const LIST_LENGTH_MAX = 10_000
/** Most files of one program. */
export const PROGRAM_FILES_MAX = 256

/** A ULID: it becomes part of keys and file names, so nothing else is accepted. */
export const idShape = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'an id must be a ULID'))
/** SHA-256 in hex. */
export const hashShape = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a hash must be 64 hex digits'))
/** One line, not empty, without control characters: names of things. */
export const nameShape = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(NAME_CHARS_MAX),
  v.regex(/^[^\u0000-\u001f\u007f]*$/, 'a name holds no control character')
)
export const textShape = v.pipe(v.string(), v.maxLength(TEXT_CHARS_MAX))
export const countShape = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const timeShape = countShape
export const peerShape = v.pipe(v.string(), v.regex(/^[1-9A-HJ-NP-Za-km-z]{20,80}$/, 'a peer id is base58'))
export const bytesShape = v.instance(Uint8Array)
/** A list of at most {@link LIST_LENGTH_MAX} entries. */
export const listOf = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(LIST_LENGTH_MAX))

/** Chosen by what it is: trying one after the other is dear, and events hold many of them. */
export const scalarShape: v.GenericSchema<Scalar> = v.lazy(input =>
  typeof input === 'number' ? v.number() : typeof input === 'boolean' ? v.boolean() : textShape
)
export const treeShape: v.GenericSchema<Tree> = v.object({
  type: v.exactOptional(nameShape),
  value: v.exactOptional(scalarShape),
  fields: v.exactOptional(
    v.record(
      nameShape,
      v.lazy(() => treeShape)
    )
  ),
  items: v.exactOptional(listOf(v.lazy(() => treeShape))),
  ref: v.exactOptional(nameShape),
  sealed: v.exactOptional(textShape),
  unknown: v.exactOptional(v.literal(true))
})
/**
 * The same as `v.variant('type', options)`, which tries one after the other: here the option is looked up. Of what has an unknown type the
 * complaint is the same too.
 */
export function byType<const T extends readonly TypedShape[]>(options: T): v.GenericSchema<unknown, v.InferOutput<T[number]>> {
  const any = v.variant('type', options)
  const shapes = new Map<unknown, v.GenericSchema<unknown, v.InferOutput<T[number]>>>(
    options.map(option => [option.entries.type.literal, option as never])
  )
  return v.lazy(input => shapes.get((input as { readonly type?: unknown } | null | undefined)?.type) ?? (any as never))
}

type TypedShape = v.ObjectSchema<{ readonly type: v.LiteralSchema<string, undefined> } & v.ObjectEntries, undefined>

export const variablesShape: v.GenericSchema<Variables> = v.record(nameShape, treeShape)
export const assignmentShape = v.strictObject({
  path: nameShape,
  value: v.union([textShape, treeShape]),
  source: v.exactOptional(textShape)
})
export const sourceFilesShape = v.pipe(
  v.array(v.strictObject({ name: nameShape, text: textShape })),
  v.minLength(1),
  v.maxLength(PROGRAM_FILES_MAX)
)
export const programShape = v.object({ name: nameShape, hash: hashShape })
export const modeShape = v.picklist(['pursue', 'execute'])
export const streamShape = v.picklist(['stdout', 'stderr'])

const detailShape = v.union([textShape, v.number(), v.boolean(), listOf(textShape)])
/** A code that this version does not know becomes CB_INTERNAL. */
export const errorShape: v.GenericSchema<unknown, ErrorData> = v.object({
  code: v.pipe(
    v.string(),
    v.transform((code): ErrorCode => (Object.hasOwn(errors, code) ? (code as ErrorCode) : 'CB_INTERNAL'))
  ),
  message: textShape,
  details: v.exactOptional(v.record(nameShape, detailShape))
})

/**
 * `message` as the shape says it is.
 * @param what named in the complaint, e.g. `request of call pursue`
 * @throws CloudburstError with `code`, naming the first field that is wrong
 */
export function accepted<S extends v.GenericSchema>(
  shape: S,
  message: unknown,
  what: string,
  code: ErrorCode = 'CB_FRAME_INVALID'
): v.InferOutput<S> {
  const result = v.safeParse(shape, message, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = v.getDotPath(issue)
  throw new CloudburstError(
    code,
    `${what}${path === null ? '' : ` has a wrong ${path.slice(0, NAME_CHARS_MAX)}`}: ${issue.message.slice(0, 500).replace(/^Invalid/, 'invalid')}`
  )
}

/** What a person has decided about a step. */
export const decisionShape = v.strictObject({
  step: textShape,
  verdict: v.picklist(['skip', 'done', 'again', 'from', 'failed']),
  writes: v.exactOptional(listOf(v.strictObject({ path: textShape, value: treeShape })))
})
