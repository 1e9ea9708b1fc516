/** A mesh of this process alone: the real one, without the rest of a node. */
import '../src/polyfill.ts'
import { type Home, loadIdentity } from '../src/node/home.ts'
import { makeMesh, type Mesh } from '../src/node/mesh.ts'
import { openNeighborhood } from '../src/node/neighborhood/neighborhood.ts'
import { openAudit } from '../src/node/permissions/audit.ts'
import { openPermissions } from '../src/node/permissions/permissions.ts'

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: console.error }

/** Not started yet; it lives as long as its process. */
export function meshOf(home: Home): Mesh {
  return makeMesh({
    identity: loadIdentity(home),
    version: 'bench',
    neighborhood: openNeighborhood(home.neighborhood, log),
    permissions: openPermissions(home.permissions, log),
    audit: openAudit(home.auditLog),
    log,
    mdns: false
  })
}
