/** The thread in which patterns meet texts: one that takes for ever is ended from outside. See {@link file://./edit-text.ts}. */
import { parentPort } from 'node:worker_threads'
import type { FoundText } from '../../goals/ports.ts'
import { editedText, type EditedText, type FileEdits } from '../../goals/pursuit/edited-text.ts'

/** What the thread is asked; it answers with {@link FromEditor}. */
export interface ToEditor {
  readonly edits: FileEdits
  readonly found: FoundText
}

/** Which edit it begins, by index; then what came of all. */
export type FromEditor = { readonly at: number } | { readonly edited: EditedText }

parentPort?.on('message', ({ edits, found }: ToEditor) => {
  const say = (message: FromEditor): void => parentPort?.postMessage(message)
  try {
    say({ edited: editedText(edits, found, at => say({ at })) })
  } catch (error) {
    // a pattern that is none with its values in it
    say({ edited: { problem: `${edits.path}: ${error instanceof Error ? error.message : String(error)}` } })
  }
})
