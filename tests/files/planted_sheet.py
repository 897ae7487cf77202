"""A facility table as a bureau sends it, and forty faults planted in it, each in its own cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

TITLES = (
    "编号", "设施类型", "名称", "经度", "纬度", "举办主体", "建筑面积", "室内面积",
    "居民活动面积", "床位数", "容量", "营业时间", "社区代码", "是否普惠",
)  # fmt: skip
ROWS = 60
KINDS = ("社区卫生服务中心", "菜市场", "药店", "便利店", "养老服务设施")

# What is planted: (row as people count, column, value); the column of a place is "经度, 纬度".
PLACE = "经度, 纬度"
PLANTED: tuple[tuple[int, str, Any], ...] = (
    (2, "编号", None),
    (3, "编号", "SS-044"),  # stands in row 44 too: the later one is told
    (4, "设施类型", None),
    (5, "设施类型", "社区卫生服务种心"),
    (6, "设施类型", "火车站"),
    (7, "名称", None),
    (8, "名称", "翠湖\n药店"),
    (9, "名称", "金\u200b马市场"),
    (10, "名称", "#REF!"),
    (11, "经度", None),
    (12, "纬度", None),
    (13, "经度", "不详"),
    (14, "纬度", "约25.04"),
    (15, "经度", "102°72'36\"E"),
    (16, "经度", 1027.1234),
    (17, "纬度", 254.0234),
    (18, PLACE, (25.04123, 102.71234)),
    (19, PLACE, (0, 0)),
    (20, PLACE, (116.39123, 39.90456)),
    (21, PLACE, (102.7, 25.0)),
    (22, "经度", "102,71,234"),
    (23, "举办主体", "张三"),
    (24, "建筑面积", "约两百"),
    (25, "建筑面积", -120),
    (26, "建筑面积", "#N/A"),
    (27, "建筑面积", 88_000_000),
    (28, "室内面积", 5000),
    (29, "居民活动面积", 4000),
    (30, "室内面积", "待定"),
    (31, "床位数", "十张"),
    (32, "床位数", -3),
    (33, "床位数", 12.5),
    (34, "容量", "若干"),
    (35, "容量", 99_999_999),
    (36, "营业时间", "08:00-25:30"),
    (37, "营业时间", "看情况"),
    (38, "社区代码", "5.30102E+11"),
    (39, "社区代码", "53010200100"),
    (40, "是否普惠", "也许"),
    (42, PLACE, "as row 41"),  # the same type and name as row 41, ten metres off
)
# Where a fault is told when it is not told in the planted cell itself.
TOLD: dict[tuple[int, str], tuple[int, str | None]] = {
    (3, "编号"): (44, "编号"),
    (17, "纬度"): (17, "纬度"),
    (18, PLACE): (18, "纬度"),
    (42, PLACE): (42, None),
}


def sound_row(row: int) -> dict[str, Any]:
    """A row without a fault; places lie in Kunming, some hundred metres from each other."""
    return {
        "编号": f"SS-{row:03d}",
        "设施类型": KINDS[row % len(KINDS)],
        "名称": f"{'甲乙丙丁戊己庚辛壬癸'[row % 10]}{'子丑寅卯辰巳午未申酉戌亥'[row % 12]}{row}号",
        "经度": round(102.70011 + 0.00317 * (row % 8), 5),
        "纬度": round(25.03013 + 0.00291 * (row // 8), 5),
        "举办主体": "政府举办" if row % 2 else "民办",
        "建筑面积": 800 + row,
        "室内面积": 500 + row,
        "居民活动面积": 300 + row,
        "床位数": 20 + row,
        "容量": 2000 + row,
        "营业时间": "08:00-18:00" if row % 3 else "24小时",
        "社区代码": f"530102001{row:03d}",
        "是否普惠": "是" if row % 2 else "否",
    }


def planted_rows() -> list[dict[str, Any]]:
    """All rows, the faults among them."""
    rows = {row: sound_row(row) for row in range(2, ROWS + 2)}
    for row, column, value in PLANTED:
        if value == "as row 41":
            rows[42] |= {"设施类型": rows[41]["设施类型"], "名称": rows[41]["名称"]}
            rows[42] |= {"经度": rows[41]["经度"] + 0.0001, "纬度": rows[41]["纬度"]}
        elif column == PLACE:
            rows[row] |= {"经度": value[0], "纬度": value[1]}
        else:
            rows[row][column] = value
    return [rows[row] for row in sorted(rows)]


def write_sheet(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as a workbook; codes are text."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(TITLES))
    for values in rows:
        sheet.append([values[title] for title in TITLES])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    book.save(path)
    return path
