"""Further forms of Chinese terms, made when a lexicon is loaded: in pinyin, or with characters taken apart.

Both are ways in which people write what a list forbids: 炸弹 as zhadan, and 炸 as 火乍 (拆字), two characters that look
like the one when they stand side by side. The forms are terms like any others: they are folded, they need word edges
where they begin or end with Latin letters, and a rule's allow-phrases go before them.

A rule asks for them; none are made by default, since pinyin collides with words of other languages. A term of a single
character is never expanded, because 毒 in pinyin is `du`, and 奸 taken apart stands in 女干部.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal

import regex

from guardrail.text.tables import SIMPLIFIED

Way = Literal["pinyin", "split"]

MAX_FORMS = 24
"""Most forms of one term in one way; the first are kept, which are the likeliest. Each costs as much as a term does,
and a term of ten characters, or one with several spellings of ü, would have dozens."""
MIN_LETTERS = 5
"""Fewest letters of a term that is written in pinyin alone: shorter ones are names and words elsewhere (大麻 is `dama`,
a lady in Spanish). They are still found with one character in pinyin."""

_HAN = regex.compile(r"\p{Han}")

# Characters that evaders take apart, each followed by its parts. Those whose parts are a word of their own (明, 好) are
# left out.
_SPLITS = """
炸火乍 弹弓单 枪木仓 炮火包 杀乂木 刺束刂 砍石欠 割害刂 剁朵刂 刎勿刂 刑开刂 剑佥刂 绑纟邦 架加木 劫去力
抢扌仓 打扌丁 挟扌夹 殴区殳 残歹戋 死歹匕 歼歹千 捅扌甬 掐扌臽 抓扌爪 扒扌八 拐扌另 捆扌困 揍扌奏 撕扌斯
踢足易 踩足采 跪足危 跳足兆 爆火暴 烧火尧 燃火然 烟火因 炉火户 灼火勺 焊火旱 硝石肖 碎石卒 砸石匝 械木戒
棍木昆 毒龶母 贩贝反 吸口及 冰冫水 海氵每 洛氵各 鸦牙鸟 酮酉同 胺月安 啡口非 吗口马 杜木土 冷冫令 嗑口盍
嗨口海 溜氵留 注氵主 射身寸 针钅十 药艹约 芬艹分 苯艹本 草艹早 粉米分 剂齐刂 粒米立 糖米唐 醇酉享 酸酉夋
磷石粦 硫石㐬 砒石比 铊钅它 钠钅内 钾钅甲 汞工水 溶氵容 液氵夜 油氵由 汽氵气 滴氵啇 种禾中 植木直 强弓虽
奸女干 嫖女票 娼女昌 妓女支 淫氵㸒 婊女表 骚马蚤 嫩女敕 妹女未 姐女且 妈女马 娘女良 奶女乃 奴女又 她女也
操扌喿 插扌臿 抽扌由 摸扌莫 揉扌柔 撸扌鲁 抠扌区 舔舌忝 吻口勿 吹口欠 喷口贲 鸡又鸟 鸭甲鸟 肛月工 胸月匈
腿月退 脱月兑 膜月莫 裸衤果 裤衤库 裙衤君 体亻本 做亻故 伦亻仑 情忄青 性忄生 欲谷欠 幼幺力 孩子亥 屁尸比
屎尸米 尿尸水 屌尸吊 屄尸穴 狗犭句 猪犭者 贱贝戋 耻耳止 氓亡民 侮亻每 诽讠非 谤讠旁 诅讠且 骂吅马 畜玄田
邪牙阝 赌贝者 博十尃 彩采彡 码石马 投扌殳 押扌甲 赔贝咅 账贝长 钱钅戋 银钅艮 财贝才 购贝勾 赃贝庄 贿贝有
赂贝各 贼贝戎 败贝攵 卖十买 税禾兑 租禾且 私禾厶 秘禾必 职耳只 取耳又 诈讠乍 骗马扁 诱讠秀 谋讠某 谎讠荒
证讠正 讨讠寸 说讠兑 话讠舌 词讠司 语讠吾 识讠只 认讠人 请讠青 订讠丁 假亻叚 伪亻为 代亻弋 付亻寸 信亻言
仿亻方 作亻乍 他亻也 你亻尔 偷亻俞 保亻呆 侦亻贞 欺其欠 换扌奂 招扌召 接扌妾 推扌隹 挂扌圭 销钅肖 链钅连
钞钅少 转车专 输车俞 软车欠 轰车双 邮由阝 线纟戋 组纟且 结纟吉 给纟合 约纟勺 群君羊 绳纟黾 绞纟交 绝纟色
缢纟益 刮舌刂 别另刂 利禾刂 剖咅刂 判半刂 肢月支 肝月干 脏月庄 脖月孛 脸月佥 溺氵弱 淹氵奄 洗氵先 清氵青
活氵舌 法氵去 沙氵少 江氵工 河氵可 恨忄艮 怕忄白 悔忄每 惨忄参 怖忄布 慌忄荒 忍刃心 恶亚心 怒奴心 患串心
惑或心 想相心 恋亦心 魂云鬼 猎犭昔 狼犭良 警敬言 罪罒非 雷雨田 管竹官 放方攵 攻工攵 救求攵 教孝攵 功工力
动云力 助且力 暗日音 时日寸 防阝方 隐阝急 阴阝月 都者阝 部咅阝 视礻见 神礻申 祸礻呙 被衤皮 初衤刀 饮饣欠
饭饣反 饵饣耳 献南犬 加力口 和禾口 催亻崔 拉扌立 扣扌口 护扌户 拍扌白 排扌非 搞扌高 扔扌乃 吐口土 喝口曷
呕口区 材木才 村木寸 根木艮 板木反 检木佥 精米青 料米斗 骑马奇 驱马区 逼辶畐 迷辶米 迫辶白 股月殳 胖月半
"""
# What is typed for parts that keyboards hide.
_TYPED_AS = str.maketrans("扌亻讠钅饣犭忄礻衤纟刂氵龶", "才人言金食犬心示衣丝刀水主")

SPLITS: dict[str, str] = {entry[0]: entry[1:] for entry in _SPLITS.split()}
"""Simplified character -> its parts, from left to right or from top to bottom."""


def expand(term: str, ways: Collection[Way]) -> tuple[str, ...]:
    """What else a term may be written as, the term itself not among it; nothing for a term that is not Chinese.

    At most MAX_FORMS for each way. Raises ImportError, with the remedy, if `pinyin` is asked for without the package
    that knows it.
    """
    forms: dict[str, None] = {}
    if "pinyin" in ways:
        forms |= _first(_in_pinyin(term), term)
    if "split" in ways:
        forms |= _first(_taken_apart(term), term)
    return tuple(forms)


def _first(forms: Iterator[str], term: str) -> dict[str, None]:
    """As many forms as there may be, each once."""
    first: dict[str, None] = {}
    for form in forms:
        if form != term:
            first[form] = None
        if len(first) == MAX_FORMS:
            break
    return first


def _reader() -> Callable[[str], list[str]]:
    """What gives the syllable of each character of a term, and other characters as they are."""
    try:
        from pypinyin import lazy_pinyin
    except ImportError as error:
        raise ImportError(
            "`pinyin` needs the package pypinyin, which is not installed: pip install 'guardrail[chinese]'"
        ) from error
    # The reading that a character has in its phrase: 重 is chong in 重庆. A callback may return a list, says the
    # package's documentation; its type hints do not.
    return lambda term: lazy_pinyin(term, errors=list)  # type: ignore[arg-type]


def _in_pinyin(term: str) -> Iterator[str]:
    """All in pinyin, together and apart; then one character after the other in pinyin, the rest as they are."""
    syllables = _reader()(term)
    read = [at for at, char in enumerate(term) if _HAN.match(char)]
    if len(read) < 2 or len(syllables) != len(term):
        return
    for spelled in _spellings(syllables):
        if sum(len(spelled[at]) for at in read) >= MIN_LETTERS:
            yield "".join(spelled)
            yield _apart(term, spelled)
    for at in read:
        for spelled in _spellings(syllables[at : at + 1]):
            if len(spelled[0]) > 1:  # A lone letter between Chinese characters is ordinary.
                yield term[:at] + spelled[0] + term[at + 1 :]


def _spellings(syllables: list[str]) -> Iterator[list[str]]:
    """Syllables with ü as it is typed (v), as it is printed, and as it is on passports and keyboards without it (u)."""
    yield syllables
    if any(syllable.startswith(("lv", "nv")) for syllable in syllables):
        for vowel in "üu":
            yield [syllable.replace("v", vowel) for syllable in syllables]


def _apart(term: str, spelled: list[str]) -> str:
    """Syllables with a blank on both sides, other characters as they are."""
    pieces = [f" {syllable} " if _HAN.match(char) else syllable for char, syllable in zip(term, spelled, strict=True)]
    return " ".join("".join(pieces).split())


def _taken_apart(term: str) -> Iterator[str]:
    """All characters taken apart that can be; then one after the other."""
    parts = [SPLITS.get(SIMPLIFIED.get(char, char), char) for char in term]
    if sum(_HAN.match(char) is not None for char in term) < 2:
        return
    for look in ("".join(parts), *(term[:at] + part + term[at + 1 :] for at, part in enumerate(parts))):
        yield look
        yield look.translate(_TYPED_AS)
