#!/usr/bin/env python3
"""
A switch in user space, for kernels that cannot delay packets: hosts are network namespaces, each with a TAP device as its eth0,
and every frame between them is held for as long as the last line on standard input says.

  slow-switch.py NETWORK PID...     PID holds the namespace of host 1, 2, ...; NETWORK is such as 10.213.0
  {"delayMs": 40, "jitterMs": 5}    on standard input, as often as one likes; its end ends the switch
"""
import ctypes, fcntl, heapq, json, os, random, selectors, struct, subprocess, sys, time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
# Frames that are read from one host before the others have their turn.
BURST = 64
FRAME_BYTES_MAX = 65535
libc = ctypes.CDLL('libc.so.6', use_errno=True)


def enter(namespace):
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


def tap(pid, address):
    """The switch's end of the line of a host; the other end is its eth0."""
    home = os.open('/proc/self/ns/net', os.O_RDONLY)
    there = os.open(f'/proc/{pid}/ns/net', os.O_RDONLY)
    enter(there)
    try:
        line = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(line, TUNSETIFF, struct.pack('16sH', b'eth0', IFF_TAP | IFF_NO_PI))
        for words in (['addr', 'add', address, 'dev', 'eth0'], ['link', 'set', 'eth0', 'up'], ['route', 'add', 'default', 'dev', 'eth0']):
            subprocess.run(['ip', *words], check=True)
        return line
    finally:
        enter(home)
        os.close(home)
        os.close(there)


def main(network, pids):
    lines = [tap(pid, f'{network}.{at + 1}/24') for at, pid in enumerate(pids)]
    hears = selectors.DefaultSelector()
    for at, line in enumerate(lines):
        hears.register(line, selectors.EVENT_READ, at)
    os.set_blocking(0, False)
    hears.register(0, selectors.EVENT_READ, None)
    owners, held, count, delay, jitter = {}, [], 0, 0.0, 0.0
    print('ready', flush=True)
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        for key, _ in hears.select(wait):
            if key.data is None:
                said = os.read(0, FRAME_BYTES_MAX)
                if not said:
                    return
                last = json.loads(said.decode().strip().split('\n')[-1])
                delay, jitter = last.get('delayMs', 0) / 1000, last.get('jitterMs', 0) / 1000
                continue
            for _ in range(BURST):
                try:
                    frame = os.read(key.fd, FRAME_BYTES_MAX)
                except BlockingIOError:
                    break
                owners[frame[6:12]] = key.data
                owner = None if frame[0] & 1 else owners.get(frame[0:6])
                due = time.monotonic() + delay + random.random() * jitter
                for to in [owner] if owner is not None else [each for each in range(len(lines)) if each != key.data]:
                    count += 1
                    heapq.heappush(held, (due, count, to, frame))
        now = time.monotonic()
        while held and held[0][0] <= now:
            _, _, to, frame = heapq.heappop(held)
            try:
                os.write(lines[to], frame)
            except (BlockingIOError, OSError):
                pass  # a line that is down or full loses frames, as lines do


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
