/** A node that is gone by our own hand: its place among the neighbours and its permits go too. */
import { existsSync } from 'node:fs'
import { removeElements } from '../files/xml-text.ts'
import type { Home } from '../home.ts'
import { readNeighborhood } from '../neighborhood/read.ts'
import { readPermissions } from '../permissions/read.ts'

/**
 * Removes the elements that name a peer; comments and layout of the files stay. The daemon reads them again by itself,
 * and ends the peer's connection. Durable on return.
 */
export function forget(home: Pick<Home, 'neighborhood' | 'permissions'>, peer: string): void {
  if (existsSync(home.permissions)) removeElements(home.permissions, elements('permit', 'peer', peer), readPermissions)
  if (existsSync(home.neighborhood)) removeElements(home.neighborhood, elements('peer', 'id', peer), readNeighborhood)
}

/** Whole lines of the elements with an attribute of that value. */
function elements(name: string, attribute: string, value: string): RegExp {
  return new RegExp(`[ \\t]*<${name}\\b[^>]*\\b${attribute}="${value}"[^>]*?(?:/>|>[^]*?</${name}>)[ \\t]*\\n?`, 'g')
}
