"""A real MQTT broker on loopback, and the receiver that counts what comes out of it."""

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

RECEIVER = """
import json, sys
import paho.mqtt.client as mqtt

port, told = int(sys.argv[1]), open(sys.argv[2], "a", buffering=1)
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "soak-receiver", clean_session=False)

def subscribe(client, userdata, flags, reason, properties):
    client.subscribe("soak/#", qos=2)

def receive(client, userdata, message):
    event = json.loads(message.payload)
    told.write(json.dumps([event["id"], event["kind"], event["path"]]) + "\\n")

client.on_connect, client.on_message = subscribe, receive
client.reconnect_delay_set(1, 2)
client.connect_async("127.0.0.1", port)
client.loop_forever(retry_first_connection=True)
"""


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Broker:
    """Debian's mosquitto, which keeps its sessions over a stop."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            sys.exit("mosquitto is not installed: apt-get install mosquitto")
        self.port = free_port()
        folder.mkdir()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\nlog_type error\n"
        )
        self._command = [program, "-c", str(config)]
        self._log = (folder / "log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None
        self.received = folder / "received.jsonl"
        self.received.touch()
        self._receiver: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, or go on."""
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        if self._receiver is None:
            command = [sys.executable, "-c", RECEIVER, str(self.port), str(self.received)]
            self._receiver = subprocess.Popen(command)

    def stop(self) -> None:
        """End the broker as its service does; the receiver waits for it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End both."""
        self.stop()
        if self._receiver is not None:
            self._receiver.kill()
            self._receiver.wait()
