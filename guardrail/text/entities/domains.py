"""Top-level domains that an address can end in: told from an attribute in code, as in `q@k.transpose`.

Country codes, the generic domains that people write to, and the names that private networks and examples use. Domains
of one brand are left out, and so are those that are files or methods more often than addresses (`zip`, `call`).
"""

_COUNTRY_CODES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz
ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr
ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it
je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp
mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py
qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to
tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""

_GENERIC = """
com org net edu gov mil int info biz name pro aero asia cat coop jobs mobi museum post tel travel xxx
academy accountant accountants actor adult agency airforce apartments app archi army art associates attorney
auction audio auto autos baby band bank bar bargains beauty beer best bet bible bid bike bingo bio black blog blue
boats boston boutique broker build builders business buzz bzh cab cafe cam camera camp capital car cards care
career careers cars casa cash casino catering center ceo charity chat cheap christmas church city claims cleaning
click clinic clothing cloud club coach codes coffee college cologne community company computer condos construction
consulting contact contractors cooking cool country coupons courses credit creditcard cricket cruises cymru dance
date dating day deals degree delivery democrat dental dentist desi design dev diamonds diet digital direct
directory discount doctor dog domains download earth eco education email energy engineer engineering enterprises
equipment estate eus events exchange expert exposed express fail faith family fan fans farm fashion feedback film
finance financial fish fishing fit fitness flights florist flowers foo football forex forsale forum foundation fun
fund furniture futbol fyi gal gallery game games garden gay gent gift gifts gives glass global gmbh gold golf
graphics gratis green gripe group guide guitars guru hair hamburg health healthcare help hiphop hiv hockey holdings
holiday homes horse hospital host hosting house how immo immobilien inc industries ink institute insurance insure
international investments irish ist istanbul jetzt jewelry juegos kaufen kim kitchen kiwi koeln land lat law lawyer
lease legal lgbt life lighting limited limo link live living llc loan loans lol london lotto love ltd ltda luxe
luxury madrid maison makeup management market marketing markets mba media melbourne memorial men menu miami mobile
mom money monster mortgage motorcycles nagoya navy network news ngo ninja nyc observer okinawa one ong onl online
ooo organic osaka paris partners parts party pet pharmacy photo photography photos physio pics pictures pink pizza
place plumbing plus poker porn press productions promo properties property protection pub qpon quebec quest racing
realestate realtor recipes red rehab reise reisen rent rentals repair report republican rest restaurant review
reviews rich rip rocks rodeo rugby ruhr run ryukyu sale salon sarl school schule science scot security services
sexy shiksha shoes shop shopping show singles site ski skin soccer social software solar solutions soy space sport
storage store stream studio study style sucks supplies supply support surf surgery swiss sydney systems taipei
tattoo tax taxi team tech technology tennis theater theatre tickets tienda tips tires tirol today tokyo tools top
tours town toys trade trading training tube university uno vacations vegas ventures versicherung vet viajes video
villas vin vip vision vlaanderen vodka vote voting voto voyage wales wang watch webcam website wed wedding wien
wiki win wine work works world wtf xin xyz yachts yoga yokohama zone
"""

_PRIVATE = "arpa corp example internal intranet invalid lan local localhost onion test"

GENERIC = frozenset(_GENERIC.split())

_ALL = GENERIC.union(_COUNTRY_CODES.split(), _PRIVATE.split())


def is_top_level(label: str) -> bool:
    """Whether a domain can end in this label. Internationalised ones (`xn--`) all can."""
    label = label.lower()
    return label in _ALL or label.startswith("xn--")
