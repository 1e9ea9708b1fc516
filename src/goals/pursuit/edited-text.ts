/** What the edits of an `<editFile>` make of a file as it was found, and the difference for people. Pure; patterns may take for ever. */
import type { FoundText } from '../ports.ts'
import { difference } from './file-difference.ts'
import { applyEdits, type Edit } from './file-edits.ts'

/** The edits of one file, with their values in place. */
export interface FileEdits {
  readonly path: string
  /** Begin with an empty file when there is none. */
  readonly create: boolean
  readonly edits: readonly Edit[]
  /** The same with secrets masked. */
  readonly shown: readonly Edit[]
  /** Whether any value in the edits is a secret. */
  readonly secret: boolean
}

/** The file after the edits, or why they cannot be made. */
export type EditedText =
  | { readonly changed: boolean; readonly text: string; readonly diff: string; readonly added: number; readonly removed: number }
  | { readonly problem: string }

/** Edits a text. @param onEdit told before each edit, by its index: which one takes for ever */
export function editedText({ path, create, edits, shown, secret }: FileEdits, found: FoundText, onEdit?: (at: number) => void): EditedText {
  if (found.kind === 'unreadable') return { problem: `${path} cannot be edited: ${found.reason}` }
  if (found.kind === 'absent' && !create) return { problem: `there is no file ${path}: create="true" begins with an empty one` }
  const before = found.kind === 'text' ? found.text : ''
  const after = applyEdits(before, edits, onEdit)
  if ('problem' in after) return { problem: `${path}: ${after.problem}` }
  const seen = secret ? applyEdits(before, shown) : after
  const { text, added, removed } = difference(path, before, 'text' in seen ? seen.text : after.text, secret)
  return { changed: after.text !== before || found.kind === 'absent', text: after.text, diff: text, added, removed }
}
