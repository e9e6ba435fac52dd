"""Street addresses, lightly: a house number with a street's name and kind, behind a word for an address or for living.

English, French, Spanish and German streets, and Chinese ones down to the house number. Without such a word a street
is where a museum is as often as where a person lives.
"""

from guardrail.text.entities.entity import Entity

_KIND = (
    "(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Ter"
    "|Highway|Hwy|Parkway|Pkwy|Circle|Cir|Crescent|Close|Row|Alley|Trail|Loop)"
)
_WORD = r"(?:[A-Z][A-Za-z'\x{c0}-\x{24f}-]{0,20}|\d{1,3}(?:st|nd|rd|th))"
_UNIT = r"(?:,? ?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.? ?[0-9]{1,5}[A-Za-z]?)?"
_ZIP = r"(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z0-9]? \d[A-Z]{2})"
_TOWN = rf"(?:, {_WORD}(?: {_WORD}){{0,2}})?(?:,? [A-Z]{{2}})?(?:,? {_ZIP})?"
_CODE_TOWN = rf"(?:,? \d{{5}} {_WORD})?"

_ENGLISH = rf"\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{_WORD} ){{1,4}}{_KIND}\.?{_UNIT}{_TOWN}"
_FRENCH = (
    r"\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai) "
    rf"(?:(?:de|du|des|la|le|les|l') ?){{0,2}}{_WORD}(?:[ -]{_WORD}){{0,3}}{_CODE_TOWN}"
)
_SPANISH = (
    r"(?i:calle|avenida|avda\.|plaza|paseo|via|piazza|rua) (?:(?:de|del|la|las|los|el|da|do) ){0,2}"
    rf"{_WORD}(?: (?:de |del |la )?{_WORD}){{0,3}},? (?:n\.?º ?)?\d{{1,4}}{_CODE_TOWN}"
)
_GERMAN = (
    r"[A-Z\x{c0}-\x{de}][a-z\x{df}-\x{ff}-]{1,24}(?:straße|strasse|str\.|weg|gasse|allee|platz|ring"
    rf"| Straße| Str\.| Weg| Allee| Platz) \d{{1,4}}[a-z]?{_CODE_TOWN}"
)
_CHINESE = (
    r"[\x{4e00}-\x{9fff}]{2,24}(?:路|街|大道|巷|弄|胡同|道|村|里) ?\d{1,5} ?[号號弄]"
    r"(?:[ ,，]?[0-9A-Za-z一二三四五六七八九十]{1,4}(?:栋|幢|号楼|座|单元|楼|层|室|号|棟|樓|層)){0,4}(?:\d{2,4}室?)?"
)

ENTITY = Entity(
    name="street_address",
    label="[STREET_ADDRESS]",
    category="personal_data",
    severity="medium",
    expressions=(_ENGLISH, _FRENCH, _SPANISH, _GERMAN, _CHINESE),
    left="word",
    right="word",
    contextual=True,
    context=(
        "address",
        "address is",
        "lives at",
        "live at",
        "living at",
        "lived at",
        "resides at",
        "residing at",
        "residence",
        "ship to",
        "deliver to",
        "delivered to",
        "mail to",
        "地址",
        "住址",
        "住在",
        "家住",
        "现住",
        "居住",
        "收货",
        "寄到",
        "送到",
        "寄往",
        "户籍",
        "住所",
        "住處",
        "居住地",
        "adresse",
        "habite",
        "demeurant",
        "dirección",
        "direccion",
        "domicilio",
        "vive en",
        "vivo en",
        "indirizzo",
        "endereço",
        "anschrift",
        "wohnt",
        "wohne",
        "wohnhaft",
    ),
    within=32,
    hits=(
        "My address is 742 Evergreen Terrace, Springfield, OR 97477.",
        "She lives at 12B Baker Street, London NW1 6XE",
        "Address: 1600 N. Oak Tree Blvd., Apt 4",
        "ship to 55 5th Avenue #12",
        "地址：北京市海淀区中关村大街27号",
        "我住在上海市浦东新区世纪大道100号3栋2单元501室谢谢",
        "收货地址 广东省深圳市南山区科技路８号",
        "Adresse : 12 rue de la Paix, 75002 Paris",
        "dirección: Calle Mayor 12, 28013 Madrid",
        "Er wohnt Musterstraße 12, 12345 Berlin.",
    ),
    misses=(
        "742 Evergreen Terrace",
        "the museum at 12 Baker Street",
        "IP address 192.168.1.1",
        "address 0x7fff 12 bytes",
        "My address changed 3 times last Year",
        "中关村大街27号",
        "地址栏输入网址",
        "e-mail address: none, 24 Hours a day",
        "This chapter will address the 10 Commandments",
        "She lives at home with 3 Cats",
    ),
)
