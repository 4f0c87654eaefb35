use super::*;

#[test]
fn a_cookie_depends_on_both_addresses_and_the_secret() {
    // RFC 7413 §4.1.2
    let [server, client, other] =
        ["10.7.0.2", "10.7.0.1", "10.7.0.3"].map(|ip| ip.parse().unwrap());
    let secret = CookieSecret::new((1, 2));
    let cookie = secret.cookie(server, client);
    assert_eq!(cookie.as_slice().len(), 8);
    assert_eq!(secret.cookie(server, client), cookie, "the same each time");
    assert_ne!(secret.cookie(server, other), cookie);
    assert_ne!(secret.cookie(other, client), cookie);
    assert_ne!(CookieSecret::new((1, 3)).cookie(server, client), cookie);
}

#[test]
fn the_secret_stays_out_of_logs() {
    assert_eq!(format!("{:?}", CookieSecret::new((12345, 67890))), "CookieSecret");
}
