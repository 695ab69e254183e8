"""Enough of a WebSocket client for these examples, with Python alone. In earnest use the package `websockets`."""
import base64
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


class WebSocket:
    def __init__(self, url: str, **headers: str):
        address = urlsplit(url)
        port = address.port or (443 if address.scheme == "wss" else 80)
        self._socket = socket.create_connection((address.hostname, port))
        if address.scheme == "wss":
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=address.hostname)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        key = base64.b64encode(os.urandom(16)).decode()
        head = {"Host": address.netloc, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": key, **headers}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._reader = self._socket.makefile("rb")
        status = self._reader.readline().decode().strip()
        while self._reader.readline().strip():
            pass
        if " 101 " not in status:
            raise ConnectionError(status)

    def send(self, data: str | bytes) -> None:
        self._send(TEXT, data.encode()) if isinstance(data, str) else self._send(BINARY, data)

    def __iter__(self):
        """The server's text frames, until it closes."""
        while True:
            opcode, length = self._reader.read(2)
            if length >= 126:
                length = int.from_bytes(self._reader.read(2 if length == 126 else 8), "big")
            payload = self._reader.read(length)
            if opcode & 0xF == CLOSE:
                self._send(CLOSE, payload)
                return
            if opcode & 0xF == PING:
                self._send(PONG, payload)
            if opcode & 0xF == TEXT:
                yield payload.decode()

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)
