"""Where a request comes from: the network address that the trusted hop saw, and nothing that a
client says of itself.

CloudFront is in front of the API. It writes the viewer's address into a header and overwrites what
the client put there. A request that bypasses it does not reach the API (ADR 0016). Without
CloudFront, the address is the one that API Gateway saw.
"""

import socket
from collections.abc import Mapping

# What the template gives where no hop is trusted: no header can have this name.
NO_HEADER = "(none)"
_UNKNOWN = "unknown"


def read_source(headers: Mapping[str, str], peer: str, trusted_header: str = NO_HEADER) -> str:
    """Return an IPv4 address, or the /48 network of an IPv6 address: an ordinary line has 256
    networks of /64.

    `headers` has names in lower case, `peer` is what API Gateway saw, `trusted_header` is what the
    trusted hop writes. Should that be missing, it is the peer: then all who came by one hop share a
    bound, and nobody chooses their own. What is no address becomes one source.
    """
    return _network(headers.get(trusted_header, peer))


def _network(address: str) -> str:
    try:
        return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, address))
    except (OSError, ValueError):
        pass
    try:
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return _UNKNOWN
    if packed.startswith(b"\0" * 10 + b"\xff\xff"):
        return socket.inet_ntoa(packed[12:])
    return f"{packed[:6].hex()}/48"
