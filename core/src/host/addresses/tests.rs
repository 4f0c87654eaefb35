use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn addresses() -> Addresses {
    let own = ["fe80::1/64", "10.7.0.2/24", "10.7.0.130/25", "192.0.2.1/32", "fd00::2/64"];
    Addresses::new(
        own.iter()
            .map(|text| {
                let (address, prefix) = text.split_once('/').unwrap();
                (ip(address), prefix.parse().unwrap())
            })
            .collect(),
    )
}

#[test]
fn the_source_is_the_own_address_in_the_narrowest_subnet_of_the_destination() {
    // RFC 9293 §3.9.1.1 (MUST-44).
    for (destination, source) in [
        ("10.7.0.9", "10.7.0.2"),
        ("10.7.0.200", "10.7.0.130"),
        ("8.8.8.8", "10.7.0.2"),
        ("fd00::77", "fd00::2"),
        ("2001:db8::1", "fd00::2"),
        ("fe80::9", "fe80::1"),
        ("127.0.0.9", "127.0.0.1"),
        ("::1", "::1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        assert_eq!(addresses().source_for(ip(destination)), Some(ip(source)), "{destination}");
    }
}

#[test]
fn without_an_address_of_the_family_there_is_no_source_but_for_loopback() {
    let only_v4 = Addresses::new(vec![(ip("10.7.0.2"), 24)]);
    assert_eq!(only_v4.source_for(ip("2001:db8::1")), None);
    assert_eq!(only_v4.source_for(ip("::1")), Some(ip("::1")));
}

#[test]
fn a_mapped_address_is_ipv4_inside_and_mapped_at_the_edge() {
    let mapped: SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
    let plain: SocketAddr = "10.0.0.1:80".parse().unwrap();
    assert_eq!(canonical(Domain::V6, false, mapped), Ok(plain));
    assert_eq!(canonical(Domain::V6, true, mapped), Err(Error::NetUnreachable));
    assert_eq!(canonical(Domain::V6, false, plain), Err(Error::AddressFamily));
    assert_eq!(canonical(Domain::V4, false, mapped), Err(Error::AddressFamily));
    assert_eq!(shown(Domain::V6, plain), mapped);
    assert_eq!(shown(Domain::V4, plain), plain);
}

// RFC 1122 §3.2.1.3; RFC 9293 §3.9.2.3 (MUST-63).
#[test]
fn no_packet_comes_from_a_group_from_nowhere_or_from_this_host() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "10.7.0.255",
        "127.0.0.1",
        "::1",
        "::ffff:10.0.0.1",
    ] {
        assert!(!addresses().is_usable_source(ip(address)), "{address}");
    }
    for address in ["10.0.0.255", "10.7.0.127", "192.0.2.255", "fe80::1"] {
        assert!(addresses().is_usable_source(ip(address)), "{address}");
    }
}

// RFC 9293 §3.9.1.1 (MUST-46).
#[test]
fn nobody_connects_to_a_group_or_to_a_whole_link() {
    for address in ["224.0.0.1", "255.255.255.255", "10.7.0.255", "ff02::1"] {
        assert!(!addresses().is_unicast(ip(address)), "{address}");
    }
    let point_to_point = Addresses::new(vec![(ip("10.0.0.0"), 31), (ip("10.1.0.255"), 24)]);
    for address in ["10.0.0.1", "10.1.0.255"] {
        assert!(point_to_point.is_unicast(ip(address)), "{address}");
    }
}
