use std::time::Duration;

use super::*;

fn message(url: &str) -> String {
    Url::parse(url).expect_err(url).to_string()
}

#[test]
fn the_three_devices_are_understood() {
    assert_eq!(Url::parse("tun:tcps0").unwrap().device, DeviceUrl::Tun("tcps0".into()));
    assert_eq!(Url::parse("unix:").unwrap().device, DeviceUrl::Unix(None));
    assert_eq!(
        Url::parse("unix:/run/net?").unwrap().device,
        DeviceUrl::Unix(Some("/run/net".into()))
    );
    assert_eq!(Url::parse("user:").unwrap().device, DeviceUrl::User);
}

#[test]
fn every_key_reaches_its_field() {
    let url = Url::parse(
        "user:?addr=10.7.0.2/24&addr=fd00::2/64&mtu=9000&seed=7&clock=manual&pcap=a.pcapng\
         &events=b.jsonl&loss=1%&delay=20ms&tcp_msl_ms=5",
    )
    .unwrap();
    assert_eq!(
        url.addresses,
        [("10.7.0.2".parse().unwrap(), 24), ("fd00::2".parse().unwrap(), 64)]
    );
    assert_eq!((url.mtu, url.seed, url.manual_clock), (Some(9000), Some(7), true));
    assert_eq!((url.pcap, url.events), (Some("a.pcapng".into()), Some("b.jsonl".into())));
    assert_eq!((url.impairment.loss, url.impairment.delay), (0.01, Duration::from_millis(20)));
    assert_eq!(url.knobs.get("tcp_msl_ms").as_deref(), Some("5"));
    let tun = Url::parse("tun:t?host=10.7.0.1/24").unwrap();
    assert_eq!(tun.host, [("10.7.0.1".parse().unwrap(), 24)]);
}

#[test]
fn a_refusal_names_the_key_and_what_would_be_valid() {
    assert!(message("").contains("expected `tun:NAME`"));
    assert!(message("tap:x").contains("unknown device `tap:`"));
    assert!(message("tun:").contains("interface's name"));
    assert!(message("user:x").contains("nothing after"));
    assert!(message("unix:?adr=10.7.0.2").contains("unknown key `adr`"));
    assert!(message("unix:?adr=10.7.0.2").contains("tcp_rmem"));
    assert!(message("unix:?addr").contains("expected key=value"));
    assert!(message("unix:?addr=10.7.0.2/33").contains("such as 10.7.0.2/24"));
    assert!(message("unix:?addr=0.0.0.0").contains("own address"));
    assert!(message("unix:?mtu=67").contains("from 68 to 65535"));
    assert!(message("unix:?seed=-1").contains("a number"));
    assert!(message("unix:?clock=slow").contains("`real` or `manual`"));
    assert!(message("unix:?pcap=").contains("path"));
    assert!(message("unix:?loss=2").contains("`loss=2`"));
    assert!(message("unix:?tcp_msl_ms=x").contains("tcp_msl_ms"));
    assert!(message("unix:?clock=manual").contains("`user:`"));
    assert!(message("unix:?host=10.7.0.1/24").contains("`tun:`"));
    assert!(message("unix:?addr=fd00::2/64&mtu=1000").contains("1280"));
}

#[test]
fn a_host_without_a_prefix_is_on_the_subnet_of_the_address_it_lies_in() {
    let host = |text: &str| Url::parse(text).unwrap().host[0].1;
    assert_eq!(host("tun:t?addr=10.7.0.2/24&host=10.7.0.1"), 24);
    assert_eq!(host("tun:t?host=fd77::1&addr=10.7.0.2/24&addr=fd77::2/64"), 64);
    assert_eq!(host("tun:t?addr=10.7.0.2/24&host=10.8.0.1"), 32, "it lies in none");
    assert_eq!(host("tun:t?addr=10.7.0.2/24&host=10.7.0.1/16"), 16, "as it was given");
}
