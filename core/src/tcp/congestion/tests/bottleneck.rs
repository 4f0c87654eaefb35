//! A bottleneck for controllers alone: flows that always have data, a link of some rate with a
//! drop-tail queue, and ACKs that come back after a round trip. What is lost is told a round trip
//! later and sent no more: the repair is another's business.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::tcp::congestion::{
    AckSample, CongestionControl, CongestionEvent, CongestionSignal, Phase,
};
use crate::tcp::delivery_rate::{DeliveryRate, SentSnapshot};
use crate::tcp::pacing::Pacer;
use crate::tcp::seq::Seq;
use crate::time::Instant;

pub(in crate::tcp::congestion) const SMSS: u64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ack { flow: usize, number: u64 },
    Lost { flow: usize, number: u64 },
    Wake { flow: usize },
}

struct Sent {
    at: Instant,
    snapshot: SentSnapshot,
}

/// One sender.
pub(in crate::tcp::congestion) struct Flow {
    pub(in crate::tcp::congestion) controller: Box<dyn CongestionControl>,
    /// Bytes.
    pub(in crate::tcp::congestion) delivered: u64,
    pub(in crate::tcp::congestion) lost: u64,
    pub(in crate::tcp::congestion) in_flight: u64,
    /// Every phase that it entered, and when.
    pub(in crate::tcp::congestion) phases: Vec<(Instant, Phase)>,
    /// The application sends nothing.
    pub(in crate::tcp::congestion) is_silent: bool,
    rate: DeliveryRate,
    pacer: Pacer,
    sent: BTreeMap<u64, Sent>,
    next_number: u64,
    /// The end of the repair that goes on.
    recover: Option<u64>,
    newly_lost: u64,
    min_rtt: Option<Duration>,
    wakes_at: Option<Instant>,
}

/// The link and its flows.
pub(in crate::tcp::congestion) struct Path {
    pub(in crate::tcp::congestion) now: Instant,
    /// Bytes per second.
    pub(in crate::tcp::congestion) rate: u64,
    /// The round trip of the empty path.
    pub(in crate::tcp::congestion) rtt: Duration,
    /// Bytes that may wait.
    pub(in crate::tcp::congestion) queue: u64,
    /// Every so many segments are lost by chance; 0: none.
    pub(in crate::tcp::congestion) loss_every: u64,
    pub(in crate::tcp::congestion) flows: Vec<Flow>,
    free_at: Instant,
    passed: u64,
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    next_event: u64,
    /// Backlog in bytes as each segment found it: sum and count.
    backlog: (u64, u64),
}

impl Path {
    pub(in crate::tcp::congestion) fn new(rate: u64, rtt_ms: u64, queue: u64) -> Path {
        Path {
            now: Instant::ZERO,
            rate,
            rtt: Duration::from_millis(rtt_ms),
            queue,
            loss_every: 0,
            flows: Vec::new(),
            free_at: Instant::ZERO,
            passed: 0,
            events: BinaryHeap::new(),
            next_event: 0,
            backlog: (0, 0),
        }
    }

    /// What the path holds without a queue, in bytes.
    pub(in crate::tcp::congestion) fn bdp(&self) -> u64 {
        self.rate * self.rtt.as_millis() as u64 / 1000
    }

    /// A sender that begins now.
    pub(in crate::tcp::congestion) fn add(&mut self, controller: Box<dyn CongestionControl>) {
        let phases = vec![(self.now, controller.phase())];
        self.flows.push(Flow {
            controller,
            delivered: 0,
            lost: 0,
            in_flight: 0,
            phases,
            is_silent: false,
            rate: DeliveryRate::new(),
            pacer: Pacer::new(10 * SMSS),
            sent: BTreeMap::new(),
            next_number: 0,
            recover: None,
            newly_lost: 0,
            min_rtt: None,
            wakes_at: None,
        });
        self.send(self.flows.len() - 1);
    }

