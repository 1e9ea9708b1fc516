/** A shell script as its top-level commands. Parsing is the node's (src/node/programs/shell-parser.ts); what it means for a program is ours. */

/** One top-level command, here-documents included. */
export interface Command {
  readonly text: string
  /** 1-based, of its first character. */
  readonly line: number
  readonly col: number
  /** Comments right before it, without `#`. */
  readonly comments: readonly string[]
  /** It ends in `&`. */
  readonly background: boolean
}

/** A whole script. */
export interface Script {
  /** As it is called in messages. */
  readonly file: string
  /** Absolute: what `$0` stands for. */
  readonly path: string
  /** Absolute: where the script would have been started. */
  readonly directory: string
  /** First line without `#!`; empty without one. */
  readonly interpreter: string
  readonly commands: readonly Command[]
}

/** What a top-level command is for the commands after it. */
export type Meaning =
  | { readonly kind: 'function'; readonly name: string }
  /** Options of the shell: run again before each step. */
  | { readonly kind: 'setting' }
  | { readonly kind: 'directory' }
  /** One variable. `literal`: its text; `argument`: one of the script's own, perhaps with a default; neither: computed. */
  | {
      readonly kind: 'variable'
      readonly name: string
      readonly exported: boolean
      readonly literal?: string
      readonly argument?: { readonly number: number; readonly byDefault?: string }
    }
  | { readonly kind: 'export'; readonly names: readonly string[] }
  | { readonly kind: 'exit'; readonly status: string }
  | { readonly kind: 'command' }
