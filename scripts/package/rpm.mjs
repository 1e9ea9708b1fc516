/** The artefact as an RPM, and a yum repository around it: the same tree, with the service, its user and clean scriptlets. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EPOCH, layOut, PREFIX, run, scriptlets } from './tree.mjs'

const architectures = { 'linux-x64': 'x86_64', 'linux-arm64': 'aarch64' }

/**
 * Makes DIR/rpm/*.rpm and DIR/rpm/repodata.
 * @param sign `{ key, home }`: id of a GnuPG key and its directory; unsigned without
 */
export function makeRpm({ artefact, id, version, target, out, sign }) {
  const top = mkdtempSync(join(tmpdir(), 'cb-rpm-'))
  try {
    const tree = join(top, 'tree')
    layOut({ tree, artefact, id, variables: '/etc/sysconfig/cloudburst' })
    mkdirSync(join(tree, 'usr/lib/sysusers.d'), { recursive: true })
    writeFileSync(join(tree, 'usr/lib/sysusers.d/cloudburst.conf'), 'u cloudburst - "Cloudburst" /var/lib/cloudburst\n')
    writeFileSync(join(top, 'cloudburst.spec'), spec({ tree, id, version }))
    const architecture = architectures[target]
    const env = { ...process.env, SOURCE_DATE_EPOCH: EPOCH }
    const defines = { _topdir: top, _buildhost: 'localhost', use_source_date_epoch_as_buildtime: '1', _binary_payload: 'w3.zstdio' }
    const words = Object.entries({ ...defines, clamp_mtime_to_source_date_epoch: '1' }).flatMap(([name, value]) => [
      '--define',
      `${name} ${value}`
    ])
    run('rpmbuild', ['-bb', '--quiet', '--target', `${architecture}-linux`, ...words, join(top, 'cloudburst.spec')], { env })
    const [name] = readdirSync(join(top, 'RPMS', architecture))
    const made = join(top, 'RPMS', architecture, name)
    if (sign !== undefined)
      run('rpmsign', ['--addsign', '--define', `_gpg_name ${sign.key}`, '--define', `__gpg ${gpg()}`, made], {
        env: { ...env, GNUPGHOME: sign.home }
      })
    const folder = join(out, 'rpm')
    mkdirSync(folder, { recursive: true })
    cpSync(made, join(folder, name))
    if (sign !== undefined) {
      const key = run('gpg', ['--armor', '--export', sign.key], { env: { ...env, GNUPGHOME: sign.home } })
      writeFileSync(join(folder, 'RPM-GPG-KEY-cloudburst'), key)
    }
    run('createrepo_c', ['--quiet', '--update', folder])
    return join(folder, name)
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
}

/** Where rpm looks for it differs from system to system. */
function gpg() {
  return run('sh', ['-c', 'command -v gpg || command -v gpg2']).trim()
}

function spec({ tree, id, version }) {
  return `%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
Name: cloudburst
Version: ${version.replaceAll('-', '~')}
Release: 1
Summary: A mesh of equal daemons that pursue goals on many machines
License: MIT
AutoReqProv: no
%description
A daemon for each host and a command line: goals are sent to hosts, watched, and repaired forward when a step fails.
%install
cp -a ${tree}/. %{buildroot}/
%files
${PREFIX}
/usr/bin/cloudburst
/usr/bin/cloudburstd
/usr/lib/systemd/system/cloudburst.service
/usr/lib/sysusers.d/cloudburst.conf
%config(noreplace) /etc/sysconfig/cloudburst
%dir %attr(0755, cloudburst, root) /etc/cloudburst
%pre
getent passwd cloudburst >/dev/null || useradd --system --home-dir /var/lib/cloudburst --shell /sbin/nologin cloudburst
exit 0
%post
mkdir -p /var/lib/cloudburst && chown cloudburst /var/lib/cloudburst && chmod 0700 /var/lib/cloudburst
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable --quiet cloudburst.service
fi
if [ $1 -ge 2 ] || [ -f /etc/cloudburst/neighborhood.xml ]; then
  ${scriptlets.start}
fi || :
%preun
if [ $1 = 0 ]; then
  ${scriptlets.end}
fi
exit 0
%postun
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ $1 = 0 ]; then
  rm -rf /var/lib/cloudburst ${PREFIX}
  rmdir /etc/cloudburst 2>/dev/null
fi
exit 0
# Release ${id}
`
}
