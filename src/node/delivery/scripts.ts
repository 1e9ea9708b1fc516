/**
 * What is done on a host, as POSIX shell: a host to deliver to has nothing else. Each script takes its values as words,
 * prints `key=value` lines, and exits with a status of its own for each thing that can be wrong.
 */

/** Programs that a host must have. */
export const TOOLS_NEEDED = ['tar', 'gzip', 'uname', 'mkdir', 'ln', 'mv', 'rm', 'cat', 'df', 'readlink', 'id', 'date'] as const

/**
 * What the host is. Changes nothing.
 * Words: prefix or `auto`, port in hexadecimal, tools needed…
 */
export const PROBE = `
prefix=$1; port=$2; shift 2
missing=
for tool; do command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done
echo "missing=\${missing# }"
echo "system=$(uname -s) $(uname -m)"
echo "name=$(uname -n)"
echo "uid=$(id -u)"
echo "home=$HOME"
echo "time=$(date +%s)"
if [ -n "$(echo /lib/ld-musl-*)" ] && [ -e "$(echo /lib/ld-musl-*)" ]; then echo libc=musl
else echo "libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)"; fi
if ! command -v sudo >/dev/null 2>&1; then echo sudo=none
elif sudo -n true >/dev/null 2>&1; then echo sudo=free
else echo sudo=asks; fi
if [ "$prefix" = auto ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/opt/cloudburst; else prefix=$HOME/.local/lib/cloudburst; fi
fi
echo "prefix=$prefix"
at=$prefix
while [ ! -e "$at" ]; do at=\${at%/*}; [ -n "$at" ] || at=/; done
set -- $(df -Pk "$at" | tail -n 1)
echo "freeKilobytes=$4"
echo "mount=$6"
case ",$(while read -r _ point _ options _; do [ "$point" = "$6" ] && echo "$options"; done </proc/mounts | tail -n 1)," in *,ro,*) echo readOnly=yes;; esac
current=$(readlink "$prefix/current" 2>/dev/null) && echo "current=\${current##*/}"
previous=$(readlink "$prefix/previous" 2>/dev/null) && echo "previous=\${previous##*/}"
[ -r "$prefix/node" ] && echo "peer=$(cat "$prefix/node")"
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _; do
  case "$local $state" in *:"$port 0A") echo portTaken=yes; break;; esac
done
exit 0
`

/**
 * Unpacks a gzipped tar from standard input, or from a file, beside the releases; adds from \`base\` what the tar leaves out;
 * verifies; and puts it in place by one rename. A try that was killed leaves a folder that the next one removes.
 * Words: prefix, release id, base release or nothing, file or nothing.
 */
export const UNPACK = `
set -eu
umask 022
prefix=$1 id=$2 base=$3 file=$4
there=$prefix
while [ ! -d "$there" ]; do there=\${there%/*}; [ -n "$there" ] || there=/; done
made=\${prefix#"$there"}/releases
mkdir -p "$prefix/releases"
cd "$prefix/releases"
for left in .incoming-*; do
  [ -d "$left" ] || continue
  kill -0 "\${left##*-}" 2>/dev/null || rm -rf "$left"
done
in=.incoming-$$
case $made in /*) ;; *) made=/$made;; esac
trap 'status=$?; cd "$prefix/releases" && rm -rf "$in" && cd "$there" && rmdir -p ".$made" 2>/dev/null || :; exit $status' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$in"
if [ -n "$file" ]; then gzip -dc <"$file" | tar -xof - -C "$in"; else gzip -dc | tar -xof - -C "$in"; fi || { echo unpack=failed; exit 21; }
[ -f "$in/$id/MANIFEST" ] || { echo unpack=short; exit 21; }
if [ -n "$base" ]; then
  while read -r _ path; do
    [ -e "$in/$id/$path" ] && continue
    case $path in */*) [ -d "$in/$id/\${path%/*}" ] || mkdir -p "$in/$id/\${path%/*}";; esac
    ln "$base/$path" "$in/$id/$path" 2>/dev/null || true
  done <"$in/$id/MANIFEST"
fi
cd "$in/$id"
version=$(runtime/node --version 2>&1) || { echo "runtime=$version"; exit 23; }
if command -v sha256sum >/dev/null 2>&1; then sha256sum -c MANIFEST >/dev/null 2>&1 || { echo verify=failed; exit 22; }
else runtime/node -e '
const { createHash } = require("crypto"), { readFileSync } = require("fs")
for (const line of readFileSync("MANIFEST", "utf8").trimEnd().split("\\n"))
  if (createHash("sha256").update(readFileSync(line.slice(66))).digest("hex") !== line.slice(0, 64)) process.exit(1)
' || { echo verify=failed; exit 22; }
fi
cd "$prefix/releases"
if [ ! -d "$id" ]; then
  mv "$in/$id" "$id"
  command -v sync >/dev/null 2>&1 && sync -f "$id" 2>/dev/null || true
fi
echo unpack=done
`

