"""What each detector must find: data for test_pii_detectors.py; near misses in pii_near_misses.py.

Values are published examples, test numbers and addresses reserved for documentation; nobody's. A
table maps the canonical form of a value to the ways it is written in a text, the value between «
and »; SAME means that the canonical form is the value as it stands, "" that it is not checked.
Short texts share a line, split by ¦.
"""

SAME = "as written"


def texts(lines: str, *others: str) -> list[str]:
    """The texts of a block, one a line or several split by ¦; others as they are."""
    return [t.strip() for t in lines.replace("¦", "\n").split("\n") if t.strip()] + list(others)


JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
# The unsecured token of RFC 7519, section 6.1, and headers of RFC 7515, appendix A.
UNSECURED = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt."
HEADERS = {
    "RS256": "eyJhbGciOiJSUzI1NiJ9",
    "ES256": "eyJhbGciOiJFUzI1NiJ9",
    "HS384": "eyJhbGciOiJIUzM4NCJ9",
    "with a key id": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
    "type first": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
}
_AROUND_SECRETS = texts(
    """
    {} ¦ "{}" ¦ '{}' ¦ `{}` ¦ ({}) ¦ <{}> ¦ {}. ¦ {}, please ¦ é{}é ¦ x={} ¦ TOKEN={};
    export API_TOKEN="{}" ¦ {{"token": "{}"}} ¦ --token {} ¦ -H "Authorization: Bearer {}"
    https://host.example/?key={}&x=1 ¦ Cookie: session={}; Path=/ ¦ token:{} ¦ my token is {} ok?
    | {} | ¦ * {} ¦ [{}] ¦ [link]({}) ¦ <b>{}</b> ¦ # {} ¦ {}? ¦ {}! ¦ 用{}吧 ¦ a/{} ¦ {}/b
    """
)

KEY_TYPES = ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "ANY ", "SSH2 ENCRYPTED ")


def _blocks() -> list[str]:
    rows = []
    for kind in KEY_TYPES:
        begin, end = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
        rows += [
            f"see «{begin}\nMIIE\nAAAA\n{end}» there",
            f"«{begin}\r\nMIIE\r\n{end}»\r\n",
            f"cut off «{begin}\nMIIE»",
            f'"key": "«{begin}\\nMIIE\\n{end}»"',
            f"é«{begin} MIIE {end}»é",
        ]
    pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----"
    rows += [f"«{pgp}\nx»", f"«{pgp}\nVersion: 1\n\nx\n-----END PGP PRIVATE KEY BLOCK-----»."]
    return rows


_KEYS = (
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    *(f"gh{kind}_16C7e42F292c6912E7710c838347Ae178B4a" for kind in "pousr"),
    "github_pat_11AAAAAAA0example0example_0example",
    "glpat-abcdefghij0123456789",
    *(f"xox{kind}-123456789012-abcdefABCDEF" for kind in "abpsr"),
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    *(
        f"{kind}_{mode}_4eC39HqLyjWDarjtT1zdp7dc"
        for kind in ("sk", "rk")
        for mode in ("live", "test")
    ),
    "sk-abcdefghijklmnopqrst0123",
    "sk-proj-abcdefghij_klmnopqrst-0123",
    "SG.aaaaaaaaaaaaaaaaaaaaa0.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0",
    "npm_" + "a1B2" * 9,
    "hf_" + "aB1" * 11,
    "shpat_" + "0a1b" * 8,
    "dop_v1_" + "0a1b" * 16,
    "dapi" + "0a1b" * 8,
    "rubygems_" + "0a1b" * 12,
    "hvs." + "aB1c" * 7,
    "pypi-AgEI" + "aB1c" * 13,
    "ya29.a0-" + "aB1c" * 6,
    "sq0atp-" + "aB1c" * 6,
    "xapp-1-A0123456789-0123456789",
    "AGE-SECRET-KEY-1" + "QP0" * 19 + "Q",
)
_AROUND_VALUES = texts(
    """
    {} ¦ x {} y ¦ {}. ¦ {}, and ¦ ({}) ¦ [{}] ¦ <{}> ¦ '{}' ¦ \"{}\" ¦ é{}é ¦ 用{}吧 ¦ x={}
    a: {}; b
    """
)


