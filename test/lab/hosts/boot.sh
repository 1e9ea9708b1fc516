#!/bin/sh
# The first process of a light host: its own tree, /proc, /dev and sshd, then a parent for whatever is left alone.
# Arguments: the root directory and the host's name. Called inside new mount, uts, ipc, pid and network namespaces.
root=$1
hostname "$2"
mount --bind "$root" "$root" && cd "$root" || exit 1
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys 2>/dev/null
mount -t tmpfs -o mode=755 tmpfs dev
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir dev/pts dev/shm run/sshd
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mkdir -p .old
pivot_root . .old
cd /
umount -l .old
rmdir .old
exec /bin/sh -c '
/usr/sbin/sshd -D -e 2>>/var/log/sshd.log </dev/null >/dev/null &
while :; do wait; sleep 1; done'
