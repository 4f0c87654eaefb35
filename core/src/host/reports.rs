//! The ICMP errors that this host sends about packets that it cannot use, and when it does not:
//! never about an ICMP error, only to one host that can have sent the packet, and at a bounded rate
//! (RFC 1122 §3.2.2, RFC 4443 §2.4).

use std::net::IpAddr;

use super::Host;
use super::counters::Counter;
use crate::time::Instant;
use crate::wire::fragment::Fragment;
use crate::wire::icmp_report::{Report, is_error};
use crate::wire::ip;
use crate::wire::packet::Transmit;

/// A token bucket (RFC 4443 §2.4 (f)): so many at once, and so many per second after that.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    /// When the bucket will be full again, if nothing is taken.
    full_at: Option<Instant>,
}

impl RateLimit {
    /// Takes a token, of which there are `burst` at most and `per_second` new ones a second.
    fn take(&mut self, now: Instant, per_second: u64, burst: u64) -> bool {
        let Some(interval_ns) = 1_000_000_000_u64.checked_div(per_second) else { return false };
        let full_at_ns = self.full_at.unwrap_or(now).max(now).as_nanos();
        // The time until the bucket is full says how many tokens are missing.
        let missing_ns = full_at_ns - now.as_nanos();
        let is_allowed = missing_ns <= interval_ns.saturating_mul(burst.saturating_sub(1));
        if is_allowed {
            self.full_at = Some(Instant::from_nanos(full_at_ns.saturating_add(interval_ns)));
        }
        is_allowed
    }
}

impl Host {
    /// Reports that `packet`, which came from `src` for `dst`, is of no use here.
    pub(super) fn report(
        &mut self,
        now: Instant,
        report: Report,
        (src, dst): (IpAddr, IpAddr),
        packet: &[u8],
    ) {
        if !self.addresses.is_own(dst) || !self.is_from_elsewhere(src) || quotes_error(packet) {
            return;
        }
        let (per_second, burst) = (self.knobs.icmp_msgs_per_sec(), self.knobs.icmp_msgs_burst());
        if !self.report_limit.take(now, per_second, burst) {
            self.counters.add(Counter::IcmpRateLimited);
            return;
        }
        if self.reply(src, Transmit::complete(report.to_packet(dst, src, packet), None)) {
            self.counters.add(Counter::IcmpReports);
        }
    }

    /// Gives up the packets whose fragments did not all come in time.
    pub(super) fn expire_fragments(&mut self, now: Instant) {
        while let Some(first) = self.fragments.expire(now) {
            self.counters.add(Counter::IpReassemblyTimeout);
            let len = first.as_ref().map_or(0, Vec::len);
            self.record_dropped(now, Counter::IpReassemblyTimeout.name(), len);
            // RFC 1122 §3.3.2, RFC 8200 §4.5: if the first fragment was among them, say so.
            if let Some(first) = first
                && let Some(ends) = ip::Header::addresses(&first)
            {
                self.report(now, Report::ReassemblyTimeExceeded, ends, &first);
            }
        }
    }

    fn is_from_elsewhere(&self, src: IpAddr) -> bool {
        self.addresses.is_usable_source(src) && !self.addresses.is_local(src)
    }
}

/// Whether the packet carries an ICMP error, or may do so.
fn quotes_error(packet: &[u8]) -> bool {
    let header = match ip::Header::parse(packet) {
        Ok(header) => header,
        Err(_) => match Fragment::parse(packet) {
            Ok(fragment) if fragment.offset == 0 => fragment.header,
            Ok(_) => return true,
            // Its headers are what is wrong with it: there is no telling what is behind them.
            Err(_) => return false,
        },
    };
    is_error(header.protocol, &packet[header.header_len..])
}

#[cfg(test)]
mod tests;
