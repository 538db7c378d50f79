"""Remove a container by its name; run by `reap.py`, by file path, when the process that made it is gone."""

from __future__ import annotations

import sys
import time

PATIENCE = 10.0  # the engine may still be making the container that a killed process asked for


def main(name: str) -> None:
    """Remove the container, with its volumes, as soon as it is there."""
    import docker
    from testcontainers.core.docker_client import DockerClient

    containers = DockerClient().client.containers
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            containers.get(name).remove(force=True, v=True)
            return
        except docker.errors.NotFound:
            time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
