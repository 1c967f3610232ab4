//! Which addresses somebody else's server can have. The rest is ours, our neighbours', or stands for one of those (SEC-220).

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of special address this is, if it is one.
pub fn special_range(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => SPECIAL_V4
            .iter()
            .find(|(range, _)| range.contains(&address))
            .map(|(_, word)| *word),
        IpAddr::V6(address) if !GLOBAL_V6.contains(&address) => {
            let named = NAMED_V6.iter().find(|(range, _)| range.contains(&address));
            Some(named.map_or("not a global unicast address", |(_, word)| word))
        }
        IpAddr::V6(address) => SPECIAL_V6
            .iter()
            .find(|(range, _)| range.contains(&address))
            .map(|(_, word)| *word),
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(start: [u16; 3], length: u8) -> Ipv6Net {
    let [a, b, c] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// RFC 6890 and the IANA registry of special-purpose addresses, and one address of a cloud that answers inside it only.
const SPECIAL_V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "of this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a provider's customers"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "a cloud's metadata server"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "for protocol assignments"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Everything outside is special: loopback, mapped and translated IPv4, unique local, link-local, multicast.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Those outside that have a name an operator knows.
const NAMED_V6: [(Ipv6Net, &str); 7] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
        "an IPv4 address in disguise",
    ),
    (v6([0, 0, 0], 96), "an IPv4 address in disguise"),
    (v6([0x64, 0xff9b, 0], 32), "translated to IPv4"),
    (v6([0xfc00, 0, 0], 7), "unique local"),
    (v6([0xfe80, 0, 0], 10), "link-local"),
    (v6([0xff00, 0, 0], 8), "multicast"),
];

const SPECIAL_V6: [(Ipv6Net, &str); 4] = [
    (
        v6([0x2001, 0, 0], 23),
        "for protocol assignments, Teredo among them",
    ),
    (v6([0x2001, 0xdb8, 0], 32), "for documentation"),
    (v6([0x2002, 0, 0], 16), "translated to IPv4 (6to4)"),
    (v6([0x3fff, 0, 0], 20), "for documentation"),
];
