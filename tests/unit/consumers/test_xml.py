"""XML of strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.connectors.xml import BadXml, local, read_xml, text_at

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><lolz a="&lol3;">&lol3;</lolz>"""


def test_what_is_well_formed_is_read_without_comments() -> None:
    root = read_xml(
        b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><a:r xmlns:a='urn:a'><a:b> t<!-- c -->x </a:b><?p i?></a:r>"
    )
    assert (local(root), text_at(root, "b"), text_at(root, "b", "c"), len(root)) == ("r", "tx", None, 1)
    assert read_xml("<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>".encode("latin-1")).text == "ü"
    assert read_xml(b"<a><![CDATA[<!DOCTYPE html>]]></a>").text == "<!DOCTYPE html>"


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS,
        LAUGHS.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"),
        LAUGHS.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<a/>',
        b"<!-- x --><?p i?>\n<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>",
        b"<!DOCTYPE a><a/>",
        b"<!ENTITY x 'y'><a/>",
        b"<a>&x;</a>",
        b"<a>\xff</a>",
        b"<a>",
        b"",
        b"\x00",
        b"<html><br></html>",
        b"{}",
        b"<a>" * 300 + b"</a>" * 300,
        b"<a>" * 100_000,
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(BadXml):
        read_xml(body)


def test_a_file_is_never_read_through_an_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    url = (tmp_path / "secret").as_uri()
    with pytest.raises(BadXml) as refused:
        read_xml(f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url}">]><a>&x;</a>'.encode())
    assert str(refused.value) == "it has a document type"


def test_what_is_too_large_is_not_parsed() -> None:
    with pytest.raises(BadXml, match="too large"):
        read_xml(b"<a>" + b"x" * 100 + b"</a>", largest=50)


@given(st.binary(max_size=80))
def test_bytes_are_an_element_or_bad(body: bytes) -> None:
    try:
        assert read_xml(body) is not None
    except BadXml:
        pass