def _around(value: str, frames: list[str]) -> list[str]:
    return [frame.format(f"«{value}»") for frame in frames]


HITS: dict[str, dict[str, list[str]]] = {
    "private_key": {SAME: _blocks()},
    "jwt": {
        JWT: _around(JWT, _AROUND_SECRETS),
        SAME: [f"«{head}.e30.c2lnbmF0dXJl»" for head in HEADERS.values()]
        + [f"auth: «{head}.eyJpc3MiOiJqb2UifQ.sig-_0»!" for head in HEADERS.values()]
        + [f"«{UNSECURED}» end"],
    },
    "api_key": {SAME: [f"key=«{key}»" for key in _KEYS] + _around(_KEYS[2], _AROUND_SECRETS)},
    "url_credentials": {
        "bob:hunter2": [
            f"{scheme}://«bob:hunter2»@host.example"
            for scheme in texts(
                """http ¦ https ¦ ftp ¦ ftps ¦ sftp ¦ ssh ¦ git ¦ svn+ssh ¦ postgres ¦ postgresql
                postgres+psycopg ¦ mysql ¦ mysql+pymysql ¦ mariadb ¦ mongodb ¦ mongodb+srv ¦ redis
                rediss ¦ amqp ¦ amqps ¦ mqtt ¦ ldap ¦ ldaps ¦ smtp ¦ smtps ¦ imap ¦ imaps ¦ rtsp
                socks5 ¦ smb ¦ nats ¦ kafka ¦ clickhouse ¦ elasticsearch+https ¦ jdbc:oracle
                HTTPS"""
            )
            if ":" not in scheme
        ]
        + ["git clone https://«bob:hunter2»@git.example/a.git", "(http://«bob:hunter2»@[host]/)"]
        + ["é http://«bob:hunter2»@例子.公司/", 'DB="pg://«bob:hunter2»@db:5432/x?y=z"'],
        "u:p@ss:w": ["postgres+psycopg://«u:p@ss:w»@db.example:5432/d"],
        ":secret": ["redis://«:secret»@cache", "redis://«:secret»@127.0.0.1:6379/0"],
        "user:p%40ss%3Aw": ["https://«user:p%40ss%3Aw»@host.example"],
        "[EMAIL]:secret": ["https://«[EMAIL]:secret»@host.example"],
        "x-token:t": ["https://«x-token:t»@host.example/path#frag"],
    },
    "email": {
        "alice@example.com": texts(
            """
            write to «alice@example.com». ¦ ?email=«alice@example.com»&x=1 ¦ '«alice@example.com»'
            «alice＠example．com» ¦ «al\u200bice@exam\u00adple.com» ¦ <«Alice@Example.COM»>
            mailto:«alice@example.com» ¦ Alice <«alice@example.com»>; Bob ¦ («alice@example.com»)
            «alice@example.com»,x ¦ e-mail:«alice@example.com» ¦ [x](mailto:«alice@example.com»)
            «ａｌｉｃｅ@example.com» ¦ 邮箱 «alice@example.com» ¦ "«alice@example.com»"
            «alice@example.com»!
            «alice&#64;example.com» ¦ «alice&#064;example&#46;com» ¦ «alice&#x40;example.com»
            «alice&commat;example&period;com» ¦ «alice%40example.com»
            ?to=«alice%40example%2Ecom»&a
            «alice (at) example (dot) com» ¦ «alice(at)example.com» ¦ «alice [at] example.com»
            «alice[at]example[dot]com» ¦ «alice {at} example {dot} com»
            «alice (AT) example (DOT) com»
            «alice (at) example dot com», please ¦ «alice<at>example.com» ¦ «alice@example(dot)com»
            «alice (@) example.com» ¦ «alice [at] example [.] com»
            me: «alice( at )example( dot )com»
            """
        ),
        SAME: texts(
            """
            <«o'brien@example.ie»> ¦ mailto:«x_y-z%w@sub.example.org»?subject=1
            «a.b+tag@mail.example»
            «josé@example.com» ¦ «用户@例子.公司» ¦ «alice@xn--fsqu00a.xn--0zwm56d»
            ..«a..b@example.com»
            «jose\u0301@example.com» ¦ «1@example.org» ¦ «a@b.co» ¦ «first.last@a.b.c.example.net»
            «"john doe"@example.com» ¦ «user_name@example.museum» ¦ «почта@пример.рф»
            «a-b@c-d.example»
            """,
            "xxxxx «" + "a" * 90 + "@example.com»",
        ),
        "bob@mail.example.co.uk": ["«Bob (at) mail (dot) example (dot) co (dot) uk»"],
    },
    "iban": {
        "GB82WEST12345698765432": texts(
            """
            «GB82 WEST 1234 5698 7654 32» ¦ «GB82WEST12345698765432» and
            «gb82 west 1234 5698 7654 32»
            «GB82-WEST-1234-5698-7654-32» ¦ «GB82\u00a0WEST\u00a01234\u00a05698\u00a07654\u00a032»
            «ＧＢ82WEST12345698765432» ¦ IBAN:«GB82WEST12345698765432».
            («GB82 WEST 1234 5698 7654 32»)
            «GB82\tWEST\t1234\t5698\t7654\t32» ¦ «GB82‑WEST‑1234‑5698‑7654‑32»
            é«GB82WEST12345698765432»
            «GB٨٢ WEST ١٢٣٤ ٥٦٩٨ ٧٦٥٤ ٣٢» ¦ «GB82WE\u200bST12345698765432»
            «Gb82West12345698765432»
            """
        ),
        # The registry's examples, one a country.
        **{
            iban.replace(" ", ""): [f"iban «{iban}» to me"]
            for iban in texts(
                """
                DE89 3704 0044 0532 0130 00 ¦ FR14 2004 1010 0505 0001 3M02 606 ¦ NO93 8601 1117 947
                AT61 1904 3002 3457 3201 ¦ BE68 5390 0754 7034 ¦ BG80 BNBG 9661 1020 3456 78
                CH93 0076 2011 6238 5295 7 ¦ CZ65 0800 0000 1920 0014 5399 ¦ DK50 0040 0440 1162 43
                EE38 2200 2210 2014 5685 ¦ ES91 2100 0418 4502 0005 1332 ¦ FI21 1234 5600 0007 85
                GR16 0110 1250 0000 0001 2300 695 ¦ HR12 1001 0051 8630 0016 0
                HU42 1177 3016 1111 1018 0000 0000 ¦ IE29 AIBK 9311 5212 3456 78
                IL62 0108 0000 0009 9999 999 ¦ IS14 0159 2600 7654 5510 7303 39
                IT60 X054 2811 1010 0000 0123 456 ¦ LI21 0881 0000 2324 013A A
                LT12 1000 0111 0100 1000
                LU28 0019 4006 4475 0000 ¦ LV80 BANK 0000 4351 9500 1
                MC58 1122 2000 0101 2345 6789 030
                MT84 MALT 0110 0001 2345 MTLC AST0 01S ¦ NL91 ABNA 0417 1643 00
                PL61 1090 1014 0000 0712 1981 2874 ¦ PT50 0002 0123 1234 5678 9015 4
                RO49 AAAA 1B31 0075 9384 0000 ¦ SA03 8000 0000 6080 1016 7519
                SE45 5000 0000 0583 9825 7466
                SI56 2633 0001 2039 086 ¦ SK31 1200 0000 1987 4263 7541
                SM86 U032 2509 8000 0000 0270 100
                TR33 0006 1005 1978 6457 8413 26 ¦ AE07 0331 2345 6789 0123 456
                """
            )
        },
    },
    "payment_card": {
        "4111111111111111": texts(
            """
            «4111 1111 1111 1111» ¦ «4111111111111111» ¦ «4111-1111-1111-1111», 12/27
            «4111\u00a01111\u00a01111\u00a01111» ¦ «4111\u20091111\u20091111\u20091111»
            «٤١١١ ١١١١ ١١١١ ١١١١»
            «４１１１ １１１１ １１１１ １１１１» ¦ «4111–1111–1111–1111» ¦ «4111‑1111‑1111‑1111»
            é«4111111111111111»é
            12 «4111 1111 1111 1111» 22 ¦ card:«4111111111111111». ¦ («4111111111111111»)
            «4111\t1111\t1111\t1111»
            «४१११ ११११ ११११ ११११» ¦ «۴۱۱۱ ۱۱۱۱ ۱۱۱۱ ۱۱۱۱» ¦ «4111\u200b1111\u200b1111\u200b1111»
            #«4111111111111111»
            «4111−1111−1111−1111» ¦ «𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏» ¦ cc=«4111111111111111»&cvv=1
            """
        ),
        # Test numbers that payment services publish.
        **{
            card.replace(" ", "").replace("-", ""): [f"paid by «{card}», thanks"]
            for card in texts(
                """
                5555-5555-5555-4444 ¦ 2223003122003222 ¦ 3782 822463 10005 ¦ 6011111111111117
                3530111333300000 ¦ 30569309025904 ¦ 6304000000000000 ¦ 4222222222222
                4242 4242 4242 4242
                4000 0566 5566 5556 ¦ 5200 8282 8282 8210 ¦ 5105105105105100 ¦ 371449635398431
                6011 0009 9013 9424 ¦ 3056 9300 0902 0004 ¦ 36227206271667 ¦ 6555900000604105
                3566 0020 2036 0505 ¦ 6200 0000 0000 0005 ¦ 4012888888881881 ¦ 38520000023237
                378734493671000 ¦ 5019717010103742 ¦ 6331101999990016 ¦ 2221000000000009
                """
            )
        },
    },
    "crypto_wallet": {
        # EIP-55's own examples, in several cases.
        **{
            wallet.lower(): [f"pay «{wallet}» now", f"eth:«{wallet}»"]
            for wallet in texts(
                """
                0x52908400098527886E0F7030069857D2E4169EE7
                0xde709f2102306220921060314715629080e2fb77
                0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
                0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359
                0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB
                0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb
                0X8617E340B3D01FA5F11F306F4090FD50E238070D
                0x27b1fdb04752bbc536007a920d24acb045561c26
                """
            )
        },
        # The genesis block's, BIP 13's, BIP 173's and BIP 350's examples.
        **{
            wallet: _around(wallet, _AROUND_VALUES[:2])
            for wallet in texts(
                """
                1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ¦ 3P14159f73E4gFr7JterCCQh9QjiTjiZrG
                bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 ¦ bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs
                bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y
                bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0 ¦ bc1sw50qgdz25j
                tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7
                1111111111111111111114oLvT2 ¦ 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2
                """
            )
        },
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": [
            *_around("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", _AROUND_VALUES),
            "«BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ»",
        ],
    },
    "us_ssn": {
        "123456789": texts(
            """
            «123-45-6789» ¦ é«123-45-6789»é ¦ ssn «123 45 6789» ¦ «123‑45‑6789»
            «１２３−４５−６７８９»
            1-«123-45-6789»-2 ¦ SSN: «123456789» ¦ ssn=«123456789» ¦ ssn #«123456789»
            («123-45-6789»)
            «١٢٣-٤٥-٦٧٨٩» ¦ «१२३-४५-६७८९» ¦ «123–45–6789» ¦ «123\u00a045\u00a06789»
            «123\u201245\u20126789»
            SSN is «123456789». ¦ Social Security No. «123456789» ¦ "«123-45-6789»"
            ssn:«123-45-6789»;
            «1\u200b23-45-6789» ¦ 用«123-45-6789»吧 ¦ <td>«123-45-6789»</td> ¦ «123\t45\t6789»
            ssn no. «123456789»
            """
        ),
        "536904399": texts(
            """
            «536-90-4399». ¦ social security number is «536904399» ¦ social security: «536 90 4399»
            """
        ),
        **{
            number.replace("-", ""): [
                f"number «{number}»,",
                f"my ssn is «{number.replace('-', '')}»",
            ]
            for number in texts(
                "001-01-0001 ¦ 665-12-3456 ¦ 667-98-7654 ¦ 772-99-9999 ¦ 899-45-6789"
            )
        },
        "912701234": ["itin «912-70-1234»", "«912 70 1234»"],
        "900881234": ["«900-88-1234»"],
    },
    "national_id": {
        # Specimens of the issuing offices and of the checksum's descriptions.
        **{
            "".join(filter(str.isalnum, number)).upper(): [f"her id «{number}», checked"]
            for number in texts(
                """
                AB 12 34 56 C ¦ CE123456A ¦ JG-10-37-59-A ¦ ab123456d ¦ X1234567L ¦ Y-1234567-X
                Z1234567R ¦ 12345678Z ¦ 12345678-Z ¦ 12.345.678-Z ¦ RSSMRA85T10A562S
                RSS MRA 85T10 A562S ¦ rcmgli83m10d612i ¦ ABCPE1234F ¦ BOXW310820HNERXN09
                2 95 10 99 126 111 93 ¦ 295109912611193 ¦ 131052-308T ¦ 131052A308T ¦ 111.444.777-35
                123.456.789-09 ¦ 811228-9874 ¦ 19811228-9874 ¦ 670919-9530 ¦ 85.07.30-033.28
                756.9217.0769.85 ¦ 7569217076985 ¦ 971013-9019902 ¦ 710319/2745 ¦ 12.531.909-2
                20-05536168-2 ¦ 360426199101010071 ¦ 1-2345-45678-78-1 ¦ 770305-02-1234
                34201-0891231-8 ¦ 151086 95088 ¦ 123-456-782
                """
            )
        },
        "9434765919": texts(
            """
            NHS number: «943 476 5919» ¦ NHS No. «9434765919» ¦ nhs «943-476-5919»
            NHS «٩٤٣ ٤٧٦ ٥٩١٩»
            NHS: «943\u00a0476\u00a05919». ¦ (NHS number is «9434765919»)
            """
        ),
        **{
            "".join(filter(str.isalnum, marked.split("«")[1])).upper(): [marked]
            for marked in texts(
                """
                Steuer-ID «36 574 261 809» ¦ PESEL: «44051401458» ¦ BSN «111222333»
                SIN «123 456 782»
                Burgerservicenummer: «123456782» ¦ Aadhaar no «2341 2341 2346» ¦ TFN «876 543 210»
                CPR «211062-5629» ¦ personnummer «8112289874» ¦ kennitala «450401-3150»
                CPF nº «11144477735» ¦ CNP «1630615123457» ¦ EGN «7523169263» ¦ OIB «33392005961»
                EMŠO «0101006500006» ¦ isikukood «36805280109» ¦ asmens kodas «33309240064»
                T.C. kimlik no «17291716060» ¦ AMKA «01013099997» ¦ NIF «501964843»
                PPSN «6433435F»
                NIK «3171011708450001» ¦ cédula «171430710-3» ¦ ת.ז. «039337423»
                identity number «8001015009087» ¦ fødselsnummer: «15108695088»
                """
            )
        },
    },
    "phone": {
        "+12025550143": texts(
            """
            call «(202) 555-0143» now ¦ «202-555-0143» ¦ «202.555.0143» ¦ «+1 202-555-0143»
            «202 555 0143»
            «+1 (202) 555-0143» ¦ «202\u00a0555\u00a00143» ¦ «202–555–0143» ¦ phone: «2025550143»
            call me at «2025550143»! ¦ «(202)555-0143» ¦ «(202) 555.0143» ¦ «1-202-555-0143»
            «+12025550143» ¦ «1 (202) 555-0143» ¦ tel «2025550143» ¦ «202/555-0143»
            «+1-202-555-0143»
            «+1.202.555.0143» ¦ «٢٠٢-٥٥٥-٠١٤٣» ¦ «２０２－５５５－０１４３»
            mobile no. «2025550143»
            é«202-555-0143»é ¦ «(202)\u202f555‑0143» ¦ whatsapp «2025550143» ¦ fax: «2025550143»
            """
        ),
        "+18002428807": ["«1-800-242-8807»", "«800-242-8807»"],
        "+15551234567": ["«555-123-4567»", "«(555)123-4567 x89»", "«555-123-4567 ext. 12»"],
        "+442079460958": texts(
            """
            «+44 20 7946 0958» ¦ «+44 (0)20 7946 0958» ¦ «+442079460958», thanks
            «0044 20 7946 0958»
            «+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨» ¦ «020 7946 0958» ¦ «(020) 7946 0958» ¦ «+44-20-7946-0958»
            «＋442079460958»
            """
        ),
        "+4930901820": ["«+49 30 901820»", "«+49 (0)30 901820»", "«+49 30/901820»"],
        "+919876543210": ["«+91 98765 43210» 7 boxes", "«+91-98765-43210»"],
        "+33142685300": texts(
            "«01 42 68 53 00» ¦ «01.42.68.53.00» ¦ «+33 1 42 68 53 00» ¦ «+33142685300»"
        ),
        "+390669812345": ["«+39 06 6981 2345»"],
        "+81312345678": ["«+81 3-1234-5678»"],
        "+61291234567": ["«+61 2 9123 4567»"],
        "+551123456789": ["«+55 (11) 2345-6789»"],
        "+34912345678": ["«+34 912 34 56 78»"],
    },
    "ip_address": {
        "192.0.2.44": texts(
            """
            from «192.0.2.44». ¦ «192.0.2.44»/24 ¦ http://«192.0.2.44»/x ¦ («192.0.2.44»)
            ip=«192.0.2.44»;
            «192.0.2.44»:8080 ¦ «192．0．2．44» ¦ «١٩٢.٠.٢.٤٤» ¦ «192.0.2.44», ¦ "«192.0.2.44»"
            é«192.0.2.44»é
            ssh root@«192.0.2.44» ¦ [«192.0.2.44»] ¦ «192.0.2.44» - - [01/Jan] ¦ «192.0.\u200b2.44»
            host:«192.0.2.44»
            """
        ),
        SAME: texts(
            """
            «10.0.0.1»:8080 ¦ «203.0.113.7» ¦ «198.51.100.255» ¦ «8.8.8.8» ¦ «255.255.255.255»
            «172.16.0.1»
            «2001:db8::1» ¦ «2001:db8::1»: seen ¦ «fe80::1ff:fe23:4567:890a»%eth0
            «2001:db8:0:1:1:1:1:1»
            «2001:db8::»/32 ¦ from «2001:db8:85a3::8a2e:370:7334». ¦ «ff02::1»
            «64:ff9b::c000:221» ¦ («2001:db8::2»)
            «2001:db8:a::123»/64 ¦ http://[«2001:db8::3»]:80/ ¦ «fd00::1», ¦ «1::» x
            «2002:c000:204::»
            """
        ),
        "2001:db8::1": texts(
            """
            [«2001:DB8:0:0:0:0:0:1»] ¦ «2001:0db8:0000:0000:0000:0000:0000:0001» ¦ «2001:0DB8::0001»
            «2001:db8:0:0::1» ¦ «２００１:db8::1»
            """
        ),
        "::ffff:c000:22c": ["«::ffff:192.0.2.44»", "«::FFFF:192.0.2.44» x"],
    },
    "address": {
        "": texts(
            """
            at «221B Baker Street, London NW1 6XE» now
            «1600 Pennsylvania Avenue NW, Washington, DC 20500»
            «350 5th Ave, New York, NY 10118». ¦ «10 Downing Street» ¦ «12 Oak Court».
            «123 MAIN ST APT 4»
            ship to «123 main street» please ¦ I live at «45 elm avenue».
            «742 Evergreen Terrace», Springfield
            «17066 Heather Grove Apt. 915» ¦ «141 Hodges Mountains Suite 5» ¦ «5/12 George St»
            («7 The Avenue»)
            «1 Infinite Loop, Cupertino, CA 95014» ¦ «12 St James Road»
            «100 Martin Luther King Jr. Blvd»
            «4059 Mt Lee Dr.», Hollywood ¦ «12-14 High Street» ¦ «99 O'Connell Road»
            «P.O. Box 1234» ¦ «PO Box 77», here ¦ «Post Office Box 9» ¦ «P O Box 12»
            «Postfach 12 34 56»
            «Postbus 123», Utrecht ¦ «Apartado de Correos 12» ¦ «Casella Postale 5»
            «Boîte postale 14»
            «Musterstraße 12, 10115 Berlin» ¦ wohnt «Berliner Str. 5a» in ¦ «Hauptstr. 7»
            «Am Markt 3» ¦ «Seeweg 4 b»
            «Potsdamer Platz 1» ¦ «Unter den Linden 77» ¦ «Karl-Marx-Allee 3» ¦ «HAUPTSTRASSE 5»
            «8, rue Jeanne Henry» ¦ «12 bis rue de la Paix, 75002 Paris»
            «214, avenue Charlotte Gilles» ¦ «5 place Vendôme»
            «3 allée des Peupliers» ¦ «12, boulevard de l'Hôpital» ¦ «Calle Mayor 5»
            «Calle de Alcalá, 42» ¦ «C/ Gran Vía 12»
            «Avenida de la Constitución nº 3» ¦ «Plaza del Sol 4, 28013 Madrid» ¦ «Via Roma 12»
            «Piazza Pellico, 59»
            «Via 4 Novembre 12» ¦ «Viale dei Giardini 7, 20121 Milano» ¦ «Rua Augusta, 1500»
            «Praça da Sé, 5»
            «ul. Paderewskiego 77» ¦ «al. Leśna 74/39» ¦ «ulica 3 Maja 5 m. 7»
            «ul. Prosta 1, 00-950 Warszawa»
            «Keizersgracht 123» ¦ «Dorpsstraat 5, 1234 AB Amsterdam» ¦ «Storgatan 77»
            «Björkgränd 4» ¦ «Mannerheiminkatu 3»
            """,
            "«123 Main St\nSpringfield, IL 62704»",
        ),
        "123 main street": texts(
            """
            «123 Main Street» ¦ «123 MAIN STREET» ¦ «123\u00a0Main\u00a0Street»
            «１２３ Main Street»
            """
        ),
    },
}

