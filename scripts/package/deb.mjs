/** The artefact as a package of Debian: the same tree as that of rpm, with the service, its user and clean scripts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EPOCH, layOut, PREFIX, run, scriptlets } from './tree.mjs'

const architectures = { 'linux-x64': 'amd64', 'linux-arm64': 'arm64' }
const VARIABLES = '/etc/default/cloudburst'

/**
 * Makes DIR/deb/cloudburst_VERSION_ARCHITECTURE.deb, the same bytes each time.
 * @param quick larger and sooner
 * @returns its path
 */
export function makeDeb({ artefact, version, id, target, out, quick = false }) {
  const top = mkdtempSync(join(tmpdir(), 'cb-deb-'))
  try {
    const tree = join(top, 'tree')
    layOut({ tree, artefact, id, variables: VARIABLES })
    mkdirSync(join(tree, 'DEBIAN'))
    writeFileSync(join(tree, 'DEBIAN/control'), control(version, architectures[target]))
    writeFileSync(join(tree, 'DEBIAN/conffiles'), `${VARIABLES}\n`)
    for (const [name, text] of Object.entries(scripts)) {
      writeFileSync(join(tree, 'DEBIAN', name), text)
      chmodSync(join(tree, 'DEBIAN', name), 0o755)
    }
    run('chmod', ['-R', 'u=rwX,go=rX', tree])
    mkdirSync(join(out, 'deb'), { recursive: true })
    const file = join(out, 'deb', `cloudburst_${debian(version)}_${architectures[target]}.deb`)
    run('dpkg-deb', ['--root-owner-group', '-Zgzip', `-z${quick ? 1 : 6}`, '--build', tree, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH }
    })
    return file
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
}

/** A version before a release is older than it: `~`. */
function debian(version) {
  return version.replaceAll('-', '~')
}

function control(version, architecture) {
  return `Package: cloudburst
Version: ${debian(version)}
Architecture: ${architecture}
Maintainer: Cloudburst <cloudburst@localhost>
Section: admin
Priority: optional
Depends: libc6 (>= 2.28), libstdc++6, adduser | passwd
Description: A mesh of equal daemons that pursue goals on many machines
 A daemon for each host and a command line: goals are sent to hosts, watched,
 and repaired forward when a step fails.
`
}

const scripts = {
  postinst: `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
getent passwd cloudburst >/dev/null || useradd --system --home-dir /var/lib/cloudburst --shell /usr/sbin/nologin cloudburst
mkdir -p /var/lib/cloudburst
chown cloudburst /var/lib/cloudburst /etc/cloudburst
chmod 0700 /var/lib/cloudburst
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet cloudburst.service
fi
[ ! -f /etc/cloudburst/neighborhood.xml ] || { ${scriptlets.start}; } || :
`,
  prerm: `#!/bin/sh
if [ "$1" = remove ]; then
  ${scriptlets.end}
fi
exit 0
`,
  postrm: `#!/bin/sh
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
case $1 in
  remove) rm -rf ${PREFIX} /var/lib/cloudburst/lib ;;
  purge) rm -rf ${PREFIX} /var/lib/cloudburst /etc/cloudburst ;;
esac
exit 0
`
}
