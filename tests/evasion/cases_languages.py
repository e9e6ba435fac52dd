"""Terms of other languages in disguise."""

from __future__ import annotations

from tests.evasion.techniques import (
    HIDDEN,
    NOISE,
    REPEATS,
    Technique,
    alternating,
    behind,
    between,
    block,
    both,
    cases,
    inside,
    marked,
    repeated,
    spell,
)

SPACED = (("«", "»"), ("", ""), ("1) ", ", 2)"))
FULL_STOPS = Technique("full stops", between("."), NOISE)
HYPHENS = Technique("hyphens", between("-"), NOISE)
BLANKS = Technique("blanks", between(" "), NOISE)
EMOJI = Technique("emoji inside", inside("🔥"), NOISE)
TAG = Technique("tag inside", inside("<b>"), NOISE)
DRAWN_OUT = Technique("drawn out", repeated(1, 5), REPEATS)
STRUCK_THROUGH = Technique("struck through", behind("\u0336"))
PULLED_APART = (FULL_STOPS, HYPHENS, BLANKS, EMOJI, TAG)

ALPHABETIC = (
    Technique("upper case", str.upper),
    Technique("alternating case", alternating),
    *HIDDEN[:8],
    *PULLED_APART,
    DRAWN_OUT,
    STRUCK_THROUGH,
)
LATIN = (
    *ALPHABETIC,
    Technique("full width", block(0xFF41)),
    Technique("bold", block(0x1D41A)),
    Technique("circled", block(0x24D0)),
    Technique("negative squared", block(0x1F170)),
    Technique("Cyrillic", spell("асео", "aceo")),
    Technique("accents", behind("\u0301")),
    Technique("leet", spell("0", "o")),
    Technique("leet, hyphens", both(spell("0", "o"), between("-")), NOISE),
)
CYRILLIC = (
    *ALPHABETIC,
    Technique("Latin", spell("aceopx", "асеорх")),
    Technique("Greek", spell("αο", "ао")),
    Technique("small capitals", spell("ʙᴏᴍ", "вом")),
    Technique("leet", spell("0", "о")),
    Technique("negative squared", spell("🅰🅾", "ао")),
)
UNSPACED = (
    *HIDDEN,
    Technique("blanks", between(" "), NOISE),
    Technique("asterisks", between("*"), NOISE),
    Technique("middle dots", between("・"), NOISE),
    Technique("emoji", between("💣"), NOISE),
    Technique("tags", between("<b>", "</b>"), NOISE),
)

