import { CloudburstError } from '../../errors.ts'

/** Longest path of a Unix socket, in bytes: sun_path is 108 on Linux and 104 on macOS, with a closing zero. */
export const SOCKET_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107

/** @throws CloudburstError CB_USAGE when no socket can have this path: the system would cut it */
export function checkSocketPath(path: string, whose: string): void {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return
  const message = `the path of the ${whose} is longer than ${SOCKET_PATH_BYTES_MAX} bytes: ${path}; choose a shorter --home`
  throw new CloudburstError('CB_USAGE', message, { path })
}