/** sha256 of a file that may be there. Words: file. */
export const HASH = `
mkdir -p "\${1%/*}" || exit 1
[ -f "$1" ] || exit 0
if command -v sha256sum >/dev/null 2>&1; then sum=$(sha256sum "$1"); echo "sha256=\${sum%% *}"; else echo sha256=; fi
wc -c <"$1" | { read -r size; echo "bytes=$size"; }
`

/**
 * Makes a release the current one by one rename; the one before becomes the previous one, and older ones are removed.
 * Words: prefix, release id, folder of links or nothing.
 */
export const FLIP = `
set -eu
umask 022
prefix=$1 id=$2 bin=$3
cd "$prefix"
old=$(readlink current 2>/dev/null) || old=
if [ "$old" != "releases/$id" ]; then
  flip() { rm -f ".$1-$$"; ln -s "$2" ".$1-$$"; mv -Tf ".$1-$$" "$1"; }
  [ -z "$old" ] || flip previous "$old"
  flip current "releases/$id"
fi
if [ -n "$bin" ]; then
  mkdir -p "$bin"
  for program in cloudburst cloudburstd; do
    [ "$(readlink "$bin/$program" 2>/dev/null)" = "$prefix/current/bin/$program" ] || ln -sfn "$prefix/current/bin/$program" "$bin/$program"
  done
fi
previous=$(readlink previous 2>/dev/null) || previous=
for release in releases/*; do
  [ "$release" = "releases/$id" ] || [ "$release" = "$previous" ] || rm -rf "$release"
done
echo "previous=\${old##*/}"
`

/** The user that the service runs as, and the folders of its home. Words: user. */
export const SERVICE_USER = `
set -eu
if ! id "$1" >/dev/null 2>&1; then
  shell=$(command -v nologin || echo /bin/false)
  if command -v useradd >/dev/null 2>&1; then useradd --system --home-dir /var/lib/cloudburst --shell "$shell" "$1"
  else adduser -S -D -H -h /var/lib/cloudburst -s "$shell" "$1"; fi
fi
umask 022
mkdir -p /etc/cloudburst /var/lib/cloudburst
chown "$1" /etc/cloudburst /var/lib/cloudburst
chmod 0700 /var/lib/cloudburst
`

/**
 * Removes what was delivered: ends everything that runs from it, then the tree, the links and, when asked, the node's home.
 * Words: prefix, folder of links, folders of the home…
 */
export const REMOVE = `
prefix=$1 bin=$2; shift 2
for try in 1 2 3 4 5 6 7 8 9 10; do
  found=
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in "$prefix"/releases/*|*/cloudburst/lib/releases/*) found="$found \${process#/proc/}";; esac
  done
  [ -n "$found" ] || break
  if [ "$try" -lt 6 ]; then kill $found 2>/dev/null; else kill -9 $found 2>/dev/null; fi
  sleep 0.2 2>/dev/null || sleep 1
done
for program in cloudburst cloudburstd; do
  [ "$(readlink "$bin/$program" 2>/dev/null)" = "$prefix/current/bin/$program" ] && rm -f "$bin/$program"
done
rm -rf "$prefix"
for folder; do rm -rf "$folder"; done
exit 0
`

/** Where the package of rpm has its releases. */
export const RPM_PREFIX = '/usr/lib/cloudburst'

/**
 * Installs, upgrades or downgrades to the package on standard input. No repository is asked: the host may reach none.
 * Words: name of the file.
 */
export const INSTALL_RPM = `
set -eu
umask 077
folder=/var/tmp/cloudburst-$$
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$folder"
cat >"$folder/$1"
tool=$(command -v dnf || command -v yum) || { echo "error: it has neither dnf nor yum" >&2; exit 24; }
want=\${1%.rpm}
"$tool" -y -q --disablerepo='*' install "$folder/$1" >&2
[ "$(rpm -q cloudburst)" = "$want" ] || "$tool" -y -q --disablerepo='*' downgrade "$folder/$1" >&2
[ "$(rpm -q cloudburst)" = "$want" ]
`

/** Removes the package. Words: folders of the home to remove too… */
export const REMOVE_RPM = `
tool=$(command -v dnf || command -v yum) || exit 24
! rpm -q cloudburst >/dev/null || "$tool" -y -q --disablerepo='*' remove cloudburst >&2 || exit 1
for folder; do rm -rf "$folder"; done
`
