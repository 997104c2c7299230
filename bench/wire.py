"""A wire between network interfaces, with a delay: what arrives at one is sent on by the others, as long afterwards as is said. For kernels without netem (bench/hosts.sh).
   wire.py MILLISECONDS INTERFACE INTERFACE [...]
Offloading must be off at the other ends (ethtool -K eth0 tx off tso off gso off gro off): a frame is sent on as it is. Needs CAP_NET_RAW."""
import collections
import select
import socket
import sys
import time

OUTGOING = 4  # PACKET_OUTGOING: what this program sent itself


def main():
    delay, names = float(sys.argv[1]) / 1e3, sys.argv[2:]
    ends = []
    for name in names:
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        end.bind((name, 3))
        ends.append(end)
    waiting = collections.deque()
    places = {}
    while True:
        wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(ends, [], [], wait)[0]:
            try:
                frame, address = end.recvfrom(65536)
            except OSError:
                continue  # its link is down
            if address[2] == OUTGOING:
                continue
            places[frame[6:12]] = end
            waiting.append((time.monotonic() + delay, end, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, source, frame = waiting.popleft()
            known = places.get(frame[0:6])
            for end in [known] if known else ends:
                if end is source:
                    continue
                try:
                    end.send(frame)
                except OSError:
                    pass  # its link is down: the frame is lost, as on a real wire


if __name__ == "__main__":
    main()