WRITTEN = (
    marked("leet", "ru", "героин", "купить ⟦гер0ин⟧"),
    marked("leet", "ru", "героин", "купить ⟦г3р0ин⟧"),
    marked("confusables", "ru", "бомба", "сделать ⟦бoмбa⟧"),
    marked("confusables", "ru", "убей себя", "⟦убeй сeбя⟧"),
    marked("confusables", "ru", "убей себя", "⟦yбeй ceбя⟧"),
    marked("noise", "ru", "убей себя", "⟦у.б.е.й с.е.б.я⟧", NOISE),
    marked("noise", "ru", "убей себя", "⟦у б е й  с е б я⟧", NOISE),
    marked("marks", "ru", "убей себя", "⟦убеи\u0306 себя⟧"),
    marked("marks", "ru", "убей себя", "⟦у́бе́й се́бя́⟧"),
    marked("noise", "ru", "наркотики", "⟦нарко**тики⟧", NOISE),
    marked("case", "de", "scheiße", "so eine ⟦SCHEISSE⟧"),
    marked("case", "de", "scheiße", "so eine ⟦scheiẞe⟧"),
    marked("leet", "de", "arschloch", "du ⟦4rschl0ch⟧"),
    marked("leet", "de", "arschloch", "du ⟦@rschl0ch⟧"),
    marked("noise", "de", "töte dich", "⟦to\u0308te\ndich⟧"),
    marked("case", "de", "töte dich", "⟦TÖTE DICH⟧"),
    marked("invisible", "de", "töte dich", "⟦tö\u00adte dich⟧"),
    marked("marks", "es", "cocaina", "vender ⟦cocaína⟧"),
    marked("case", "es", "cocaína", "vender ⟦COCAÍNA⟧"),
    marked("marks", "es", "cocaína", "vender ⟦cocai\u0301na⟧"),
    marked("width", "es", "cocaína", "vender ⟦ｃｏｃａｉ\u0301ｎａ⟧"),
    marked("leet", "es", "cabron", "eres un ⟦c4br0n⟧"),
    marked("leet", "es", "puta", "hija de ⟦put@⟧"),
    marked("noise", "es", "puta", "hija de ⟦p-u-t-a⟧", NOISE),
    marked("confusables", "es", "matate", "⟦mаtаtе⟧ ya"),
    marked("noise", "fr", "putain", "⟦p*u*t*a*i*n⟧ !", NOISE),
    marked("repeats", "fr", "putain", "⟦puuuutain⟧ !", REPEATS),
    marked("marks", "fr", "suicide", "le ⟦süïcïdë⟧"),
    marked("leet", "pt", "merda", "que ⟦m3rd4⟧"),
    marked("marks", "pl", "kurwa", "⟦ķurwą⟧!"),
    marked("stroke", "pl", "kill him", "⟦kiłł him⟧"),
    marked("dotless", "tr", "bomba", "⟦BOMBA⟧"),
    marked("case", "el", "βομβα", "⟦ΒΟΜΒΑ⟧"),
    marked("marks", "el", "βομβα", "⟦βόμβα⟧"),
    marked("marks", "el", "ηρωινη", "⟦ηρωίνη⟧"),
    marked("confusables", "el", "βομβα", "⟦βoμβa⟧"),
    marked("noise", "el", "βομβα", "⟦β.ο.μ.β.α⟧", NOISE),
    marked("width", "ja", "コカイン", "⟦ｺｶｲﾝ⟧を買う"),
    marked("width", "ja", "バクダン", "⟦ﾊﾞｸﾀﾞﾝ⟧を作る"),
    marked("width", "ja", "バクダン", "⟦ハ\u3099クタ\u3099ン⟧を作る"),
    marked("circled", "ja", "コカイ", "⟦㋙㋕㋑⟧ン"),
    marked("invisible", "ja", "爆弾", "⟦爆\u200b弾⟧を作る"),
    marked("noise", "ja", "爆弾", "⟦爆・弾⟧を作る", NOISE),
    marked("noise", "ja", "死ね", "お前は⟦死　ね⟧", NOISE),
    marked("noise", "ja", "死ね", "お前は⟦死 ね⟧よ", NOISE),
    marked("repeats", "ja", "死ね", "⟦死ねねねね⟧", REPEATS),
    marked("noise", "ja", "覚醒剤", "⟦覚*醒*剤⟧", NOISE),
    marked("repeats", "ja", "クソ", "⟦クククソソ⟧", REPEATS),
    marked("decomposed", "ko", "폭탄", "⟦\u1111\u1169\u11a8\u1110\u1161\u11ab⟧ 제조"),
    marked("decomposed", "ko", "마약", "⟦\u1106\u1161\u110b\u1163\u11a8⟧ 판매"),
    marked("noise", "ko", "필로폰", "⟦필~로~폰⟧ 판매", NOISE),
    marked("noise", "ko", "필로폰", "⟦필 로 폰⟧ 판매", NOISE),
    marked("noise", "ko", "자살", "⟦자♥살⟧", NOISE),
    marked("invisible", "ko", "자살", "⟦자\u3164살⟧"),
    marked("presentation forms", "ar", "قنبلة", "صنع ⟦ﻗﻨﺒﻠﺔ⟧"),
    marked("invisible", "ar", "قنبلة", "صنع ⟦قن\u200dبلة⟧"),
    marked("noise", "ar", "قنبلة", "صنع ⟦ق ن ب ل ة⟧", NOISE),
    marked("invisible", "he", "פצצה", "⟦פ\u200eצצה⟧"),
    marked("noise", "he", "פצצה", "⟦פ.צ.צ.ה⟧", NOISE),
    marked("invisible", "th", "ระเบิด", "ทำ⟦ระ\u200bเบิด⟧เอง"),
    marked("noise", "th", "ระเบิด", "ทำ⟦ระ*เบิด⟧เอง", NOISE),
    marked("invisible", "hi", "हेरोइन", "⟦हे\u200bरोइन⟧ बेचना"),
    marked("noise", "hi", "हेरोइन", "⟦हे-रो-इ-न⟧ बेचना", NOISE),
)

CASES = (
    *cases("ru", ("бомба", "героин", "убей себя", "кокаин"), CYRILLIC, SPACED),
    *cases("es", ("bomba", "heroina", "suicidate"), LATIN, SPACED),
    *cases("de", ("bombe", "sprengstoff", "heroin", "arschloch"), LATIN, SPACED),
    *cases("ja", ("爆弾", "コカイン", "ばくだん"), UNSPACED, (("彼は", "を作る"), ("", ""))),
    *cases("ko", ("폭탄", "필로폰", "자살"), UNSPACED, (("그는 ", " 제조"), ("", ""))),
    *WRITTEN,
)
