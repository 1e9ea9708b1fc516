/**
 * Takes the control socket: the first thing a daemon does, because whoever holds it is the one instance of its home.
 */
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createConnection } from 'node:net'
import { dirname } from 'node:path'
import { CloudburstError } from '../../errors.ts'
import { checkSocketPath } from '../files/socket-path.ts'

/**
 * Listens on the Unix socket at `path`, mode 0600 in a directory of mode 0700; a socket that a dead daemon left is removed.
 *
 * @throws CloudburstError CB_ALREADY_RUNNING when another daemon answers there; CB_USAGE when the path is too long
 */
export async function listenAlone(server: Server, path: string): Promise<void> {
  checkSocketPath(path, 'control socket')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  chmodSync(dirname(path), 0o700)
  if (!(await listening(server, path))) {
    await removeStale(path)
    if (!(await listening(server, path))) throw alreadyRunning(path)
  }
  chmodSync(path, 0o600)
}

/** Whether the socket is ours now; false when something has that path. */
function listening(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error))
    server.once('error', failed)
    server.listen(path, () => {
      server.off('error', failed)
      resolve(true)
    })
  })
}

/**
 * Moved aside before it is tried: two daemons that start at once cannot each remove the other's fresh socket,
 * because the one that took a live socket finds it alive under its new name and puts it back.
 */
async function removeStale(path: string): Promise<void> {
  if (await answers(path)) throw alreadyRunning(path)
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const alive = await answers(aside)
  if (alive) linkSync(aside, path)
  rmSync(aside, { force: true })
  if (alive) throw alreadyRunning(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(path)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function alreadyRunning(path: string): CloudburstError {
  return new CloudburstError('CB_ALREADY_RUNNING', `another daemon holds ${path}`, { home: dirname(dirname(path)) })
}
