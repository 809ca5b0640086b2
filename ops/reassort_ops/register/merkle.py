"""The Merkle tree hash of RFC 6962 (section 2.1), which RFC 9162 keeps: leaf by leaf, in memory of
the tree's height.

One digest stands for a list of any length. That a leaf is in it can be shown with one digest for
each level of the tree.
"""

from __future__ import annotations

from hashlib import sha256

_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf. Its prefix keeps a leaf from being taken for an inner node."""
    return sha256(_LEAF + leaf).digest()


class MerkleTree:
    """A tree that grows to the right."""

    def __init__(self) -> None:
        # Complete subtrees from left to right, each smaller than the one before: the binary digits
        # of the number of leaves.
        self._subtrees: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf, given by its `leaf_hash`."""
        size, digest = 1, leaf
        while self._subtrees and self._subtrees[-1][0] == size:
            digest = _node_hash(self._subtrees.pop()[1], digest)
            size *= 2
        self._subtrees.append((size, digest))

    @property
    def root(self) -> bytes:
        """Return the hash of all leaves so far."""
        if not self._subtrees:
            return sha256(b"").digest()
        digest = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            digest = _node_hash(left, digest)
        return digest


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
