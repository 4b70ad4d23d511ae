"""Settings: one commented file that is also the default, overrides, and refusals by name."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chain.errors import MalformedError
from invoice_service.config import OUR_ADDRESSES, Config, env_name, load
from invoice_service.domain.numbering import Scheme
from invoice_service.domain.tax import TaxRates
from tests.api.desk import Desk

FILE = Path(__file__).parent.parent / "config.toml"
LINES = FILE.read_text(encoding="utf-8").splitlines()


def keys() -> list[tuple[str, str]]:
    """(section, key) of everything that can be set."""
    return [
        (section, key)
        for section in Config.__struct_fields__
        for key in getattr(Config(), section).__struct_encode_fields__
    ]


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path | None, **environ: str) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        load(path, environ)
    assert caught.value.code == "config_invalid"
    return caught.value


def test_the_file_says_the_defaults_and_names_every_key() -> None:
    tables = tomllib.loads("\n".join(LINES))
    assert [(section, key) for section in tables for key in tables[section]] == keys()
    defaults = load(FILE, {})
    assert defaults.data_dir == FILE.parent / "var/main"
    for section in Config.__struct_fields__:
        if section != "service":
            assert getattr(defaults, section) == getattr(Config(), section)
    assert defaults.service.public_url == Config().service.public_url


def test_every_key_has_a_comment_above_it() -> None:
    commented = False
    for text in LINES:
        if text.startswith("#"):
            commented = True
        elif re.match(r"[a-z_]+ = ", text):
            assert commented, text
        else:
            commented = False


TOKEN = "twenty-visible-characters"
TOGETHER = {
    "payments": ("wechat_key", "wechat_signers"),
    "paper": ("certificate", "key"),
    "oidc": ("issuer", "client_id"),
}


@pytest.mark.parametrize(("section", "key"), keys())
def test_the_environment_overrides_every_key(section: str, key: str) -> None:
    new: dict[type, tuple[str, Any]] = {
        int: ("70", 70) if key.endswith("seconds") else ("7", 7),
        bool: ("false", False) if key == "two_person" else ("true", True),
        float: ("2.5", 2.5),
        tuple: ('["0.06"]', ("0.06",)),
    }
    texts = {
        "public_url": "https://fapiao.example",
        "data_dir": "/srv/fapiao",
        "policy": "/srv/policy",
        "backups": "/srv/backups",
        "wechat_key": "/srv/apiv3",
        "wechat_signers": "/srv/signers",
        "alipay_key": "/srv/alipay.pem",
        "security": "tls",
        "from": "fapiao@example.com",
        "ca": "/srv/ca.pem",
        "certificate": "/srv/bureau.pem",
        "key": "/srv/bureau.key",
        "chain": "/srv/chain.pem",
        "wallets": "/srv/wallets",
        "issuer": "https://id.example",
        "client_id": "fapiao",
        "second_factor": "always",
        "region": "4401",
        "industry_kind": "3",
        "access": "token",
        "token": TOKEN,
    }
    needed = {env_name("operations", "token"): TOKEN} if key == "access" else {}
    if (section, key) == ("mail", "host"):
        needed = {env_name("mail", "from"): texts["from"]}
    for place, pair in TOGETHER.items():
        for one, other in itertools.permutations(pair):
            if (section, key) == (place, one):
                needed = {env_name(place, other): texts[other]}
    field = {"class": "class_", "from": "from_"}.get(key, key)
    before = getattr(getattr(load(FILE, {}), section), field)
    text, expected = new.get(type(before), (texts.get(key, "5"),) * 2)
    if key == "trusted_proxies":
        text, expected = '["10.0.0.0/8", "::1"]', ("10.0.0.0/8", "::1")
    after = load(FILE, {**needed, env_name(section, key): text})
    assert getattr(getattr(after, section), field) == expected != before


def test_a_text_key_takes_the_variable_as_it_stands() -> None:
    config = load(None, {"FAPIAO_BROKER_URL": "redis://h/0", "FAPIAO_LOG_ORIGIN": "a.cn/log"})
    assert (config.broker.url, config.log_origin) == ("redis://h/0", "a.cn/log")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[web]\nport = 9000\nthreads = 2\n")
    config = load(path, {"FAPIAO_WEB_PORT": "9001", "FAPIAO_KEY": "other", "PATH": "/bin"})
    assert (config.web.port, config.web.threads, config.web.workers) == (9001, 2, 2)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[web]\nprot = 1\n", "prot"),
        ("[wbe]\nport = 1\n", "wbe"),
        ("port = 1\n", "port"),
        ("[web]\nport = '8000'\n", "/web/port"),
        ("[web]\nport = 70000\n", "/web/port"),
        ("[web]\nworkers = 0\n", "/web/workers"),
        ("[anchor]\ninterval = 0\n", "/anchor/interval"),
        ("[anchor]\ninterval = nan\n", "/anchor/interval"),
        ("[anchor]\ninterval = inf\n", "/anchor/interval"),
        ("[numbering]\nregion = '44'\n", "/numbering/region"),
        ("[mail]\nhost = 'm'\n", "/mail/from"),
        ("[mail]\nfrom = 'a@b.cn\\nBcc: c@d.cn'\n", "/mail/from"),
        ("[mail]\nuser = 'u'\nsecurity = 'none'\n", "/mail/security"),
        ("[paper]\nkey = 'k'\n", "/paper/key"),
        ("[numbering]\nclass = '９'\n", "/numbering/class"),
        ("[numbering]\nfirst_batch = 3\nlast_batch = 2\n", "first_batch"),
        ("[tax]\nrates = []\n", "/tax/rates"),
        ("[tax]\nrates = ['0.06', '0.06']\n", "/tax/rates"),
        ("[tax]\nrates = ['6%']\n", "/tax/rates"),
        ("[tax]\nrates = [0.06]\n", "/tax/rates"),
        ("[log]\norigin = 'a b'\n", "/log/origin"),
        ("[log]\norigin = 'a+b'\n", "/log/origin"),
        ("[service]\ndata_dir = ''\n", "/service/data_dir"),
        ("[web\n", "config.toml"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    assert named in str(refused(write(tmp_path, text)))


@pytest.mark.parametrize(
    "url",
    [
        *("", "fapiao.example", "ftp://a.cn", "http://", "http://a.cn/", "http://a.cn?x=1"),
        *("http://a.cn/#x", "http://u@a.cn", "http://a b", "http://a.cn/a b", "http://a+b.cn"),
        *("http://A.cn", "http://发票.cn", "http://a.cn\n", "http://a.cn//"),
    ],
)
def test_a_public_address_that_would_make_a_bad_code_is_refused(url: str) -> None:
    assert refused(None, FAPIAO_SERVICE_PUBLIC_URL=url).pointer == "/service/public_url"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FAPIAO_WEB_PROT", "1"),
        ("FAPIAO_WEB_TRUSTED_PROXIES", "127.0.0.1"),
        ("FAPIAO_WEB_TRUSTED_PROXIES", '["10.0.0.1/8"]'),
        ("FAPIAO_WEB_TRUSTED_PROXIES", '["localhost"]'),
        ("FAPIAO_RATE_KEY_BURST", "0"),
        ("FAPIAO_WEB_PORT", ""),
        ("FAPIAO_WEB_PORT", "http"),
        ("FAPIAO_WEB_PORT", "'8000'"),
        ("FAPIAO_WEB_PORT", "1\nhost = 2"),
        ("FAPIAO_TAX_RATES", "0.06"),
    ],
)
def test_a_bad_variable_is_refused_by_name(name: str, text: str) -> None:
    _, section, key = name.lower().split("_", 2)
    message = str(refused(None, **{name: text}))
    assert section in message.lower()
    assert key in message.lower()


def test_the_least_that_may_be_set() -> None:
    least = {"FAPIAO_WEB_WORKERS": "1", "FAPIAO_WEB_PORT": "0", "FAPIAO_CLOCK_MAX_BACKWARDS": "0"}
    config = load(None, least)
    assert (config.web.workers, config.web.port, config.clock.max_backwards) == (1, 0, 0)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nowhere.toml" in str(refused(tmp_path / "nowhere.toml"))


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"[web]\nhost = '\xff'\n")
    assert "config.toml" in str(refused(path))


def test_folders_lie_in_the_data_folder(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[service]\ndata_dir = 'd'\n"), {})
    data = tmp_path / "d"
    assert config.data_dir == data
    assert (config.invoices_db, config.log_db) == (data / "invoices.db", data / "log.db")
    assert [config.log_dir, config.keys_dir, config.broker_dir, config.run_dir] == [
        data / name for name in ("log", "keys", "broker", "run")
    ]


def test_an_absolute_data_folder_stays_where_it_is(tmp_path: Path) -> None:
    assert load(FILE, {"FAPIAO_SERVICE_DATA_DIR": str(tmp_path)}).data_dir == tmp_path


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000/log"),
        ("https://fapiao.example", "fapiao.example/log"),
        ("https://gov.example/tax/e", "gov.example/tax/e/log"),
    ],
)
def test_the_logs_name_comes_from_the_public_address(url: str, origin: str) -> None:
    assert load(None, {"FAPIAO_SERVICE_PUBLIC_URL": url}).log_origin == origin


def test_the_domain_takes_the_settings_as_they_are() -> None:
    config = load(FILE, {})
    parts = {
        field: getattr(config.numbering, field) for field in config.numbering.__struct_fields__
    }
    scheme = Scheme(
        **parts,
        max_backwards=config.clock.max_backwards,
        max_forwards=config.clock.max_forwards,
    )
    assert scheme == Scheme()
    assert TaxRates(config.tax.rates).texts == config.tax.rates


@pytest.mark.parametrize("url", ["https://a.cn/v1", "https://a.cn/log/x", "http://a.cn:99999"])
def test_an_address_that_could_never_be_served_is_refused_before_it_is_fixed(url: str) -> None:
    with pytest.raises(MalformedError) as refused:
        load(None, {"FAPIAO_SERVICE_PUBLIC_URL": url})
    assert (refused.value.code, refused.value.pointer) == ("config_invalid", "/service/public_url")


def test_our_addresses_are_those_of_the_application(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:
        rules = [rule.rule.split("/")[1] for rule in desk.app.url_map.iter_rules()]
    assert {rule.lower() for rule in rules} - {""} == OUR_ADDRESSES


def test_keys_of_wechat_pay_are_named_together() -> None:
    for key in ("WECHAT_KEY", "WECHAT_SIGNERS"):
        with pytest.raises(MalformedError, match="set together"):
            load(FILE, {f"FAPIAO_PAYMENTS_{key}": "/srv/x"})
