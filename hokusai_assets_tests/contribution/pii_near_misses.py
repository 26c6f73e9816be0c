"""What no detector may take for its own, by detector: data for test_pii_detectors.py.

Another detector may well find something there (an order number is no card and may be a phone).
Short texts share a line, split by ¦.
"""

from hokusai_assets_tests.contribution.pii_table import JWT, KEY_TYPES, texts

NEAR_MISSES: dict[str, list[str]] = {
    "private_key": texts(
        """
        -----BEGIN PUBLIC KEY----- ¦ my PRIVATE KEY is lost ¦ BEGIN PRIVATE KEY ¦ PRIVATE KEY
        -----BEGIN CERTIFICATE----- ¦ -----BEGIN RSA PUBLIC KEY----- ¦ -----BEGIN PGP MESSAGE-----
        -----BEGIN PGP PUBLIC KEY BLOCK----- ¦ -----BEGIN CERTIFICATE REQUEST-----
        -----BEGIN PKCS7-----
        -----BEGIN DH PARAMETERS----- ¦ -----BEGIN EC PARAMETERS----- ¦ -----BEGIN X509 CRL-----
        ----BEGIN PRIVATE KEY---- ¦ --BEGIN PRIVATE KEY-- ¦ -----BEGIN private key-----
        -----begin private key----- ¦ -----BEGIN PRIVATEKEY----- ¦ -----BEGINPRIVATE KEY-----
        -----BEGIN MY-PRIVATE KEY----- ¦ -----BEGIN PRIVATE KEYS----- ¦ -----BEGIN PRIVATE  KEY-----
        -----BEGIN PGP SIGNATURE----- ¦ -----BEGIN SSH2 PUBLIC KEY----- ¦ ssh-rsa AAAAB3NzaC1yc2E
        the PRIVATE KEY BLOCK ¦ a -----BEGIN and a PRIVATE KEY----- ¦ KEY PRIVATE ¦ private.key
        """
    )
    + [f"-----END {kind}PRIVATE KEY-----" for kind in KEY_TYPES]
    + [f"-----BEGIN {kind}PRIVATE KEY" for kind in KEY_TYPES],
    "jwt": texts(
        """
        eyJ.eyJ.x ¦ eyJhbGciOiJI ¦ eyJub3QiOiJvbmUifQ.x.y ¦ hey.you.there ¦ eyJ
        eyJhbGciOiJIUzI1NiJ9
        eyJhbGciOiJIUzI1NiJ9. ¦ eyJhbGciOiJIUzI1NiJ9..x ¦ .eyJhbGciOiJIUzI1NiJ9
        eyJhbGciOiJIUzI1NiJ9 .e30.x
        xeyJhbGciOiJIUzI1NiJ9.e30.x ¦ 1eyJhbGciOiJIUzI1NiJ9.e30.x ¦ _eyJhbGciOiJIUzI1NiJ9.e30.x
        EYJHBGCIOIJIUZI1NIJ9.e30.x ¦ eyjhbGciOiJIUzI1NiJ9.e30.x ¦ eyJhbGciOiJIUzI1NiJ9-e30-x
        eyJhbGciOiJIUzI1NiJ9/e30/x ¦ eyJhbGciOiJIUzI1NiJ9,e30,x ¦ e30.e30.x ¦ W10.e30.x ¦ eyJ9.e30.x
        eyJhIjoxfQ.e30.x ¦ eyJ0eXAiOiJKV1QifQ.e30.x ¦ eyJraWQiOiIxIn0.e30.x ¦ eyJhbGc.e30.x
        eyJhbGciOg.e30.x
        eyJhbGciOiI.e30.x ¦ eyJhbGciOiJIUzI1NiJ.e30.x ¦ eyJhbGciOiJIUzI1NiJ9e30x ¦ eyJ_.e30.x
        eyJ-.e30.x
        org.example.Class ¦ a.b.c ¦ 1.2.3 ¦ www.example.com ¦ eye.eye.captain ¦ eyJ.1.2
        eyJAAAA.e30.x
        eyJhbGciOiJIUzI1NiJ9:e30:x ¦ eyJhbGciOiJIUzI1NiJ9.\u00a0e30.x ¦ keyJ.eyJ.x ¦ eyJ...
        """,
        "x" + JWT,
        JWT.replace(".", " "),
        JWT.lower(),
    ),
    "api_key": texts(
        """
        AKIA ¦ akiaiosfodnn7example ¦ sk-this-is-plain-english-words ¦ ghp_short ¦ task_live_x
        AKIAIOSFODNN7
        AKIAIOSFODNN7EXAMPLES ¦ XAKIAIOSFODNN7EXAMPLE ¦ AKIA IOSFODNN7EXAMPLE
        AKIAiosfodnn7example ¦ ASIAN
        ghx_16C7e42F292c6912E7710c838347Ae178B4a ¦ GHP_16C7E42F292C6912E7710C838347AE178B4A
        ghp 16C7e42F
        xghp_16C7e42F292c6912E7710c838347Ae178B4a ¦ github_pat_short0 ¦ github_pattern ¦ glpat-
        glpat-short0
        xoxo-hugs-and-kisses ¦ xoxb-0 ¦ xox-123456789012 ¦ AIza ¦ AIzaShort0
        aizasya1234567890abcdefghijklmnopqrstuv
        sk_live_ ¦ sk_live_short0 ¦ sk_prod_4eC39HqLyjWDarjtT1zdp7dc
        risk_live_4eC39HqLyjWDarjtT1zdp7dc
        disk-usage-is-at-20-percent ¦ sk-8 ¦ risk-abcdefghijklmnopqrst0123 ¦ SG.a.b
        SG.short0.short0 ¦ npm_config
        npm_config_registry_of_the_house_2_b ¦ hf_hub_download ¦ hf_short0 ¦ shpat_0a1b
        shpat_zzzz ¦ dop_v1_0a
        dapi ¦ dapi0a1b ¦ rubygems_0a1b ¦ hvs.short ¦ pypi-AgEI ¦ pypi-package ¦ ya29.short
        sq0atp-0 ¦ xapp-1-0
        AGE-SECRET-KEY-1 ¦ desk-top ¦ api_key=changeme ¦ password: 12345
        da39a3ee5e6b4b0d3255bfef95601890afd80709
        """
    ),
    "url_credentials": texts(
        """
        https://host.example/a:b ¦ https://host:8080/x ¦ http://a/b:c@d ¦ a:b@c
        https://[URL_CREDENTIALS]@host
        https://user@host ¦ https://host.example/@handle ¦ https://host.example:443/@a:b
        https://host/?q=a:b@c
        http://host/a@b:c ¦ ssh://git@host.example/x ¦ git@host.example:a/b.git ¦ mailto:a:b@c
        user:pass@host
        ://a:b@c ¦ 1://a:b@c ¦ http:/a:b@c ¦ http//a:b@c ¦ http:a:b@c ¦ http://a:@c ¦ http://a:b@
        http://a:b@ c
        http://a b:c@d ¦ http://a: b@c ¦ http://[::1]:80/ ¦ http://a:b ¦ http://a:b/@c ¦ http://@c
        http://a@b@c
        ratio 3:1 @ noon ¦ at 12:30 @ work ¦ see http://host then a:b@c ¦ tel://+1:2
        file:///C:/a@b ¦ a://b c:d@e
        http://host:80 @ me ¦ https://medium.example/@user:name ¦ news://a:b
        s3://bucket/key:v@1 ¦ docker://image:tag ¦ oci://host/image:tag@sha256:0 ¦ doi:10.1000/a@b
        urn:a:b@c ¦ data:text/plain,a:b@c ¦ javascript:a:b@c ¦ https://host.example/user:pass@x
        ://user:pass
        """
    ),
    "email": texts(
        """
        me @ home ¦ @handle ¦ a@b ¦ user@localhost ¦ 3 @ 2.50 ¦ pkg@1.2.3 ¦ @example.com
        left@right. ¦ x@.com
        100%@2.5oz ¦ look at example dot com ¦ meet me at noon. Then go ¦ bought at amazon.example
        (at) home
        me (at) home ¦ 5 apples (at) 2.50 ¦ alice (at) ¦ (at) example.com ¦ [at] example.com
        alice [at] 1.5
        alice (at) the store. Then ¦ alice&#65;example.com ¦ alice&#46;example.com
        alice%41example.com
        alice&amp;example.com ¦ a%40b ¦ 10%40 off ¦ https://medium.example/%40handle
        npm/%40types/node.js
        50%40.5 ¦ AT&T.com ¦ at&t (at) work ¦ user@ example.com ¦ user @example.com ¦ a @ b.c
        email me
        alice.example.com ¦ www.example.com ¦ <at> ¦ alice (cat) example (dot) com ¦ alice (at] work
        alice [attached] example.com ¦ alice at example ¦ dot com ¦ example (dot) com ¦ user@-.-
        @@ ¦ a@@b.com
        git@host:path ¦ x = a@b ¦ 5@$1.99 ¦ decorator @pytest.mark ¦ @media (min-width)
        matrix A @ B.T
        """
    ),
    "iban": texts(
        """
        GB82 WEST 1234 5698 7654 33 ¦ GB82 ¦ XX82WEST12345698765432 ¦ GB82 WEST 1234
        GB28 WEST 1234 5698 7654 32
        AB12 words that follow are no account ¦ GB82 WEST 1234 5698 7645 32 ¦ GB83WEST12345698765432
        xGB82WEST12345698765432 ¦ 1GB82WEST12345698765432 ¦ _GB82WEST12345698765432
        G882WEST12345698765432
        GB82WEST1234569876543 ¦ GB82_WEST_1234_5698_7654_32 ¦ GB82.WEST.1234.5698.7654.32
        GB 82WEST12345698765432
        GB8 2WEST12345698765432 ¦ GBB2WEST12345698765432 ¦ DE89370400440532013001
        DE98370400440532013000
        DE8937040044053201300 ¦ DE89 3704 0044 0532 0130 0 ¦ FR1420041010050500013M02607
        NO9386011117948
        BE68539007547035 ¦ NL91ABNA0417164301 ¦ ES9121000418450200051333
        IT60X0542811101000000123457
        CH9300762011623852958 ¦ PL61109010140000071219812875 ¦ AT611904300234573202
        SE4550000000058398257467
        AB12345678901234567 ¦ UPS 1Z999AA10123456784 ¦ VIN WA1ZZZ8K9AA000001 ¦ SKU AB12CD34EF56GH78
        MD5 ab12cd34ef56ab12
        IT12 is the code and nothing else here ¦ my PC33 with four cores and a fan
        WO2004 0123456789 ¦ GB82WEST
        QR12 3456 7890 1234 5678 ¦ OR99 1111 2222 3333 4444
        """
    ),
    "payment_card": texts(
        """
        541 850 2 732 988 977 ¦ 670 59 759 374 338 887 ¦ EAN 4285677504303
        4111 1111 1111 1112 ¦ 1111 1111 1111 1117 ¦ 41111111111111111 ¦ x4111111111111111
        4111111111111111z
        9999 9999 9999 9995 ¦ 0000 0000 0000 0000 ¦ 4111 1111 1111 ¦ 12 34 56 78 90 12 34 56
        79927398713
        4111111111111110 ¦ 4111.1111.1111.1111 ¦ 4111/1111/1111/1111 ¦ 4111,1111,1111,1111
        4111_1111_1111_1111
        4111  1111  1111  1111 ¦ _4111111111111111 ¦ 4111111111111111_ ¦ 5555555555554445
        378282246310006
        3400000000000000 ¦ 6011111111111118 ¦ 30569309025905 ¦ 3530111333300001 ¦ 4222222222223
        1234567890123456
        1234 5678 9012 3456 ¦ 9780306406157 ¦ 978-0-306-40615-7 ¦ 9783161484100 ¦ 5901234123457
        0012345600012
        1700000000000 ¦ 1609459200000 ¦ 20240501123000 ¦ 2024-05-01 12:30:00.123456
        3.141592653589793
        2.718281828459045 ¦ 1 2 3 4 5 6 7 8 9 10 11 12 13 ¦ 10 20 30 40 50 60 70 80
        100 200 300 400 500
        1000000000000000 ¦ 490154203237518 ¦ 8888888888888888 ¦ 7777 7777 7777 7777
        1Z9999999999999999
        tracking 9400100000000000000000 ¦ isbn 9791090636071 ¦ 0.4111111111111112
        18446744073709551615
        """
    ),
    "crypto_wallet": texts(
        """
        0x52908400098527886E0F7030069857D2E4169EE ¦ x0x52908400098527886E0F7030069857D2E4169EE7
        0xdeadbeef
        1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb ¦ bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdx ¦ 0x0
        0xFFFF ¦ 0x
        52908400098527886E0F7030069857D2E4169EE7 ¦ 0x52908400098527886E0F7030069857D2E4169EEG
        0x 5290840009
        0y52908400098527886E0F7030069857D2E4169EE7 ¦ 0x52908400098527886E0F7030069857D2E4169EE70
        bc1 ¦ bc1q
        x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ¦ 1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf
        1a1zp1ep5qgefi2dmptftl5slmv7divfna
        1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0 ¦ 3P14159f73E4gFr7JterCCQh9QjiTjiZrH
        3p14159f73e4gfr7jterccqh9qjitjizrg
        2A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ¦ A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa
        1111111111111111111111111111
        33333333333333333333333333333333 ¦ 12345678912345678912345678 ¦ bc1qqqqqqqqqqqqqqqqqqqq
        bc12345678901
        bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4 ¦ BC1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4
        bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5 ¦ tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty
        xbc1sw50qgdz25j
        bc1sw50qgdz25jx ¦ bc1sw50qgdz25k ¦ bc1sw50qgdz25 j ¦ bc1 sw50qgdz25j ¦ BC1986 ¦ tb1
        ltc1234567890
        Tuvwxyz123456789ABCDEFGHJKLM ¦ LongWordWithoutAnyMeaning12345
        Donaudampfschifffahrtsgesell ¦ M1A2
        The1Quick2Brown3Fox4Jumped5Over6 ¦ Xylophone1234567890abcdefghij
        3f786850e387550fdab836ed7e6dc881de23001b
        """,
        "0x" + "a" * 64,
    ),
    "us_ssn": texts(
        """
        ISBN 978-84-9961-123-4
        000-12-3456 ¦ 666-12-3456 ¦ 900-12-3456 ¦ 123-00-4567 ¦ 123-45-0000 ¦ 123456789
        123-45-67890
        0123-45-6789 ¦ 078-05-1120 ¦ 123-45 6789 ¦ x123-45-6789 ¦ 123-45-6789x ¦ 219-09-9999
        123 45-6789
        999-12-3456 ¦ 912-10-1234 ¦ 912-93-1234 ¦ 123.45.6789 ¦ 123/45/6789 ¦ 123_45_6789
        123--45--6789
        123-456-789 ¦ 12-345-6789 ¦ 1234-56-789 ¦ 123-4-56789 ¦ 123-45-678 ¦ 12-45-6789
        123-456789 ¦ 12345-6789
        _123-45-6789 ¦ 123-45-6789_ ¦ ssn 12345678 ¦ ssn 1234567890 ¦ ssn 000123456 ¦ ssn: n/a
        ssn 666123456
        lessn 123456789 ¦ zip 12345-6789 ¦ 2024-05-0123 ¦ 123-45-6,789 ¦ 100-200-3000
        part 123-4A-6789
        ssn, then order 123456789 ¦ room 123, 45, 6789 ¦ 123  45  6789
        """
    ),
    "national_id": texts(
        """
        QQ123456C ¦ BG123456C ¦ GB123456A ¦ NT123456B ¦ ZZ123456A ¦ DA123456A ¦ AO123456A
        AB123456E ¦ AB12345C
        AB1234567C ¦ xAB123456C ¦ AB123456CD ¦ 12345678A ¦ 12345678I ¦ 1234567Z ¦ 123456789Z
        12345678 Z ¦ X1234567A
        W1234567L ¦ X123456L ¦ RSSMRA85T10A562T ¦ RSSMRA85T10A562 ¦ RSSMRA85Z10A562S
        XRSSMRA85T10A562S ¦ ABCCE1234F
        ABCPE1234 ¦ ABCPE12345 ¦ abcpe1234f ¦ 2 95 10 99 126 111 94 ¦ 295109912611194
        295139912611193 ¦ 395109912611193
        131052-308U ¦ 321052-308T ¦ 131352-308T ¦ 111.444.777-36 ¦ 11144477735 ¦ 111-444-777-35
        123-456-789 ¦ 123 456 782
        123456782 ¦ 811228-9875 ¦ 811328-9874 ¦ 8112289874 ¦ 85.07.30-033.29 ¦ 756.9217.0769.84
        755.9217.0769.85
        971013-9019903 ¦ 971313-9019902 ¦ 710319/2746 ¦ 12.531.909-3 ¦ 20-05536168-3
        30-05536168-2 ¦ 360426199101010072
        360426199113010071 ¦ 1-2345-45678-78-2 ¦ 771305-02-1234 ¦ 770305-00-1234 ¦ 151086 95089
        943 476 5919 ¦ 9434765919
        NHS number 943 476 5918 ¦ NHS 123 ¦ nhs is 75 years old ¦ Steuer-ID 36574261808
        PESEL 44051401459 ¦ 44051401458
        BSN 111222334 ¦ bsn, and 12 more ¦ aadhaar 2341 2341 2347 ¦ aadhaar 1341 2341 2346
        TFN 876543211 ¦ OIB 33392005962
        using 123456782 ¦ to sin 123456782 times ¦ cost centre 501964843 ¦ order id 123456782
        user id: 039337423
        2024-05-01 12:30 ¦ 978-3-16-148410-0 ¦ 12.345.678 ¦ 1.234.567-89 ¦ invoice 20240501-1234
        version 12.34.56-789.10
        """
    ),
    "phone": texts(
        """
        09.08.2003 17 ¦ 02.08.1990 04:15
        2025550143 ¦ 555-1234 ¦ 1234-567-8901 ¦ 12-34-5678 ¦ 2024-05-01 12:30:00 ¦ 200 300 4000
        978-3-16-148410-0
        item 0 12345 67890 5 ¦ +1234567 ¦ 3.14159265358 ¦ 102-555-0143 ¦ 1,234,567,890
        202-555-01431 ¦ 2024-05-01
        20240501 ¦ 01/02/2024 ¦ 01.02.2024 ¦ 01-02-2024 ¦ 12:30:45 ¦ 1 234 567 890 ¦ 0123456789
        0.123456789 ¦ 1e10
        x202-555-0143 ¦ 202-555-0143x ¦ 202-5550143 ¦ 20-2555-0143 ¦ 202_555_0143 ¦ 202--555--0143
        202-555-014
        002-555-0143 ¦ 202,555,0143 ¦ 123-45-6789 ¦ 192.168.1.100 ¦ 10.20.30.40 ¦ 1.2.3.4.5.6.7
        v2.0.2-555-0143
        9780306406157 ¦ 5901234123457 ¦ EAN 4006381333931 ¦ order 1002003004 ¦ 100 200 300
        250 300 350 400
        5-10-15-20-25-30 ¦ 1990-2000-2010 ¦ 2019/2020/2021 ¦ +5 points, 12 games ¦ -1234567890
        phone 12 ¦ call 911
        tel. 5 of 10 ¦ phonecase 2025550143 ¦ 12345-6789 ¦ 1+1=2 ¦ 40.7128, -74.0060
        51.5074 0.1278 ¦ 3x4x5x6x7x8x9
        """
    ),
    "ip_address": texts(
        """
        1.2.3 ¦ 256.1.1.1 ¦ 1.2.3.4.5 ¦ v1.2.3.4 ¦ 127.0.0.1 ¦ 0.0.0.0 ¦ ::1 ¦ :: ¦ 12:30:45
        aa:bb:cc:dd:ee:ff
        std::vector ¦ a::b ¦ 1:2 ¦ 01.02.03.04 ¦ 1.2.3.4x ¦ x1.2.3.4 ¦ 1.2.3.456 ¦ 1.2.3.-4
        1,2,3,4 ¦ 1. 2. 3. 4.
        192.0.2 ¦ 192.0.2. ¦ 192.0.2.044 ¦ 192.0.2.256 ¦ 999.999.999.999 ¦ 1.2..3.4 ¦ .1.2.3
        1.2.3.4.5.6 ¦ 192-0-2-44
        192_0_2_44 ¦ 10:20:30 ¦ 10:20:30:40 ¦ 00:1A:2B:3C:4D:5E ¦ ratio 1:2:3 ¦ Foo::bar
        Foo::Bar::baz ¦ a:b:c:d:e:f:g:h
        2001:db8:1 ¦ 2001:db8::1::2 ¦ 1:2:3:4:5:6:7:8:9 ¦ 12345::1 ¦ g::1 ¦ 2001:db8::xyz
        127.0.0.2 ¦ :1:2 ¦ 1::2::3
        std::array<int, 3> ¦ 3.14.15 ¦ 2024.05.01 ¦ 12.5.2024 ¦ Section 1.2.3 ¦ 1.000.000
        1.000.000,00 ¦ v10.0.0.1
        """
    ),
    "address": texts(
        """
        part 4707-56, Exactly drive
        3 days on the way ¦ 5 star court case ¦ 5 Star Court Case ¦ 10 Best Places
        I gave 5 Stars. Great ¦ 4 Lane Highway
        2 way street ¦ 10 minute drive ¦ 10 Minute Drive ¦ 3 miles down the road
        24 Hour Drive Thru ¦ 2 Bedroom Place
        1 January 2020 St Patrick ¦ 12 Angry Men ¦ Parkplatz 12 ¦ Platz 3 ¦ Sitzplatz 23
        Umweg 5 km ¦ Weg 3 ¦ Auf Platz 3
        Spring 2020 ¦ Engineering 101 ¦ iPad 3 ¦ 12 place de parking ¦ 2 places
        Plaza Hotel 3 nights ¦ via email 3 times
        Corso Avanzato 3 ore ¦ et al. Smith 2010 ¦ box 5 ¦ mailbox 12 ¦ 50 Street Fighter games
        Windows 10 Drive
        100 Percent Way ¦ 2 Door Drive ¦ size 12 Walk ¦ 3 Dr Pepper ¦ I had 3 Dr Pepper Drinks
        Bahnhof 3 ¦ $5 Main St
        On 3 May Park opened ¦ 2 St ¦ I ate 12 Oreos, St Louis ¦ Act 3 Scene Row ¦ 2 lane road
        a 20 minute drive down the lane ¦ 1 of the best road trips ¦ rue 12 ¦ 3 rues ¦ 5 avenue
        1 Street ¦ 12th Street
        Calle 5 ¦ Avenida 12 ¦ 12 Monkeys ¦ Strada 3.5 ¦ Arbeitsweg 5 km ¦ Tabellenplatz 3
        the PO ate 5 boxes ¦ Box 1234
        apt 5 ¦ Suite 12 ¦ Bowtie 3 ¦ Colgate 3 ¦ Notepad 7 ¦ Dekade 3 ¦ 5 Big Court Cases
        I live 5 minutes down the road
        sent 3 boxes down main street ¦ ul. 5 ¦ 5 place settings ¦ 2.5 Main Street
        """
    ),
}
