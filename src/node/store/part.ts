/** The part of the store that is enough for who keeps some records of their own and reads them once. */
export interface StorePart {
  range(options: { readonly prefix: string }): AsyncIterable<readonly [string, unknown]>
  /** Atomic; on disk on return when `sync`. */
  batch(
    operations: readonly (
      | { readonly type: 'put'; readonly key: string; readonly value: unknown }
      | { readonly type: 'del'; readonly key: string }
    )[],
    options: { readonly sync: boolean }
  ): Promise<void>
}
