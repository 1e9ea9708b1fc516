import { existsSync, readFileSync } from 'node:fs'
import { CloudburstError } from '../../errors.ts'
import { createFile } from '../files/atomic-file.ts'
import { type LiveFile, liveFile, type Log } from '../files/live-file.ts'
import { insertIntoRoot } from '../files/xml-text.ts'
import { NOBODY, type PermissionList } from './decide.ts'
import { readPermissions } from './read.ts'
import { LOCAL_AUTHORITY, type NewPermit, permissionsText, permitLines } from './sample.ts'

/** permissions.xml, read again when it changes; nobody while there is none. */
export type LivePermissions = LiveFile<PermissionList>

/** @throws CloudburstError CB_PERMISSIONS_INVALID, CB_XML_INVALID, CB_FILE_UNSAFE */
export function openPermissions(path: string, log: Log): LivePermissions {
  return liveFile({ path, read: readPermissions, absent: NOBODY, log })
}

/**
 * Adds an authority to the file, unless its key is there. Durable on return.
 * @param element one `<authority …/>` with a key
 * @throws CloudburstError CB_PERMISSIONS_INVALID when it is no such element, or another authority has its name; nothing is changed then
 */
export function addAuthority(path: string, element: string): void {
  const { authorities: said, permits } = readPermissions(`<permissions>${element}</permissions>`, path)
  const [authority] = said
  if (authority?.key === undefined || said.length !== 1 || permits.length > 0)
    throw new CloudburstError('CB_PERMISSIONS_INVALID', `${path}: what came is not one authority with a key`, { file: path, line: 1 })
  if (!existsSync(path)) createFile(path, permissionsText(), 0o644)
  const { authorities } = readPermissions(readFileSync(path, 'utf8'), path)
  if (authorities.some(({ key }) => key === authority.key)) return
  insertIntoRoot(path, 'permissions', [element], readPermissions)
}

/**
 * Adds a permit to the file, whose comments and layout stay; makes the file when there is none. Durable on return.
 * @throws CloudburstError CB_PERMISSIONS_INVALID when the permit is wrong, CB_FILE_UNSAFE; nothing is changed then
 */
export function addPermit(path: string, permit: NewPermit): void {
  if (!existsSync(path)) createFile(path, permissionsText(), 0o644)
  const { authorities } = readPermissions(readFileSync(path, 'utf8'), path)
  const authority = permit.authority ?? LOCAL_AUTHORITY
  const missing = authorities.every(({ name }) => name !== authority) && authority === LOCAL_AUTHORITY
  const lines = [...(missing ? [`<authority name="${LOCAL_AUTHORITY}"/>`] : []), ...permitLines(permit)]
  insertIntoRoot(path, 'permissions', lines, readPermissions)
}
