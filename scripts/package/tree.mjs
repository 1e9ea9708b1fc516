/** The artefact as packages of rpm and Debian have it: the tree where it is on a host, its programs, service and variables. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../sources.mjs'

export const PREFIX = '/usr/lib/cloudburst'
/** Time of the build, as that of the files: 2000-01-01. */
export const EPOCH = '946684800'

/**
 * Makes the tree.
 * @param variables path of the file with the daemon's variables, which is configuration
 */
export function layOut({ tree, artefact, id, variables }) {
  const releases = join(tree, PREFIX, 'releases')
  for (const folder of [
    releases,
    ...['usr/bin', 'usr/lib/systemd/system', 'etc/cloudburst', dirname(variables)].map(name => join(tree, name))
  ])
    mkdirSync(folder, { recursive: true })
  run('tar', ['-xzf', artefact, '-C', releases])
  symlinkSync(`releases/${id}`, join(tree, PREFIX, 'current'))
  for (const program of ['cloudburst', 'cloudburstd']) symlinkSync(`${PREFIX}/current/bin/${program}`, join(tree, 'usr/bin', program))
  writeFileSync(join(tree, 'usr/lib/systemd/system/cloudburst.service'), unit(variables))
  writeFileSync(join(tree, variables), '# Variables of the daemon, e.g. CLOUDBURST_EXAMPLE=1\n')
}

/** The one that `start-daemon` writes, with the variables of the package. */
function unit(variables) {
  const program = `import { systemdUnit } from '${join(root, 'src/node/delivery/service-files.ts')}'
process.stdout.write(systemdUnit({ daemon: '${PREFIX}/current/bin/cloudburstd', cli: '${PREFIX}/current/bin/cloudburst', user: 'cloudburst' }))`
  const text = run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { cwd: root })
  return text.replace('User=', `EnvironmentFile=-${variables}\nUser=`)
}

/** Parts of scriptlets, as POSIX shell. */
export const scriptlets = {
  start: `if [ -d /run/systemd/system ]; then systemctl restart cloudburst.service; else ${PREFIX}/current/bin/cloudburst start-daemon --restart >/dev/null; fi`,
  /** Runners of steps, and daemons of releases that an upgrade over the mesh has put over this one. */
  end: `if [ -d /run/systemd/system ]; then systemctl disable --now --quiet cloudburst.service; else ${PREFIX}/current/bin/cloudburst stop-daemon --remove; fi || :
  for try in 1 2 3 4 5 6 7 8 9 10; do
    found=
    for process in /proc/[0-9]*; do
      case $(readlink "$process/exe" 2>/dev/null) in ${PREFIX}/releases/*|/var/lib/cloudburst/lib/releases/*) found="$found \${process#/proc/}";; esac
    done
    [ -n "$found" ] || break
    if [ "$try" -lt 6 ]; then kill $found 2>/dev/null; else kill -9 $found 2>/dev/null; fi
    sleep 0.2 2>/dev/null || sleep 1
  done`
}

/** @returns what it printed */
export function run(program, words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? `${stderr}${stdout}`}`)
  return stdout
}
