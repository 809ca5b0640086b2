"""The Merkle tree hash against RFC 6962: the known roots of its reference implementation, and the
definition itself.
"""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort_ops.register.merkle import MerkleTree, leaf_hash

# Leaves and roots of certificate-transparency's own tests (merkletree/merkle_tree_test.cc).
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def root(leaves: list[bytes]) -> bytes:
    """Return the root that the tree finds."""
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    return tree.root


def defined(leaves: list[bytes]) -> bytes:
    """Return the hash as section 2.1 of RFC 6962 defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + defined(leaves[:half]) + defined(leaves[half:])).digest()


@pytest.mark.parametrize("count", range(len(ROOTS)))
def test_roots_of_the_reference_implementation(count: int) -> None:
    assert root([bytes.fromhex(leaf) for leaf in LEAVES[:count]]).hex() == ROOTS[count]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_it_is_the_hash_that_the_rfc_defines(leaves: list[bytes]) -> None:
    assert root(leaves) == defined(leaves)
