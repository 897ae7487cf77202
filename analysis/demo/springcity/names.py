"""Invented names in Chinese with their pinyin, never the same twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

_SYLLABLES: Final = (
    "春 Chun;和 He;永 Yong;安 An;清 Qing;云 Yun;翠 Cui;明 Ming;锦 Jin;华 Hua;金 Jin;玉 Yu;"
    "龙 Long;泉 Quan;青 Qing;松 Song;柏 Bai;兰 Lan;桂 Gui;荷 He;瑞 Rui;祥 Xiang;福 Fu;康 Kang;"
    "宁 Ning;静 Jing;文 Wen;德 De;仁 Ren;义 Yi;礼 Li;智 Zhi;信 Xin;东 Dong;南 Nan;西 Xi;"
    "北 Bei;新 Xin;丰 Feng;乐 Le;平 Ping;顺 Shun;朝 Chao;阳 Yang;星 Xing;月 Yue;霞 Xia;虹 Hong;"
    "梅 Mei;竹 Zhu;石 Shi;溪 Xi;湖 Hu;桥 Qiao;塘 Tang;岭 Ling;坡 Po;村 Cun;园 Yuan;林 Lin"
)
_PAIRS: Final = tuple(tuple(entry.split(" ")) for entry in _SYLLABLES.split(";"))


def name_stream(rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Pairs of (Chinese, pinyin) such as ("春和", "Chunhe"), shuffled, none twice.

    Names of three syllables, such as ("春和安", "Chunhean"), follow those of two.
    """
    count = len(_PAIRS)
    for length in (2, 3):
        for code in rng.permutation(count**length):
            taken = [_PAIRS[code // count**k % count] for k in reversed(range(length))]
            if all(one != other for one, other in pairwise(taken)):
                latin = "".join(pinyin for _, pinyin in taken)
                yield "".join(name for name, _ in taken), latin.capitalize()