# Columns that hold such data by their names, and names that only look like it.
COLUMN_HITS = {
    "person_name": texts(
        """
        name ¦ Name ¦ NAME ¦ first_name ¦ FirstName ¦ firstName ¦ FIRST_NAME ¦ first-name
        first name
        firstname ¦ last_name ¦ LastName ¦ lastname ¦ surname ¦ Surname ¦ forename ¦ full_name
        fullname
        family_name ¦ given_name ¦ middle_name ¦ maiden_name ¦ person_name ¦ customer_name
        customerName
        patient_name ¦ contact_name ¦ client_name ¦ employee_name ¦ reviewer_name ¦ user_name
        username
        owner_name ¦ cardholder ¦ cardholder_name ¦ guest_name ¦ member_name ¦ student_name
        billing.first_name
        customer_surname ¦ first_name_2 ¦ last_name1 ¦ full_name_primary ¦ ｎａｍｅ
        """
    ),
    "birth_date": texts(
        """
        dob ¦ DOB ¦ Dob ¦ birth_date ¦ birthDate ¦ BirthDate ¦ BIRTH_DATE ¦ birth-date ¦ birth date
        birthdate
        Birthdate ¦ BIRTHDATE ¦ date_of_birth ¦ dateOfBirth ¦ DateOfBirth ¦ DATE_OF_BIRTH
        date of birth
        date-of-birth ¦ birthday ¦ Birthday ¦ BIRTHDAY ¦ birth_day ¦ birthDay ¦ patient_dob
        patientDOB
        customer_birth_date ¦ customerBirthDate ¦ member_birthday ¦ user.birthdate ¦ user/birthday
        child_dob
        dob1 ¦ dob_2 ¦ birthday_1 ¦ spouse_date_of_birth ¦ owner birth date ¦ primary_dob
        dob_primary
        applicant-dob ¦ person_birthdate ¦ ｄｏｂ
        """
    ),
    "address": texts(
        """
        address ¦ Address ¦ ADDRESS ¦ addresses ¦ street ¦ Street ¦ street_address ¦ streetAddress
        home_address
        homeAddress ¦ address_home ¦ work_address ¦ address_work ¦ billing_address ¦ billingAddress
        shipping_address ¦ ShippingAddress ¦ mailing address ¦ delivery-address ¦ postal_address
        customer_address ¦ patient_address ¦ contact.address ¦ address1 ¦ address2 ¦ address_1
        address_line_1
        addressLine2 ¦ address_line ¦ address_line_no ¦ home_street ¦ billing_street
        street_number ¦ street_no
        street_1 ¦ primary_address ¦ address_primary ¦ secondary_address ¦ residential_address
        private_address
        business address ¦ old_address
        """
    ),
}
COLUMN_NEAR_MISSES = {
    "person_name": texts(
        """
        product_name ¦ filename ¦ file_name ¦ names_count ¦ name_length ¦ nickname_used
        brand_name ¦ city_name
        country_name ¦ column_name ¦ table_name ¦ event_name ¦ host_name ¦ hostname ¦ domain_name
        model_name
        class_name ¦ label_name ¦ species_name ¦ game_name ¦ project_name ¦ course_name
        device_name
        store_name ¦ company_name ¦ renamed ¦ enamel ¦ tournament ¦ unnamed ¦ surname_count ¦ first
        last
        first_names_known ¦ last_seen ¦ full ¦ user ¦ customer ¦ patient ¦ first_name_length
        namespace
        dynamo ¦ ornament
        """
    ),
    "birth_date": texts(
        """
        birth_weight ¦ birth_rate ¦ births ¦ birth ¦ birthplace ¦ birth_country ¦ date ¦ order_date
        dates
        update ¦ updated ¦ due_date ¦ adobe ¦ dobro ¦ dobson ¦ birthday_party ¦ birthday_discount
        date_of_order
        date_of_delivery ¦ date_of ¦ birthstone ¦ birthmark ¦ rebirth ¦ stillbirth_rate
        birth_order ¦ birthing
        day ¦ days ¦ holiday ¦ weekday ¦ birth_year_known ¦ candidate ¦ mandate ¦ dob_known
        dob_valid
        birth_date_source ¦ birthday_message ¦ timestamp ¦ created_date ¦ death_date ¦ adob
        """
    ),
    "address": texts(
        """
        mac_address ¦ MacAddress ¦ wallet_address ¦ walletAddress ¦ addressee_count
        memory_address ¦ web_address
        url_address ¦ contract_address ¦ site_address ¦ ip_address ¦ ipAddress ¦ email_address
        e_mail_address
        emailAddress ¦ mail_address ¦ addressable ¦ addressed ¦ address_count ¦ address_type
        address_valid
        address_length ¦ address_hash ¦ streetcar ¦ streetwise ¦ street_type ¦ street_width
        street_lights
        dress ¦ readdress ¦ has_street_view ¦ wall_street_index ¦ streets_of_rage ¦ address_bar
        address_bus
        city ¦ town ¦ place ¦ location ¦ region ¦ addr_mode
        """
    ),
}
