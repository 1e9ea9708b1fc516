#!/bin/sh
# The daemon of a release. Mostly it only finds its Node; when a node is upgraded over the mesh, it is also what
# watches over the new release, so that the node comes back even when nothing of the new one runs.
# The other half is src/node/upgrading/.
tree=$(cd "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)

# A release that was put over this one, by a daemon that may not write where this one is. Never as root: those
# files are the service user's. It counts only over the release that it was put over.
if [ -z "${CLOUDBURST_TRIAL:-}" ] && [ "$(id -u)" != 0 ]; then
  base=${CLOUDBURST_HOME:-} before=
  for word; do
    [ "$before" != --home ] || base=$word
    case $word in --home=*) base=${word#--home=} ;; esac
    before=$word
  done
  [ -n "$base" ] || base=${XDG_STATE_HOME:-${HOME:-}/.local/state}/cloudburst
  lib=$(readlink -f -- "$base/lib" 2>/dev/null) || lib=
  case $tree in
    "$lib"/*) ;;
    *)
      if [ -n "$lib" ] && [ "$(cat "$lib/over" 2>/dev/null)" = "${tree##*/}" ] && [ -x "$lib/current/bin/cloudburstd" ]; then
        exec "$lib/current/bin/cloudburstd" "$@"
      fi
      ;;
  esac
fi

own() { exec "$tree/runtime/node" "$tree/lib/dist/cloudburstd.js" "$@"; }

[ -n "${CLOUDBURST_TRIAL:-}" ] || own "$@"

# --- The trial of another release. $CLOUDBURST_TRIAL has two lines: its folder, and the seconds that it has. The new
# daemon takes that file away when somebody has found it well; whichever of the two renames the file first has decided.
trial=$CLOUDBURST_TRIAL
unset CLOUDBURST_TRIAL
{ read -r next && read -r seconds; } <"$trial" || own "$@"

# Status with which a daemon on trial says that there is another release to be tried.
TRY_NEXT=79
signals=0 child=
trap 'signals=$((signals + 1)); [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT

# How the child ended; signals only pass through.
ended() {
  while :; do
    heard=$signals
    wait "$child"
    status=$?
    [ "$signals" != "$heard" ] || return "$status"
  done
}

CLOUDBURST_TRIED=$trial "$next/bin/cloudburstd" "$@" &
child=$!
beats=0 why=
while [ -e "$trial" ]; do
  if ! kill -0 "$child" 2>/dev/null; then
    wait "$child"
    status=$?
    [ "$signals" = 0 ] || exit "$status"
    why="its daemon ended with exit status $status"
    break
  fi
  if [ "$beats" -ge $((seconds * 5)) ] && [ "$signals" = 0 ]; then
    why="nobody found it well within $seconds seconds"
    break
  fi
  # A unit with a watchdog takes silence for death.
  [ -z "${NOTIFY_SOCKET:-}" ] || [ $((beats % 50)) != 0 ] || systemd-notify WATCHDOG=1 2>/dev/null
  beats=$((beats + 1))
  sleep 0.2 2>/dev/null || { sleep 1; beats=$((beats + 4)); }
done

if [ -n "$why" ]; then
  printf '%s\n%s\n' "$next" "$why" >"$trial.why"
  if mv "$trial" "$trial.over" 2>/dev/null; then
    mv "$trial.why" "${trial%/*}/returned"
    rm -f "$trial.over"
    kill -TERM "$child" 2>/dev/null
    for second in 1 2 3 4 5 6 7 8 9 10; do
      kill -0 "$child" 2>/dev/null || break
      sleep 1
    done
    kill -KILL "$child" 2>/dev/null
    wait "$child" 2>/dev/null
    [ "$signals" = 0 ] || exit 143
    trap - TERM INT
    CLOUDBURST_RETURNED=yes
    export CLOUDBURST_RETURNED
    own "$@"
  fi
  rm -f "$trial.why"
fi

# It was kept: its daemon is this process's from now on.
ended
status=$?
if [ "$status" = "$TRY_NEXT" ] && [ -e "$trial" ]; then
  trap - TERM INT
  CLOUDBURST_TRIAL=$trial
  export CLOUDBURST_TRIAL
  exec "$next/bin/cloudburstd" "$@"
fi
exit "$status"
