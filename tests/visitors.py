"""Visitors of a server that stops: some keep their connection, some take a new one each time, some ask for long."""

import http.client
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Visits:
    """What visitors got. Refused is no failure: nothing was sent yet, so a load balancer asks another."""

    served: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, served: int = 0, refused: int = 0, failed: str = "") -> None:
        with self.lock:
            self.served += served
            self.refused += refused
            self.failed += [failed] if failed else []


class Visitors:
    """Threads that ask until they are told to go or find the door closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.visits = Visits()
        self.gone = threading.Event()
        kinds = [("/version", True)] * 6 + [("/version", False)] * 10 + [("/slow?seconds=1.5", False)] * 3
        self.threads = [threading.Thread(target=self.ask, args=kind) for kind in kinds]

    def __enter__(self) -> "Visitors":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gone.set()
        for thread in self.threads:
            thread.join(30)

    def ask(self, path: str, keeps: bool) -> None:
        while not self.gone.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.connect()
            except OSError:
                self.visits.note(refused=1)
                time.sleep(0.05)
                continue
            self.ask_on(connection, path, keeps)
            connection.close()

    def ask_on(self, connection: http.client.HTTPConnection, path: str, keeps: bool) -> None:
        """Asks once, or until the server says that the connection ends."""
        while True:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                return self.visits.note(failed=f"{path}: {error!r}")
            self.visits.note(served=1, failed="" if answer.status == 200 else f"{path}: {answer.status}")
            if not keeps or answer.will_close or self.gone.is_set():
                return None
