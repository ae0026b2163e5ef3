"""Sets of networks, and addresses as proxies write them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.networks import IPAddress, IPNetwork, Networks, parse_address


@pytest.mark.parametrize(
    ("text", "ip", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:80", "192.0.2.1", 80),
        ("192.0.2.1:0", "192.0.2.1", 0),
        ("192.0.2.1:65535", "192.0.2.1", 65535),
        ("192.0.2.1:00080", "192.0.2.1", 80),
        ("2001:db8::1", "2001:db8::1", None),
        ("2001:DB8:0:0::0:1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("::", "::", None),
        ("::1", "::1", None),
        ("fe80::1%eth0", "fe80::1", None),
        ("[fe80::1%eth0]:80", "fe80::1", 80),
        ("[fe80::1%25eth0]", "fe80::1", None),
        ("::ffff:192.0.2.1", "192.0.2.1", None),
        ("::ffff:c000:201", "192.0.2.1", None),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1", 80),
        ("::192.0.2.1", "::c000:201", None),
    ],
)
def test_forms(text: str, ip: str, port: int | None) -> None:
    """S-21: every form in which proxies write an address is understood: ports, brackets, zones, IPv4 as IPv6."""
    assert parse_address(text) == (ip_address(ip), port)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "unknown", "Unknown", "_hidden", "_", "-", "a.test", "localhost", "a.test:80", "None", "null"),
        *("192.0.2", "192.0.2.256", "192.0.2.01", "0xc0.0.2.1", "3221225985", "192.0.2.1.", "192.0.2.1/32"),
        *("192.0.2.1:", "192.0.2.1:x", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1:65536", "192.0.2.1:000080"),
        *("192.0.2.1:8_0", "192.0.2.1: 80", "192.0.2.1 :80", " 192.0.2.1", "192.0.2.1 ", "192.0.2.1\t", "192.0.2.1\n"),
        *("192.0.2.1:٨٠", "١٩٢.0.2.1", "192.0.2.1:²", "192.0.2.1,192.0.2.2", "192.0.2.1;192.0.2.2"),
        *("[192.0.2.1]", "[192.0.2.1]:80", "[]", "[:]", "[]:80", "[::1", "::1]", "[[::1]]", "[::1]80", "[::1]:x"),
        *("[::1]:65536", "[::1]: 80", "[::1] :80", "[::1]:80:80", "[::1]x", "x[::1]", '"[::1]"', "[%]", "%", "%eth0"),
        *(":::", ":", "::1:", "1::2::3", "2001:db8::1/128", "2001:db8::g", "1:2:3:4:5:6:7:8:9", "::ffff:192.0.2.1:80"),
        *("\0", "192.0.2.1\0", "\udce9", "é"),
        *("192.0.2.1%eth0", "192.0.2.1%eth0:80", "192.0.2.1%"),  # a zone is an IPv6 address's
    ],
)
def test_what_is_no_address(text: str) -> None:
    """S-21: names, ``unknown``, what hides an address, and garbage of every kind are no address."""
    assert parse_address(text) is None


def known(ip: IPAddress) -> IPAddress:
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


@given(st.ip_addresses(), st.integers(0, 65535), st.sampled_from(["", "%eth0", "%25en1"]))
def test_every_address(ip: IPAddress, port: int, zone: str) -> None:
    """S-21: what is written of any address, in any form, is read as that address and that port."""
    if isinstance(ip, IPv4Address):
        forms = [(f"{ip}", None), (f"{ip}:{port}", port)]
        forms += [(f"::ffff:{ip}", None), (f"[::ffff:{ip}]:{port}", port)]
    else:
        texts = [f"{ip}{zone}", f"{ip.exploded}{zone}", f"{str(ip).upper()}{zone}"]
        forms = [(text, None) for text in texts]
        forms += [(f"[{text}]", None) for text in texts] + [(f"[{text}]:{port}", port) for text in texts]
    for text, said in forms:
        assert parse_address(text) == (known(ip), said)


@given(st.one_of(st.text(), st.text("0123456789abf.:[]%/ -", max_size=30)))
@example("[" * 10000)
@example(":" * 10000)
@example("1." * 10000)
@example("1.1.1.1:" + "9" * 10000)
def test_any_text(text: str) -> None:
    """S-21: nothing raises, and what is read is never an IPv4 address in the guise of IPv6, nor one with a zone."""
    found = parse_address(text)
    if found is not None:
        ip, port = found
        assert getattr(ip, "ipv4_mapped", None) is None
        assert getattr(ip, "scope_id", None) is None
        assert port is None or 0 <= port <= 65535


# Sets of networks.

v4_networks = st.builds(
    lambda number, length: ip_network((number >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
v6_networks = st.builds(
    lambda number, length: IPv6Network((number >> (128 - length) << (128 - length), length)),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)


@given(st.lists(st.one_of(v4_networks, v6_networks), max_size=8), st.data())
def test_membership(networks: list[IPNetwork], data: st.DataObject) -> None:
    """S-21, S-32: an address is in the set exactly if one of the networks has it: those at their very ends, too."""
    plain = [each for each in networks if each.version == 4 or not each.subnet_of(IPv6Network("::ffff:0:0/96"))]
    members = Networks(data.draw(st.permutations([*plain, *map(str, plain)])))
    edges = [int(each.network_address) + step for each in plain for step in (-1, 0, each.num_addresses - 1)]
    edges += [int(each.network_address) + each.num_addresses for each in plain]
    drawn = [int(data.draw(st.ip_addresses())) for _ in range(4)]
    for number in [*edges, *drawn]:
        kinds: list[IPAddress] = [IPv4Address(number)] if 0 <= number < 2**32 else []
        if 0 <= number < 2**128:
            kinds.append(IPv6Address(number))
        for ip in kinds:
            assert (ip in members) == any(ip in each for each in plain if each.version == ip.version)


def test_mapped_networks() -> None:
    """S-21: a network of IPv4 addresses in the guise of IPv6 is one of IPv4, as such clients are known."""
    members = Networks(["::ffff:10.0.0.0/104", IPv6Network("::ffff:192.0.2.7/128")])
    assert members.all == {IPv4Network("10.0.0.0/8"), IPv4Network("192.0.2.7/32")}
    assert [ip_address(ip) in members for ip in ("10.9.8.7", "192.0.2.7", "192.0.2.8", "11.0.0.0")] == [
        *(True, True, False, False)
    ]


def test_kinds_do_not_mix() -> None:
    """S-21: all of IPv6 is nothing of IPv4, and the other way round, even where the numbers are the same."""
    assert ip_address("0.0.0.1") not in Networks(["::/0"])
    assert ip_address("::1") not in Networks(["0.0.0.0/0"])
    assert ip_address("::1") not in Networks([])


@pytest.mark.parametrize(
    "network",
    [
        "10.0.0.1/8",
        "2001:db8::1/32",
        "10.0.0.0/33",
        "::/129",
        "",
        "a.test",
        "10",
        "unix",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
    ],
)
def test_bad_networks(network: str) -> None:
    """A network with host bits set, or what is none, is a ``ValueError`` that names it; so is a mere string in place
    of a list."""
    with pytest.raises(ValueError, match=r"^networks: ") as caught:
        Networks([network])
    assert network in str(caught.value)
    with pytest.raises(ValueError, match=r"^networks: "):
        Networks("10.0.0.0/8")


def test_networks_repr() -> None:
    """What is in the set stands in its ``repr``, sorted."""
    assert repr(Networks(["::1", "10.0.0.0/8", "10.0.0.0/8"])) == "Networks(['10.0.0.0/8', '::1/128'])"
