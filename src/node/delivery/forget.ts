/** A node that is gone by our own hand: its place among the neighbours and its permits go too. */
import { existsSync, readFileSync } from 'node:fs'
import { replaceFile } from '../files/atomic-file.ts'
import { readNeighborhood } from '../neighborhood/read.ts'
import { readPermissions } from '../permissions/read.ts'
import type { Home } from '../home.ts'

/**
 * Removes the elements that name a peer; comments and layout of the files stay. The daemon reads them again by itself,
 * and ends the peer's connection. Durable on return.
 */
export function forget(home: Pick<Home, 'neighborhood' | 'permissions'>, peer: string): void {
  edit(home.permissions, new RegExp(`[ \\t]*<permit\\b[^>]*\\bpeer="${peer}"[^>]*?(?:/>|>[^]*?</permit>)[ \\t]*\\n?`, 'g'), readPermissions)
  edit(home.neighborhood, new RegExp(`[ \\t]*<peer\\b[^>]*\\bid="${peer}"[^>]*?(?:/>|>[^]*?</peer>)[ \\t]*\\n?`, 'g'), readNeighborhood)
}

function edit(path: string, element: RegExp, read: (text: string, file: string) => unknown): void {
  if (!existsSync(path)) return
  const before = readFileSync(path, 'utf8')
  const after = before.replace(element, '')
  if (after === before) return
  read(after, path)
  replaceFile(path, after, 0o644)
}
