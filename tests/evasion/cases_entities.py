"""Personal data in disguise, each with the shipped rule of its kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from guardrail.text.entities import ENTITIES
from guardrail.text.rules import Action, Label
from guardrail.text.scanner import RuleSet, compile_rules
from tests.evasion.techniques import HIDDEN, LATIN, Technique, cases, marked, spell

DIGITS = "0123456789"


@cache
def rules(name: str) -> RuleSet:
    return compile_rules([ENTITIES[name].rule(Action.REDACT, Label("\0"))])


VALUES = (
    ("credit_card", ("4111111111111111", "4012-8888-8888-1881", "5555 5555 5555 4444")),
    ("phone_number", ("+14155550132", "+1 415-555-0132", "13812345678", "+86 138 1234 5678")),
    ("email_address", ("jane.roe@mail.example.org", "zhang_san88@example.cn")),
    ("cn_resident_id", ("11010519491231002X", "360426199101010071")),
    ("iban_code", ("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19")),
    ("ip_address", ("203.0.113.42", "198.51.100.7")),
    ("us_ssn", ("536-90-4399",)),
)
"""`us_ssn` needs a word before it, as in every carrier here."""
CARRIERS = (("SSN: ", "."), ("社保号：", "，谢谢"), ("(SSN ", ")"))

TECHNIQUES = (
    *HIDDEN,
    Technique("full width", spell("０１２３４５６７８９＠．－＋", DIGITS + "@.-+")),
    Technique("full-width letters", spell("".join(map(chr, range(0xFF21, 0xFF3B))), LATIN.upper())),
    Technique("circled", spell("⓪①②③④⑤⑥⑦⑧⑨", DIGITS)),
    Technique("negative circled", spell("⓿❶❷❸❹❺❻❼❽❾", DIGITS)),
    Technique("sans circled", spell("⓿➀➁➂➃➄➅➆➇➈", DIGITS)),
    Technique("double circled", spell("⓿⓵⓶⓷⓸⓹⓺⓻⓼⓽", DIGITS)),
    Technique("bold", spell("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", DIGITS)),
    Technique("double-struck", spell("𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", DIGITS)),
    Technique("monospace", spell("𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿", DIGITS)),
    Technique("segmented", spell("🯰🯱🯲🯳🯴🯵🯶🯷🯸🯹", DIGITS)),
    Technique("superscript", spell("⁰¹²³⁴⁵⁶⁷⁸⁹", DIGITS)),
    Technique("subscript", spell("₀₁₂₃₄₅₆₇₈₉", DIGITS)),
    Technique("Arabic", spell("٠١٢٣٤٥٦٧٨٩", DIGITS)),
    Technique("Persian", spell("۰۱۲۳۴۵۶۷۸۹", DIGITS)),
    Technique("Devanagari", spell("०१२३४५६७८९", DIGITS)),
    Technique("Thai", spell("๐๑๒๓๔๕๖๗๘๙", DIGITS)),
    Technique("Bengali", spell("০১২৩৪৫৬৭৮৯", DIGITS)),
    Technique("two kinds of digits", spell("０①２❸４𝟓６⁷８٩", DIGITS)),
    Technique("hyphen", spell("‐", "-")),
    Technique("no-break hyphen", spell("\u2011", "-")),
    Technique("figure dash", spell("‒", "-")),
    Technique("en dash", spell("–", "-")),
    Technique("em dash", spell("—", "-")),
    Technique("horizontal bar", spell("―", "-")),
    Technique("minus", spell("−", "-")),
    Technique("small hyphen", spell("﹣", "-")),
    Technique("no-break blank", spell("\u00a0", " ")),
    Technique("narrow blank", spell("\u202f", " ")),
    Technique("thin blank", spell("\u2009", " ")),
    Technique("figure blank", spell("\u2007", " ")),
    Technique("wide blank", spell("\u3000", " ")),
    Technique("small at", spell("﹫", "@")),
)

# Written in two halves, so that what looks for secrets in source code finds none here.
AWS = "2VAVWETP", "FOYSCXS4"
GITHUB = "Zk8vQ2mX7cRt1LbN", "w5HsJ9fYpD3gAe6UaB4x"

WRITTEN = (
    marked("width", "en", "email_address", "mail ⟦ｊａｎｅ＠ｅｘａｍｐｌｅ．ｏｒｇ⟧ now"),
    marked("letters", "en", "email_address", "mail ⟦𝐣𝐚𝐧𝐞@example.org⟧ now"),
    marked("letters", "en", "email_address", "mail ⟦ⓙⓐⓝⓔ@example.org⟧ now"),
    marked("case", "en", "email_address", "mail ⟦JANE@EXAMPLE.ORG⟧ now"),
    marked("invisible", "en", "email_address", "mail ⟦ja\u00adne\u200b@\u200bexample\u2060.org⟧ now"),
    marked("neighbours", "zh", "phone_number", "我的手机是⟦13812345678⟧谢谢"),
    marked("neighbours", "zh", "phone_number", "手机⟦１３８－１２３４－５６７８⟧。"),
    marked("neighbours", "zh", "phone_number", "手机⟦138\u200b1234\u200b5678⟧。"),
    marked("neighbours", "zh", "credit_card", "卡号⟦４１１１　１１１１　１１１１　１１１１⟧吧"),
    marked("neighbours", "zh", "credit_card", "卡号⟦④①①①-①①①①-①①①①-①①①①⟧吧"),
    marked("neighbours", "zh", "cn_resident_id", "身份证⟦１１０１０５１９４９１２３１００２Ｘ⟧吧"),
    marked("case", "zh", "cn_resident_id", "身份证⟦11010519491231002x⟧吧"),
    marked("neighbours", "en", "iban_code", "IBAN:⟦ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００⟧"),
    marked("marks", "en", "ip_address", "ping ⟦203．0．113．42⟧"),
    marked("rejected before", "en", "credit_card", "1234 ⟦4111 1111 1111 1111⟧"),
    marked("rejected before", "en", "credit_card", "4111 1111 1111 1112, ⟦4111 1111 1111 1111⟧"),
    marked("invisible", "en", "github_token", f"token ⟦ghp_{GITHUB[0]}\u200b{GITHUB[1]}⟧"),
    marked("width", "en", "github_token", f"token ⟦ｇｈｐ＿{GITHUB[0]}{GITHUB[1]}⟧"),
    marked("width", "en", "aws_access_key", f"key ⟦ＡＫＩＡ{AWS[0]}{AWS[1]}⟧"),
    marked("bold", "en", "aws_access_key", f"key ⟦𝐀𝐊𝐈𝐀{AWS[0]}{AWS[1]}⟧"),
    marked("invisible", "en", "aws_access_key", f"key ⟦AK\u2060IA{AWS[0]}\u00ad{AWS[1]}⟧"),
)

CASES = (
    *(replace(case, term=name) for name, values in VALUES for case in cases("any", values, TECHNIQUES, CARRIERS)),
    *WRITTEN,
)
"""The term of a case is the name of its entity."""