    /// Runs for so long; each flow's bytes delivered in that time, and the mean backlog in bytes.
    pub(in crate::tcp::congestion) fn run(&mut self, ms: u64) -> (Vec<u64>, u64) {
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.delivered).collect();
        self.backlog = (0, 0);
        let end = self.now + Duration::from_millis(ms);
        for flow in 0..self.flows.len() {
            self.send(flow);
        }
        while let Some(Reverse((at, _, event))) = self.events.peek().copied() {
            if at > end {
                break;
            }
            self.events.pop();
            self.now = at;
            self.handle(event);
        }
        self.now = end;
        let gained = self.flows.iter().zip(before).map(|(flow, before)| flow.delivered - before);
        (gained.collect(), self.backlog.0 / self.backlog.1.max(1))
    }

    fn at(&mut self, at: Instant, event: Event) {
        self.events.push(Reverse((at, self.next_event, event)));
        self.next_event += 1;
    }

    fn handle(&mut self, event: Event) {
        let (flow, phase) = match event {
            Event::Ack { flow, .. } | Event::Lost { flow, .. } | Event::Wake { flow } => {
                (flow, self.flows[flow].controller.phase())
            }
        };
        match event {
            Event::Ack { number, .. } => self.flows[flow].on_ack(self.now, number),
            Event::Lost { number, .. } => self.flows[flow].on_lost(self.now, number),
            Event::Wake { .. } => self.flows[flow].wakes_at = None,
        }
        let entered = self.flows[flow].controller.phase();
        if entered != phase {
            self.flows[flow].phases.push((self.now, entered));
        }
        self.send(flow);
    }

    fn send(&mut self, index: usize) {
        loop {
            let now = self.now;
            let flow = &mut self.flows[index];
            if flow.is_silent || flow.in_flight + SMSS > flow.controller.cwnd() {
                return;
            }
            let rate = flow.controller.pacing_rate_bytes_per_s();
            if rate.is_some()
                && let Some(wait) = flow.pacer.wait(now)
            {
                if flow.wakes_at.is_none_or(|at| at > wait) {
                    flow.wakes_at = Some(wait);
                    self.at(wait, Event::Wake { flow: index });
                }
                return;
            }
            if let Some(rate) = rate {
                flow.pacer.on_send(now, SMSS, rate);
            }
            let number = flow.transmit(now);
            self.pass(index, number);
        }
    }

    /// The link takes a segment, or drops it.
    fn pass(&mut self, flow: usize, number: u64) {
        let waiting = self.free_at.saturating_since(self.now);
        let backlog = u64::try_from(waiting.as_nanos()).unwrap() * (self.rate / 1000) / 1_000_000;
        self.backlog = (self.backlog.0 + backlog, self.backlog.1 + 1);
        self.passed += 1;
        let is_unlucky = self.loss_every > 0 && self.passed.is_multiple_of(self.loss_every);
        if is_unlucky || backlog + SMSS > self.queue {
            let noticed = self.free_at.max(self.now) + self.rtt;
            return self.at(noticed, Event::Lost { flow, number });
        }
        let took = Duration::from_nanos(SMSS * 1_000_000_000 / self.rate);
        self.free_at = self.free_at.max(self.now) + took;
        self.at(self.free_at + self.rtt, Event::Ack { flow, number });
    }
}

impl Flow {
    fn transmit(&mut self, now: Instant) -> u64 {
        if self.in_flight == 0 {
            self.controller.on_transmit_start(now, self.rate.is_app_limited());
        }
        let snapshot = self.rate.on_send(now, self.in_flight, SMSS);
        let number = self.next_number;
        self.sent.insert(number, Sent { at: now, snapshot });
        self.next_number += 1;
        self.in_flight += SMSS;
        number
    }

    /// The application has nothing to send from now on.
    pub(in crate::tcp::congestion) fn fall_silent(&mut self) {
        self.is_silent = true;
        self.rate.on_app_limited(self.in_flight);
    }

    fn on_ack(&mut self, now: Instant, number: u64) {
        let Some(sent) = self.sent.remove(&number) else { return };
        let rtt = now.saturating_since(sent.at);
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |least| least.min(rtt)));
        let in_flight_before = self.in_flight;
        self.in_flight -= SMSS;
        self.delivered += SMSS;
        self.rate.on_delivered(now, &sent.snapshot, sent.at, SMSS);
        let cwnd = self.controller.cwnd();
        let is_slow_start = cwnd < self.controller.ssthresh();
        self.controller.on_ack(&AckSample {
            now,
            acked: SMSS,
            delivered: SMSS,
            lost: std::mem::take(&mut self.newly_lost),
            in_flight_before,
            in_flight: self.in_flight,
            una: Seq::default() + (number + 1) * SMSS,
            max: Seq::default() + self.next_number * SMSS,
            is_cwnd_limited: in_flight_before + SMSS > cwnd
                || is_slow_start && in_flight_before * 2 >= cwnd,
            rtt: Some(rtt),
            min_rtt: self.min_rtt,
            srtt: Some(rtt),
            ce_bytes: 0,
            rate: self.rate.take_sample(now, self.min_rtt),
        });
        if self.recover.is_some_and(|recover| number >= recover) {
            self.recover = None;
            self.controller.on_recovered(now, self.in_flight);
        }
    }

    fn on_lost(&mut self, now: Instant, number: u64) {
        let Some(sent) = self.sent.remove(&number) else { return };
        let flight_size = self.in_flight;
        self.in_flight -= SMSS;
        self.lost += SMSS;
        self.newly_lost += SMSS;
        let lost = self.rate.on_lost(&sent.snapshot, SMSS);
        self.controller.on_lost(now, &lost);
        if self.recover.is_none() {
            self.recover = Some(self.next_number);
            let (in_flight, signal) = (self.in_flight, CongestionSignal::Loss);
            self.controller.on_congestion(&CongestionEvent { now, flight_size, in_flight, signal });
        }
    }
}
