/** How names of goals within a run relate: see pursuit/instance.ts. */

/** Whether the goal `instance` was called by `above` or by something below it. */
export function isBelow(instance: string, above: string): boolean {
  return instance.startsWith(`${above}/`) || instance.startsWith(`${above}>`)
}
