"""Whether containers of the running stack reach anything outside, shown against a control that does.

For each container a probe runs in its own network: a container of the gateway's image that joins the network namespace
and has no rights. It tries a listener that this command opens on every address of the host, the engine's own gateway
addresses, whatever the operator names. The control is the same probe on
an ordinary network: what the control does not reach proves nothing, and is reported so.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

_DOCKER_SECONDS = 120.0
#: The one service on an ordinary network: what is published needs one. docs/security.md says what it can reach.
_ON_AN_ORDINARY_NETWORK = frozenset({"edge"})
#: Anything outside will do that answers a TCP connection; a name needs only to be one of the outside's.
_PROBE = """
import json, socket, sys
found = {}
for label, host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), timeout=3).close()
        found[label] = True
    except OSError:
        found[label] = False
print(json.dumps(found))
"""


class EgressUnknown(Exception):
    """Raised when nothing can be said: no engine, no running stack, no control; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Reached:
    """What one container reaches: target -> whether. ``open_by_design`` is so for the edge alone."""

    container: str
    targets: Mapping[str, bool]
    open_by_design: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The control and every container. A target that the control does not reach is no proof and listed apart."""

    control: Mapping[str, bool]
    containers: tuple[Reached, ...]

    @property
    def unproved(self) -> tuple[str, ...]:
        """Targets that the control does not reach either."""
        return tuple(target for target, reached in self.control.items() if not reached)

    @property
    def leaks(self) -> tuple[str, ...]:
        """Containers that reach something and are not meant to."""
        return tuple(
            each.container for each in self.containers if not each.open_by_design and any(each.targets.values())
        )


def look(project: str, targets: Sequence[tuple[str, int]] = ()) -> Verdict:
    """Probe every running container of a Compose project.

    Args:
        project: its name.
        targets: further (host, port) that must not be reached, best something outside that answers the control.

    Raises:
        EgressUnknown: no engine answers, no container of the project runs, or the control reaches nothing.
    """
    # Images that Compose built carry its project's label too, and hand it on; this one only containers have.
    ours = ("--filter", "label=com.docker.compose.container-number")
    ids = _docker("ps", "-q", "--filter", f"label=com.docker.compose.project={project}", *ours).split()
    if not ids:
        raise EgressUnknown(f"no container of the project {project} runs; start the stack first")
    containers = json.loads(_docker("inspect", *ids))
    image = next(
        (each["Config"]["Image"] for each in containers if _service(each) == "gateway"), None
    )  # fmt: skip
    if image is None:
        raise EgressUnknown("no gateway runs; its image makes the probes")
    with _listener() as port:
        tried = [(f"{host}:{port}", host, port) for host in _host_addresses()]
        tried += [(f"{host}:{port_}", host, port_) for host, port_ in targets]
        control = _probe(image, "bridge", tried)
        if not any(control.values()):
            raise EgressUnknown("the control on an ordinary network reaches nothing, so nothing can be shown")
        found = tuple(
            Reached(
                each["Name"].strip("/").removeprefix(f"{project}-"),
                _probe(image, f"container:{each['Id']}", tried),
                _service(each) in _ON_AN_ORDINARY_NETWORK,
            )
            for each in sorted(containers, key=lambda container: str(container["Name"]))
        )
    return Verdict(control, found)


@contextmanager
def _listener() -> Iterator[int]:
    """Answer on every address of this host, on a port of the moment."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that containers do not reach it is the test
        server.settimeout(0.5)
        done = threading.Event()
        answering = threading.Thread(target=_answer, args=(server, done), daemon=True)
        answering.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            answering.join()


def _answer(server: socket.socket, done: threading.Event) -> None:
    while not done.is_set():
        try:
            server.accept()[0].close()
        except TimeoutError:
            continue


def _host_addresses() -> list[str]:
    """Return addresses of this host: its own in the network around it, and the engine's gateways."""
    networks = json.loads(_docker("network", "inspect", *_docker("network", "ls", "-q", "-f", "driver=bridge").split()))
    gateways = {
        entry["Gateway"]
        for network in networks
        if network["Options"].get("com.docker.network.bridge.inhibit_ipv4") != "true"
        for entry in network["IPAM"]["Config"] or ()
        if "Gateway" in entry
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # nothing is sent; the kernel only chooses the address it would send from
            gateways.add(asking.getsockname()[0])
        except OSError:
            pass  # a host without a network has no such address
    return sorted(gateways)


def _probe(image: str, network: str, tried: Sequence[tuple[str, str, int]]) -> dict[str, bool]:
    found: dict[str, bool] = json.loads(
        _docker(
            "run", "--rm", "--pull", "never", "--network", network, "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--memory", "128m", "--pids-limit", "64", "--no-healthcheck",
            image, "python", "-c", _PROBE, json.dumps(tried),
        )
    )  # fmt: skip
    return found


def _service(container: Mapping[str, dict[str, dict[str, str]]]) -> str:
    return container["Config"]["Labels"].get("com.docker.compose.service", "")


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            ["docker", *arguments],  # noqa: S607 - whichever client the operator uses
            capture_output=True, text=True, check=False, timeout=_DOCKER_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EgressUnknown(f"`docker {arguments[0]}`: {error}") from error
    if done.returncode != 0:
        raise EgressUnknown(f"`docker {arguments[0]}` failed: {done.stderr.strip()}")
    return done.stdout
