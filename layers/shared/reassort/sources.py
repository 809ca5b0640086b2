"""Where a request comes from: the network address that the last trusted hop saw, and nothing that a client says of itself.

CloudFront appends the address of whoever spoke to it to `X-Forwarded-For`; API Gateway appends the address of CloudFront.
That list is believed only in a request that carries the key which CloudFront adds; any other came straight to API Gateway,
and is from the address that API Gateway saw.
"""

import hmac
import socket
from collections.abc import Mapping

EDGE_KEY_HEADER = "x-edge-key"
_UNKNOWN = "unknown"


def read_source(headers: Mapping[str, str], peer: str, edge_key: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address: one household or one site has no more of these.

    `headers` has names in lower case, `peer` is what API Gateway saw, `edge_key` is empty when nothing stands in front.
    What is no address becomes one source of its own.
    """
    given = headers.get(EDGE_KEY_HEADER, "")
    if not edge_key or not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), edge_key.encode()):
        return _network(peer)
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")]
    if len(hops) > 1 and hops[-1] == peer:
        hops.pop()
    return _network(hops[-1])


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
    return f"{packed[:8].hex()}/64"
