"""Which tagged things are which service, read from drawn files: one line a trap."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis.policy import Policy
from tests.worlds.tagged import read_nodes, tags_of

# What a thing says of itself, and which services it is ("" = none). A | is a space.
HEALTH = """
amenity=hospital name=翠湖社区卫生服务中心  health_centre
amenity=hospital name=小哨镇中心卫生院  health_centre
amenity=clinic name=龙眼街道社区卫生服务中心  health_centre
amenity=clinic name=五华区中医医院莲华社区卫生服务中心  health_centre
amenity=hospital name=校医院（北京邮电大学社区卫生服务中心）  health_centre
amenity=hospital name=北京大学校医院  health_centre
amenity=hospital name=清华大学医院  health_centre
building=hospital name=上海大学校医院  health_centre
healthcare=centre name=黑沙環衛生中心|Centro|de|Saúde|da|Areia|Preta  health_centre
amenity=clinic name=大觀社區衛生服務中心  health_centre
amenity=clinic name=团结社区卫生服务中心麻园服务站  health_station
amenity=clinic name=某某村卫生室  health_station
amenity=hospital name=翠湖社区卫生服务站  health_station
amenity=clinic name=关上社区卫生服务中心中医馆  -
amenity=clinic name=爱尔眼科门诊部  -
amenity=clinic name=精益口腔  -
amenity=clinic name=美莱医疗美容门诊部  -
amenity=clinic name=某某皮肤病诊所  -
amenity=clinic name=同仁中医诊所  -
amenity=clinic name=安琪儿妇产门诊  -
amenity=clinic name=美年大健康体检中心  -
amenity=clinic name=阳光康复门诊部  -
amenity=clinic name=瑞鹏宠物医院  -
amenity=clinic name=瑞鵬寵物診所  -
amenity=hospital name=云南省第一人民医院  -
amenity=clinic name=某大学医务室  -
amenity=clinic name=张大夫诊所  health_station
amenity=hospital name=Mosta|Health|Centre  health_centre
amenity=hospital name=Polyclinic|Sliema name:en=Gzira|Health|Centre  health_centre
amenity=doctors name=Paola|Health|Center  health_centre
healthcare=yes name=Centru|tas-Sahha  health_centre
amenity=clinic name=UBS|Santa|Cecília  health_centre
amenity=clinic name=Unidade|Básica|de|Saúde|Modelo  health_centre
amenity=hospital name=UNIDADE|BASICA|DE|SAUDE|MODELO  health_centre
amenity=doctors name=Posto|de|Saúde|Bom|Jesus  health_centre
amenity=clinic name=Centro|de|Salud|Lavapiés  health_centre
amenity=clinic name=Casa|della|Comunità|Prati  health_centre
amenity=clinic official_name=Clínica|da|Família|Álvaro name=CF|Álvaro  health_centre
amenity=clinic operator:type=public  health_centre
amenity=clinic  health_centre
amenity=clinic operator:type=private  -
amenity=clinic name=Centro|de|Saúde|Mental  -
amenity=clinic name=Women's|Health|Centre  -
amenity=clinic name=Animal|Health|Centre  -
amenity=clinic name=Clínica|Odontológica|Sorriso  -
amenity=clinic name=Clínica|de|Fisioterapia|Vida  -
amenity=clinic name=Elielinaukion|röntgen  -
amenity=clinic name=Saint|Anne's|clinic  health_station
amenity=doctors name=Dr.|Pozniak  health_station
amenity=doctors healthcare:speciality=urology name=Dr.|Moser  -
amenity=doctors healthcare:speciality=general;urology name=Dr.|Moser  health_station
amenity=clinic healthcare:speciality=dermatology;allergology  -
amenity=clinic healthcare:speciality=general;dermatology name=Praxis  health_station
amenity=clinic healthcare=physiotherapist name=Movimento  -
amenity=clinic healthcare=dentist  -
amenity=dentist;clinic name=Vita  health_station
amenity=clinic name=Barbara|Clinic  health_station
highway=bus_stop name=Centro|de|Saúde|Soares|dos|Reis  -
amenity=pharmacy name=同仁堂  pharmacy
amenity=pharmacy  pharmacy
shop=chemist name=健之佳药店  pharmacy
shop=chemist dispensing=yes  pharmacy
shop=chemist  -
amenity=pharmacy name=第一人民医院门诊药房  -
amenity=pharmacy name=Farmácia|Veterinária  -
amenity=pharmacy access=private  -
"""

SHOPS = """
amenity=marketplace  market
amenity=marketplace name=中国移动  -
amenity=marketplace name=新迎建材市场  -
amenity=marketplace name=景星花鸟市场  -
amenity=marketplace name=Antique|Market  -
amenity=marketplace name=篆新农贸市场  market
shop=mall name=篆新農貿市場  market
landuse=retail name=大观菜市场  market
highway=bus_stop name=大观菜市场  -
shop=supermarket name=沃尔玛  supermarket
shop=supermarket name=石科院小卖部  convenience_store
shop=supermarket name=Turkish|Mini|Market  convenience_store
shop=supermarket name=某某建材超市  -
shop=supermarket name=永辉生鲜超市  supermarket,greengrocer
shop=supermarket name=Gerald's|Fruit|and|Vegetables  greengrocer
shop=department_store name=家乐福超市  supermarket
shop=convenience  convenience_store
shop=convenience name=Just|Paint  -
shop=convenience name=The|Bakery|Shop  -
shop=kiosk name=便利店  convenience_store
shop=kiosk  -
shop=greengrocer  greengrocer
shop=greengrocer name=Champs|Pastizzerija  -
shop=yes name=鲜丰果蔬  greengrocer
shop=bakery  breakfast
shop=bakery name=好利来蛋糕  -
amenity=fast_food  -
amenity=fast_food cuisine=burger name=Burger|King  -
amenity=fast_food name=庆丰包子铺  breakfast
amenity=fast_food name=肯德基  breakfast
amenity=fast_food cuisine=pizza;breakfast  breakfast
amenity=restaurant name=永和大王  breakfast
amenity=cafe  -
amenity=cafe breakfast=yes  breakfast
amenity=recycling  -
amenity=recycling recycling_type=container  -
amenity=recycling recycling_type=container name=再生资源回收站  -
amenity=recycling name=再生资源回收站  recycling
amenity=recycling name=Recycling|wheelie|bins  -
amenity=recycling recycling_type=centre name=Civic|Amenity|Site  recycling
shop=yes name=老王废品收购  recycling
amenity=post_office name=菜鸟驿站  parcel_station
shop=convenience name=菜鸟驿站  convenience_store,parcel_station
amenity=post_office name=顺丰速运分拣中心  -
amenity=vending_machine vending=parcel_mail_in;parcel_pickup  parcel_station
amenity=vending_machine vending=drinks  -
"""

SCHOOLS = """
amenity=school  primary_school
amenity=school name=春城学校  primary_school
amenity=school name=昆明市第一中心小学  primary_school
amenity=school name=清华附小  primary_school
amenity=school name=北京石油学院附属小学(月华分校)  primary_school
amenity=school name=九年一贯制某某学校  primary_school,middle_school
amenity=school name=清华附中  middle_school
amenity=school name=贵溪五中  middle_school
amenity=school name=贵溪市第四中学  middle_school
amenity=school name=某某高级中学  -
amenity=school name=诗雅艺术学校  -
amenity=school name=昆明盲哑学校  -
amenity=school name=新迎驾校  -
amenity=school name=新东方英语培训学校  -
amenity=school name=云南大学  -
amenity=school name=清华大学洁华幼儿园  kindergarten
amenity=school name=Mosta|Primary|School  primary_school
amenity=school name=Skola|Primarja|Qormi  primary_school
amenity=school name=St.|Aloysius|College  -
amenity=school name=Kulleġġ|San|Benedittu  -
amenity=school name=MCAST  -
amenity=school name=EC|Malta  -
amenity=school name=Girls'|Secondary|School  middle_school
amenity=school name=Ressun|lukio  -
amenity=school name=Kruununhaan|yläasteen|koulu  middle_school
amenity=school name=EMEF|Vila|Monte|Cristo  primary_school,middle_school
amenity=school name=Escola|de|Ensino|Médio  -
amenity=school name=CEIP|Lope|de|Vega  primary_school
amenity=school name=IES|Ramiro|de|Maeztu  middle_school
amenity=school name=Istituto|Comprensivo|Leopardi  primary_school,middle_school
amenity=school name=Liceo|Volta  -
amenity=school isced:level=1;2 name=Saint|Patrick  primary_school,middle_school
amenity=school isced:level=0  kindergarten
amenity=school school=primary name=某校  primary_school
amenity=school school=special_education_needs  -
amenity=kindergarten  kindergarten
amenity=kindergarten name=阳光托育园  childcare
amenity=kindergarten name=金宝贝早教中心  -
amenity=childcare name=北京邮电大学幼儿园  kindergarten
amenity=childcare  childcare
amenity=childcare name=小太阳托管班  -
amenity=childcare name=Qormi|F.C.  -
"""

CARE = """
amenity=social_facility social_facility=nursing_home  elder_care
amenity=social_facility social_facility=nursing_home social_facility:for=child -
amenity=social_facility social_facility=nursing_home social_facility:for=senior;disabled  elder_care
amenity=social_facility name=龙泉街道养老服务中心  elder_care
amenity=social_facility name=某某儿童福利院  -
amenity=social_facility name=安老院  elder_care
amenity=hospital name=St|Vincent|de|Paul|Long|Term|Facility  elder_care
amenity=community_centre name=某某社区居家养老服务中心  day_care
amenity=community_centre name=翠湖社区日间照料中心  day_care
amenity=community_centre name=Santa|Venera|Day|Centre  day_care
amenity=social_facility social_facility=day_care social_facility:for=senior  day_care
amenity=social_facility social_facility=day_care social_facility:for=child  childcare
amenity=social_facility social_facility=day_care  -
amenity=parking name=敬老院停车场  -
"""

COMMUNITY = """
amenity=library  culture_centre
amenity=library name=宁化图书馆  culture_centre
amenity=library name=清华大学图书馆  -
amenity=library name=图书馆 name:en=Tsinghua|University|Library  -
amenity=library name=档案馆  -
amenity=library operator:type=university name=Biblioteca|Central  -
amenity=arts_centre name=Helsinki|Contemporary  -
amenity=community_centre name=某某社区党群服务中心  service_station
amenity=community_centre name=翠湖社区文化活动中心  culture_centre
amenity=townhall  service_station
amenity=townhall name=Hamrun|Local|Council  service_station
amenity=townhall name=宁化县人民政府  -
office=government name=翠湖社区居民委员会  service_station
office=company name=某某物业有限公司  -
amenity=shelter  -
emergency=assembly_point  -
emergency=assembly_point name=翠湖公园应急避难场所  shelter
emergency=assembly_point assembly_point:earthquake=yes  shelter
name=昙华寺公园应急避难场所  shelter
highway=bus_stop name=应急避难场所  -
amenity=social_facility social_facility=shelter  -
"""

OUTSIDE = """
leisure=park  park
leisure=park name=圆明园遗址公园  park
leisure=park name=高新科技产业园  -
leisure=park access=customers  -
leisure=park name=Praça|do|Peixe  park,square
leisure=park name=金蓮花廣場|A|Praça|Flor|de|Lótus  park,square
landuse=recreation_ground sport=paintball  -
landuse=village_green  -
leisure=garden  -
leisure=garden access=yes  park
leisure=garden access=yes garden:type=residential  -
leisure=garden name=紫荆雕塑园  park
leisure=garden name=Ġnien|l-Istazzjon  park
leisure=garden name=Villa|Macedonia|Gardens  -
place=square  square
place=square shop=mall name=万达广场  -
leisure=fitness_centre  fitness_indoor
leisure=fitness_centre access=private  -
leisure=fitness_centre name=Massage  -
leisure=sports_centre  -
leisure=sports_centre name=昆明市全民健身中心  fitness_indoor
leisure=sports_centre name=Strand|bar  -
leisure=sports_centre name=Subway|Scuba|Diving  -
leisure=sports_centre sport=horse_riding name=Golden|Bay|Horse|Riding  -
leisure=sports_centre sport=badminton;tennis  fitness_indoor
leisure=sports_centre name=保龄球练习馆 sport=10pin  -
leisure=sports_centre name=社区健身器材  fitness_outdoor
leisure=sports_centre name=Outdoor|Gym  fitness_outdoor
leisure=stadium building=yes name=综合体育馆  fitness_indoor
leisure=track building=yes name=东区体育馆 sport=multi  fitness_indoor
leisure=fitness_station  fitness_outdoor
leisure=playground  -
leisure=playground name=健身广场  fitness_outdoor
leisure=playground name=棒球场  sports_pitch
leisure=pitch  sports_pitch
leisure=pitch sport=skateboard  -
leisure=pitch sport=tennis;skateboard  sports_pitch
leisure=pitch sport=athletics athletics=shot_put  -
leisure=pitch sport=fitness  fitness_outdoor
leisure=pitch access=members  -
leisure=track sport=running  fitness_trail
leisure=track name=清华附小操场  -
leisure=track sport=motor;minimoto  -
leisure=track sport=skiing piste:type=downhill  -
"""


def cases(table: str) -> list[tuple[dict[str, str], set[str]]]:
    rows = []
    for line in filter(None, table.splitlines()):
        said, services = line.rsplit(maxsplit=1)
        rows.append((dict(tags_of(said)), set() if services == "-" else set(services.split(","))))
    return rows


@pytest.mark.parametrize(
    "table", [HEALTH, SHOPS, SCHOOLS, CARE, COMMUNITY, OUTSIDE],
    ids=["health", "shops", "schools", "care", "community", "outside"],
)  # fmt: skip
def test_every_trap(table: str, policy: Policy, tmp_path: Path) -> None:
    rows = cases(table)
    found = read_nodes(tmp_path / "drawn.osm.pbf", [tags for tags, _ in rows], policy)
    wrong = [
        (tags, sorted(expected), sorted(services))
        for (tags, expected), services in zip(rows, found, strict=True)
        if services != expected
    ]
    assert not wrong, "\n".join(map(str, wrong))


def test_the_tables_ask_enough() -> None:
    """Each of the 25 services is both named and denied by some line."""
    named = {
        s
        for t in (HEALTH, SHOPS, SCHOOLS, CARE, COMMUNITY, OUTSIDE)
        for _, e in cases(t)
        for s in e
    }
    assert len(named) == 25
