"""A binary workbook (.xls), written once by xlwt, packed: one mark of each kind in its four rows.

Row 2: beds 0.1 shown as 10 %. Row 3: beds #N/A. Row 4: hidden, its name struck out. Row 5: beds 20,
the code a date.
"""

from __future__ import annotations

import base64
import lzma
from typing import Final

_PACKED: Final = """
/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4BX/AutdAGgzvhyGMHdg9KSEKkAMHHYngvKRhtyIyie64aC3xgQTZ5vNmLlp
NRUqmeED08XozNH0Sz/ZqCLxYNmwx+4v1UI+paOKIneBVRFwGzT6D/ujymYAx2HNK6igkTgwCYzLHYse39FHGA104/DY
J4+VKGOmrUwK6ls6nK/V8ANGtcY3YFqYFEqCx5eWX79ofuY4cKoND/k7tx7JFKeHSazwp/H40Fv5/J6jcPxVFWzqZbmW
g3EQJ4+7oY6dqLvcTpTNa2hiKysjaqf3K/HhotawOFuvxAvRiKAKoQh6f6ckl8OzW0IWT9JQKekehyUL5sNbrhmcnvcE
If0vOuAEp+gUSD1CKzlwr6Spof3Uddc6P3DhiejrdFQEqPRzMghgIBwoAyPGaFD6U96jiZRgf6leH662vWSzHIUZ3dlP
+tVKOf9FLbjUu2aGP9y0Y0B8uypFxJh4Zm1M/liHGt0kw6Y23pKeKyvJO6mr0ha3R3jCXkl6Ch4BjbV/wX/xgwsjBMRt
Se8dM/2D3daaebrg2pJQmXHoUFufFTvrlRhPLmXz81zAFuPWOKh+TZwRk+2YInr0WmehkzKoWdpPu2LzJ6E0kLfqFt9+
B7MPWJwERaUNCxu339zCEis0Rbi3w2sZ/6gFzLGI+qpFY2uEehh8A7DeklZc2h+8beBjoCPodNnqmSIy1NPix6wo3OgF
KLLclEaU7ezIxsBApYUD0qP6H6PgS/l7nFZxPaWAxiz15PCNIaxKraAx4chhRFm/9H6hdaTkMANTN9YRdETD9v/f1OWO
7sk0suoY1c2V07n2H8Prg65EF0jw+oGVkdgxS7LcBVNQKxILM3rNaGq8nr85S2H5M1bd+ct4Gt1FvtTyF4ZILyto3lsJ
enxLh6XyKQ4Yop5K7t1ZMvmeHYqL6r25Bf1ahh38tkBopds+YzN3D8e67y07hqe8cq1LN7p2598jNQ0gm9WS7CJUe/2M
bvtLB858o6o/r1LBNiYSPhwQoAAAXPN46BaWIAIAAYcGgCwAAKIMrpOxxGf7AgAAAAAEWVo=
"""


def marked_xls() -> bytes:
    """The bytes of the workbook."""
    return lzma.decompress(base64.b64decode(_PACKED))
