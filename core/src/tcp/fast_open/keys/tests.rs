use super::*;

const KEY: [u8; KEY_LEN] = [1; KEY_LEN];
const OLD: [u8; KEY_LEN] = [2; KEY_LEN];

fn ends() -> [IpAddr; 3] {
    ["10.7.0.2", "10.7.0.1", "10.7.0.3"].map(|ip| ip.parse().unwrap())
}

#[test]
fn a_cookie_depends_on_both_addresses_and_the_key() {
    // RFC 7413 §4.1.2
    let [server, client, other] = ends();
    let keys = CookieKeys::new(KEY);
    let cookie = keys.cookie(server, client);
    assert_eq!(cookie.as_slice().len(), 8);
    assert_eq!(keys.cookie(server, client), cookie, "the same each time");
    assert_ne!(keys.cookie(server, other), cookie);
    assert_ne!(keys.cookie(other, client), cookie);
    assert_ne!(CookieKeys::new(OLD).cookie(server, client), cookie);
}

#[test]
fn a_cookie_of_either_key_is_good_and_the_first_key_makes_them() {
    // RFC 7413 §4.1.2: keys change.
    let [server, client, other] = ends();
    let former = CookieKeys::new(OLD).cookie(server, client);
    let keys = CookieKeys::from_bytes(&[KEY, OLD].concat()).unwrap();
    assert_eq!(keys.cookie(server, client), CookieKeys::new(KEY).cookie(server, client));
    let check = |cookie| keys.check(server, client, cookie);
    assert_eq!(check(keys.cookie(server, client)), Some(MadeWith::First));
    assert_eq!(check(former), Some(MadeWith::Second));
    assert_eq!(check(keys.cookie(server, other)), None);
    assert_eq!(check(FastOpenCookie::REQUEST), None);
    assert_eq!(CookieKeys::new(KEY).check(server, client, former), None);
}

#[test]
fn there_are_one_or_two_keys_of_sixteen_bytes() {
    for len in 0..64 {
        let bytes: Vec<u8> = (0..len).collect();
        let keys = CookieKeys::from_bytes(&bytes);
        assert_eq!(keys.is_some(), len == 16 || len == 32, "{len}");
        assert!(keys.is_none_or(|keys| keys.to_bytes().as_slice() == bytes));
    }
}

#[test]
fn the_kernel_makes_the_same_cookies() {
    // Those of its own tests, for tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4 and of zeros.
    let key = [0xa1, 0xb2, 0xc3, 0xd4].map(|byte| [byte; 4]).concat();
    let (server, client) = ("192.168.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap());
    let cookie = |key: &[u8]| CookieKeys::from_bytes(key).unwrap().cookie(server, client);
    assert_eq!(cookie(&key).as_slice(), 0x3021_b9d8_8901_7eeb_u64.to_be_bytes());
    assert_eq!(cookie(&[0; 16]).as_slice(), 0xb7c1_2350_a90d_c8f5_u64.to_be_bytes());
}

#[test]
fn the_keys_stay_out_of_logs() {
    assert_eq!(format!("{:?}", CookieKeys::new(KEY)), "CookieKeys");
}
