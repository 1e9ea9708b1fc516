/** What each kind of init is told about the daemon, as text. */

export interface Service {
  /** Absolute paths of the two programs. */
  readonly daemon: string
  readonly cli: string
  /** Who it runs as. */
  readonly user: string
}

/** Where a service has its files: /etc/cloudburst and /var/lib/cloudburst, for whichever user it runs as. */
export const serviceEnvironment = { HOME: '/var/lib/cloudburst', XDG_CONFIG_HOME: '/etc', XDG_STATE_HOME: '/var/lib' } as const

/** How long a daemon may be silent before systemd starts it again, in seconds. */
const WATCHDOG_SECONDS = 60
/** Open files, at most: connections, outputs and the store, with room. */
const FILES_MAX = 16_384
const TASKS_MAX = 4_096

/**
 * A unit of systemd. KillMode=process: steps that run survive a restart, in the runner. Nothing here keeps steps
 * from writing files, since that is what they are for; what is closed is what no step of a service user needs.
 */
export function systemdUnit({ daemon, user }: Service): string {
  const environment = Object.entries(serviceEnvironment).map(([name, value]) => `Environment=${name}=${value}\n`)
  return `[Unit]
Description=Cloudburst, the daemon of this node
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=${daemon}
User=${user}
${environment.join('')}Restart=on-failure
RestartSec=2
TimeoutStartSec=120
WatchdogSec=${WATCHDOG_SECONDS}
KillMode=process
LimitNOFILE=${FILES_MAX}
TasksMax=${TASKS_MAX}
MemoryHigh=75%
UMask=0077
${user === 'root' ? '' : hardening}
[Install]
WantedBy=multi-user.target
`
}

const hardening = `
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectSystem=full
ReadWritePaths=/etc/cloudburst
ProtectHome=read-only
PrivateDevices=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
`

/** A script of OpenRC. Start and stop are our own: what `command=` needs of start-stop-daemon is not the same on all systems. */
export function openrcScript({ cli, user }: Service): string {
  return `#!/sbin/openrc-run
name=cloudburst
description="Cloudburst, the daemon of this node"

depend() {
  use net
  after firewall
}

start() {
  ebegin "Starting cloudburst"
  ${cli} start-daemon --service background --service-user ${user} >/dev/null
  eend $?
}

stop() {
  ebegin "Stopping cloudburst"
  ${cli} stop-daemon --service background
  eend $?
}
`
}

/** A script of System V, with the comments that insserv reads. */
export function sysvScript({ cli, user }: Service): string {
  return `#!/bin/sh
### BEGIN INIT INFO
# Provides:          cloudburst
# Required-Start:    $network $remote_fs $syslog
# Required-Stop:     $network $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Cloudburst, the daemon of this node
### END INIT INFO
case $1 in
  start) exec ${cli} start-daemon --service background --service-user ${user} ;;
  stop) exec ${cli} stop-daemon --service background ;;
  restart|force-reload) exec ${cli} start-daemon --service background --service-user ${user} --restart ;;
  status) exec ${cli} hello ;;
  *) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
`
}

/** For logrotate(8): the daemon keeps its file open, so it is copied and emptied. */
export function logrotateText(log: string): string {
  return `${log} {
  weekly
  rotate 4
  size 10M
  compress
  missingok
  notifempty
  copytruncate
}
`
}

/** What a person needs to start and stop the daemon by sudo without a password, and nothing else. For /etc/sudoers.d. */
export function sudoersText(user: string, { cli }: Pick<Service, 'cli'>): string {
  const commands = ['start-daemon', 'start-daemon --restart', 'stop-daemon'].map(words => `${cli} ${words}`)
  return `# ${user} may start and stop the Cloudburst daemon of this node.
Cmnd_Alias CLOUDBURST = ${commands.join(', ')}
${user} ALL=(root) NOPASSWD: CLOUDBURST
`
}
