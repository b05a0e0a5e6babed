#!/usr/bin/env python3
"""A way to a registry with latency and limited bandwidth, both of which are known exactly.

usage: benches/slow_proxy.py LISTEN UPSTREAM MILLISECONDS MEGABYTES_PER_SECOND

Each request waits for so long before it is passed on; all bytes towards the registry share the bandwidth.
At its end (SIGTERM) it prints how much was passed on, and in which share of the time between the first and
the last byte of the uploads the bandwidth was used.
"""
import signal, socket, sys, threading, time

listen, upstream, delay, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]) / 1000, float(sys.argv[4]) * 1e6
lock, free_at, passed, first, last = threading.Lock(), 0.0, 0, None, None


def take(count):
    """Waits until so many bytes have had their time on the wire."""
    global free_at, passed, first, last
    with lock:
        now = time.monotonic()
        free_at = max(free_at, now) + count / rate
        until = free_at
        passed += count
        if count > 4096:
            first = first or now
            last = until
    time.sleep(max(0, until - time.monotonic()))


def serve(client):
    server = socket.create_connection(upstream.rsplit(":", 1))
    for s in (client, server):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answered = threading.Event()
    answered.set()

    def back():
        while data := server.recv(1 << 16):
            answered.set()
            client.sendall(data)
        client.close()

    threading.Thread(target=back, daemon=True).start()
    try:
        while data := client.recv(1 << 16):
            if answered.is_set():
                answered.clear()
                time.sleep(delay)
            take(len(data))
            server.sendall(data)
    except OSError:
        pass
    server.close()


def end(*_):
    span = (last or 0) - (first or 0)
    used = passed / rate / span if span else 0
    print(f"{passed} bytes passed on in {span:.2f} s: {used:.0%} of the bandwidth", flush=True)
    sys.exit()


signal.signal(signal.SIGTERM, end)
host, port = listen.rsplit(":", 1)
server = socket.create_server((host, int(port)), backlog=64)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
