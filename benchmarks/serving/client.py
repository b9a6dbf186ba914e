"""A client of `benchmarks/serve.py`: a process that does little but send requests and receive answers."""

import json
import resource
import socket
import sys
from pathlib import Path


def main() -> None:
    """Post files one after the other over one connection."""
    port, orders = json.loads(sys.stdin.readline())
    requests = []
    for path, address in orders:
        body = Path(path).read_bytes()
        head = (
            f"POST {address} HTTP/1.1\r\nhost: localhost\r\ncontent-type: audio/wav\r\ncontent-length: "
            f"{len(body)}\r\n\r\n"
        )
        requests.append((path, head.encode() + body))
    print("ready", flush=True)
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    answers = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for path, request in requests:
            connection.sendall(request)
            answers.append((path, _answer(connection)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([answers, spent_s]), flush=True)


def _answer(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"refused: {head!r} {body!r}")
    return body.decode()


if __name__ == "__main__":
    main()
