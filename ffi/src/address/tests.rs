//! Addresses survive the way out and in, and wrong ones get Linux's errno.

use super::*;

fn bytes(address: &str) -> Vec<u8> {
    let mut out = [0; V6_LEN];
    let len = encode(address.parse().unwrap(), &mut out);
    out[..len].to_vec()
}

#[test]
fn an_address_written_is_the_address_read() {
    for (domain, text) in [
        (Domain::V4, "10.7.0.2:80"),
        (Domain::V4, "0.0.0.0:0"),
        (Domain::V6, "[fd00::2]:65535"),
        (Domain::V6, "[::ffff:10.7.0.2]:80"),
        (Domain::V6, "[fe80::1%3]:80"),
    ] {
        assert_eq!(parse(domain, &bytes(text)).unwrap(), text.parse().unwrap());
    }
}

#[test]
fn a_short_address_is_invalid() {
    for len in 0..V4_LEN {
        let error = parse(Domain::V4, &bytes("10.7.0.2:80")[..len]).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
    }
    for len in 0..V6_LEN_WITHOUT_SCOPE {
        let error = parse(Domain::V6, &bytes("[::1]:80")[..len]).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
    }
}

#[test]
fn an_ipv6_address_may_lack_its_scope() {
    let address = &bytes("[::1]:80")[..V6_LEN_WITHOUT_SCOPE];
    assert_eq!(parse(Domain::V6, address).unwrap(), "[::1]:80".parse().unwrap());
}

#[test]
fn an_address_of_the_other_family_is_not_supported() {
    let mut v4 = bytes("10.7.0.2:80");
    v4.resize(V6_LEN, 0);
    for (domain, address) in [(Domain::V6, v4), (Domain::V4, bytes("[::1]:80"))] {
        assert_eq!(parse(domain, &address).unwrap_err().errno(), libc::EAFNOSUPPORT);
    }
}

#[test]
fn an_ipv4_peer_of_an_ipv6_socket_is_mapped() {
    let address = "10.7.0.2:80".parse().unwrap();
    let mapped: SocketAddr = "[::ffff:10.7.0.2]:80".parse().unwrap();
    assert_eq!(address_for(libc::AF_INET6, address), mapped);
    assert_eq!(address_for(libc::AF_INET, address), address);
}
