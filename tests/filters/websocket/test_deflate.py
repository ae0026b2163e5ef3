"""What is agreed upon with a client that offers compression."""

from __future__ import annotations

import random
import zlib

import pytest
from wsproto.frame_protocol import FrameProtocol

from revproxy.filters.websocket.deflate import Deflate, accepted

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (["permessage-deflate"], AGREED),
        (["permessage-deflate; client_max_window_bits"], AGREED),
        (['permessage-deflate; client_max_window_bits="10"; server_no_context_takeover'], AGREED),
        (["x-webkit-deflate-frame, Permessage-Deflate"], AGREED),
        (["foo", "permessage-deflate"], AGREED),
        (["permessage-deflate; server_max_window_bits=10"], f"{AGREED}; server_max_window_bits=10"),
        (["permessage-deflate; server_max_window_bits=15"], f"{AGREED}; server_max_window_bits=15"),
        (["permessage-deflate; server_max_window_bits=8"], None),
        (["permessage-deflate; server_max_window_bits=8, permessage-deflate"], AGREED),
        (["permessage-deflate; unknown, permessage-deflate"], AGREED),
        (["permessage-deflate; server_max_window_bits"], None),
        (["permessage-deflate; server_max_window_bits=16"], None),
        (["permessage-deflate; client_max_window_bits=7"], None),
        (["permessage-deflate; client_max_window_bits=010"], None),
        (["permessage-deflate; server_no_context_takeover=1"], None),
        (["permessage-deflate; client_max_window_bits; client_max_window_bits"], None),
        (["permessage-deflate; unknown"], None),
        (["permessage-deflat"], None),
        ([""], None),
        ([], None),
    ],
)
def test_offers(offers: list[str], answer: str | None) -> None:
    """F-98, RFC 7692 section 7.1: the first offer that can be taken is, and one that cannot be is passed over."""
    agreed = accepted(offers, 1000)
    assert (agreed and agreed[0]) == answer


@pytest.mark.parametrize("bits", [9, 15])
def test_what_is_written(bits: int) -> None:
    """RFC 7692 section 7.2.1: what is long enough is compressed, within the window; what would not become smaller, and
    control frames, are not."""
    said = b"again and again " * 1000
    writer = FrameProtocol(client=False, extensions=[Deflate(1000, bits)])
    frame = bytes(writer.send_data(said))
    assert frame[0] == 0xC2
    assert zlib.decompress(frame[4 if frame[1] == 126 else 2 :] + b"\0\0\xff\xff\x01\0\0\xff\xff", -bits) == said
    assert writer.send_data(b"short")[0] == 0x82
    assert writer.ping(bytes(125))[0] == 0x89
    noise = random.Random("noise").randbytes(1000)
    assert bytes(writer.send_data(noise)) == b"\x82\x7e\x03\xe8" + noise
    assert repr(Deflate(1000)) == "<Deflate up to 1000 bytes, window of 2^15>"
