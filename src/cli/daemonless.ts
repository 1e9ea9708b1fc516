/** The only way from the CLI into the node: its form without a daemon. Imported when it is used, since it brings all of the node. */
export async function daemonless() {
  return await import('../node/solo.ts')
}
