use super::*;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn id(slot: u32) -> SocketId {
    SocketId { slot, generation: 1 }
}

fn demux() -> Demux {
    Demux::new(KeyedHash::new((1, 2)))
}

#[test]
fn the_narrowest_listener_gets_the_segment() {
    let mut demux = demux();
    let tuple = FourTuple { local: at("10.0.0.1:80"), remote: at("10.0.0.2:4000") };
    let places = [("[::]:80", false), ("0.0.0.0:80", false), ("10.0.0.1:80", false)];
    for (slot, (local, v6_only)) in places.into_iter().enumerate() {
        demux.insert_listener(Place::of(at(local), v6_only), id(slot as u32));
        assert_eq!(demux.listener(&tuple), Some(id(slot as u32)));
    }
    let other = FourTuple { local: at("10.0.0.1:81"), ..tuple };
    assert_eq!(demux.listener(&other), None);
    demux.remove_listener(Place::of(at("10.0.0.1:80"), false), id(2));
    assert_eq!(demux.listener(&tuple), Some(id(1)));
}

#[test]
fn an_ipv6_only_listener_leaves_ipv4_alone() {
    let mut demux = demux();
    demux.insert_listener(Place::of(at("[::]:80"), true), id(1));
    let v4 = FourTuple { local: at("10.0.0.1:80"), remote: at("10.0.0.2:4000") };
    let v6 = FourTuple { local: at("[fd00::1]:80"), remote: at("[fd00::2]:4000") };
    assert_eq!((demux.listener(&v4), demux.listener(&v6)), (None, Some(id(1))));
}

#[test]
fn two_ends_belong_to_one_connection_and_only_it_can_give_them_up() {
    let mut demux = demux();
    let tuple = FourTuple { local: at("10.0.0.1:80"), remote: at("10.0.0.2:4000") };
    assert!(demux.insert_connection(tuple, id(1)));
    assert!(!demux.insert_connection(tuple, id(2)));
    demux.remove_connection(&tuple, id(2));
    assert_eq!(demux.connection(&tuple), Some(id(1)));
    demux.remove_connection(&tuple, id(1));
    assert_eq!(demux.connection(&tuple), None);
}

#[test]
fn each_peer_stays_with_its_listener_of_a_group() {
    let mut demux = demux();
    let place = Place::of(at("10.0.0.1:80"), false);
    for slot in 0..4 {
        demux.insert_listener(place, id(slot));
    }
    let mut shares = [0; 4];
    for port in 1..=1000 {
        let tuple = FourTuple {
            local: at("10.0.0.1:80"),
            remote: SocketAddr::new("10.0.0.2".parse().unwrap(), port),
        };
        let chosen = demux.listener(&tuple).unwrap();
        assert_eq!(demux.listener(&tuple), Some(chosen));
        shares[chosen.slot as usize] += 1;
    }
    assert!(shares.iter().all(|share| (150..350).contains(share)), "{shares:?}");
}
