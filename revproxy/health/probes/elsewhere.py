"""An endpoint as a probe reaches it."""

from __future__ import annotations

from ...endpoint import Endpoint

__all__ = ["elsewhere"]


def elsewhere(endpoint: Endpoint, *, port: int | None = None, scheme: str | None = None) -> Endpoint:
    """``endpoint`` at another port, or by another scheme; itself, where there is no difference or it is a socket."""
    secure = endpoint.secure if scheme is None else scheme == "https"
    if endpoint.socket_path is not None or (port in (None, endpoint.port) and secure == endpoint.secure):
        return endpoint
    found = Endpoint(
        endpoint.url.with_port(port or endpoint.port),
        address=endpoint.address,
        name=endpoint.name,
        zone=endpoint.zone,
        region=endpoint.region,
        location=endpoint.location,
        labels=endpoint.labels,
    )
    found.secure = secure  # its URL keeps the scheme that its policy was made for
    found.policy = endpoint.policy
    # As they were written: yarl has its own opinion of "%2f".
    found.prefix, found.query, found.rebases = endpoint.prefix, endpoint.query, endpoint.rebases
    return found
