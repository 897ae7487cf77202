"""A kept page whose scripts carry a number of their own at every answer, plain or compressed.

The page is cut where the number stands. Compressed, each piece ends with a full flush (RFC 1951:
at a byte, and nothing behind it refers to what is before), so that the number can be put between
them as a stored block; only the checksum of the whole is counted anew.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 5
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # gzip, RFC 1952
_END: Final = b"\x03\x00"  # an empty last block


@dataclass(slots=True)
class Pieces:
    """The pieces of a page, and each of them compressed (made when first wanted)."""

    plain: list[bytes]
    small: list[bytes] | None = None

    @classmethod
    def of(cls, page: bytes, stands: bytes) -> Pieces:
        """A page in which `stands` keeps the place of the number."""
        return cls(page.split(stands))

    def squeeze(self) -> int:
        """Compress the pieces; how many bytes are held more."""
        if self.small is not None:
            return 0
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
        made = [packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for piece in self.plain]
        self.small = made
        return sum(map(len, made))

    def with_nonce(self, nonce: bytes, squeezed: bool) -> bytes:
        """The page with its number; as gzip where `squeezed`, if it was compressed already."""
        page = nonce.join(self.plain)
        if not squeezed or self.small is None:
            return page
        stored = struct.pack("<BHH", 0, len(nonce), len(nonce) ^ 0xFFFF) + nonce
        tail = struct.pack("<LL", zlib.crc32(page), len(page) & 0xFFFFFFFF)
        return b"".join((_HEAD, stored.join(self.small), _END, tail))
