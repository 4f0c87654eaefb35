// A run, as lab/src/run writes it: what every view reads. The names are Rust's; a member that Rust
// leaves out where there is none is optional here.

/** Position of an event in `Run.events`: what a cursor points at. */
export type Position = number;
/** Index of a host in `Run.hosts`. */
export type HostIndex = number;

/** A text for a learner, in each language. */
export interface Text {
  en: string;
  zh: string;
}

export interface Run {
  format: string;
  version: number;
  origin: Origin;
  title: Text;
  hosts: Host[];
  events: Event[];
  flights: Flight[];
  calls: CallSpan[];
  limits: LimitSpan[];
  landmarks: Landmark[];
  questions: Question[];
  listings: Listing[];
  /** Which part of a longer recording this is; none: the whole. */
  window?: Window;
}

export type Origin =
  | { type: "simulated"; lesson: number; scenario: string; seed: number; rules: Rule[] }
  | { type: "recorded"; files: string[]; live: boolean }
  | { type: "captured"; file: string; remarks?: Text[] };

export type Action =
  | { action: "drop" }
  | { action: "delay"; delay_ms: number }
  | { action: "duplicate" }
  | { action: "reorder" }
  | { action: "corrupt"; bit: number };

/** Something done to one packet: the `number`-th that leaves the host named `from`. */
export type Rule = Action & { from: string; number: number; of_scenario?: boolean };

export interface Host {
  name: string;
  role: "client" | "server" | "peer";
  addresses: string[];
  recorded: boolean;
}

export type Fate = "arrived" | "lost" | "damaged" | "duplicate" | "underway" | "unwitnessed";

export interface Flight {
  from: HostIndex;
  to: HostIndex;
  number?: number;
  sent?: Position;
  received?: Position;
  sent_ns?: number;
  received_ns?: number;
  fate: Fate;
  /** Real segments of a super-segment that never arrived although others did. */
  lost_segments?: number;
  /** Index of the origin's rules. */
  rule?: number;
}

export interface CallSpan {
  host: HostIndex;
  connection?: number;
  name: string;
  arguments: string;
  entered: Position;
  blocked?: Position;
  returned?: Position;
  result?: string;
  lines: Line[];
}

export interface Line {
  file: string;
  line: number;
}

export interface Listing {
  file: string;
  host: HostIndex;
  language: string;
  text: string;
}

export interface LimitSpan {
  host: HostIndex;
  connection: number;
  from_ns: number;
  until_ns: number;
  limit: string;
}

export interface Landmark {
  id: string;
  at: Position;
  title: Text;
  text: Text;
}

export interface Question {
  before: Position;
  host: HostIndex;
  subject: "seq" | "ack" | "flags" | "state" | "window";
  text: Text;
  answer: string;
  choices: string[];
  explanation: Text;
}

export interface Window {
  first: number;
  total: number;
}

export interface Difference {
  before?: Position;
  after?: Position;
  text: Text;
}

// What core/src/event writes.

export interface Event {
  /** Position in its host's stream, from 0; `cause` speaks of it. */
  index: number;
  time_ns: number;
  host: string;
  connection?: ConnectionName;
  kind: Kind;
  cause?: number;
  reason?: string;
  after?: Snapshot;
}

export interface ConnectionName {
  id: number;
  local: string;
  remote?: string;
}

export type SegmentKind = { type: "segment_sent" | "segment_received" } & SegmentRecord;

export type Kind =
  | SegmentKind
  | { type: "packet_dropped"; counter: string; len: number }
  | { type: "updated" }
  | { type: "state_changed"; from: string; to: string }
  | { type: "timer_armed"; timer: string; deadline_ns: number }
  | { type: "timer_stopped"; timer: string }
  | { type: "timer_fired"; timer: string }
  | { type: "rtt_measured"; rtt_ns: number }
  | { type: "congestion_changed"; phase: string }
  | { type: "call_entered"; call: number; name: string; arguments: string; source?: Line }
  | { type: "call_blocked"; call: number; name: string }
  | { type: "call_returned"; call: number; name: string; result: string };

export interface SegmentRecord {
  src_port: number;
  dst_port: number;
  seq: number;
  ack: number;
  relative_seq?: number;
  relative_ack?: number;
  /** Most significant first, as `SYN|ACK`. */
  flags: string;
  window: number;
  window_bytes: number;
  urgent: number;
  len: number;
  /** Real segments on the wire (more than 1 for a super-segment). */
  segments: number;
  /** The TCP header in hexadecimal, options included. */
  header: string;
  /** The first payload bytes in hexadecimal. */
  payload: string;
  /** The ones' complement sum of all the data, for the checksum. */
  payload_sum?: number;
  retransmission?: boolean;
}

/** `[start, end)` in 64-bit sequence numbers. */
export type Range = [number, number];

export interface Snapshot {
  state: string;
  iss: number;
  irs: number;
  snd_una: number;
  snd_nxt: number;
  snd_max: number;
  snd_wnd: number;
  rcv_nxt: number;
  rcv_wnd: number;
  cwnd: number;
  /** About 1.8e19 while it is not yet set: see `isUnset`. */
  ssthresh: number;
  in_flight: number;
  /** What keeps it from sending more just now: see `Book.limits`; absent: nothing, or it can't send. */
  limit?: string;
  srtt_ns: number | null;
  rto_ns: number;
  recovery: RecoveryView;
  timers: [string, number][];
  send_buffer: { capacity: number; unacked: number; unsent: number };
  receive_buffer: { capacity: number; queued: number; out_of_order: Range[] };
}

export interface RecoveryView {
  state: string;
  sacked: Range[];
  lost: Range[];
  retransmitted: Range[];
  has_more: boolean;
  rttvar_ns: number | null;
  pacing_bytes_per_s: number | null;
}

/** Whether a value is u64's largest, by which Rust says that there is none. */
export function isUnset(value: number): boolean {
  return value >= 2 ** 63;
}

export function isSegment(kind: Kind): kind is SegmentKind {
  return kind.type === "segment_sent" || kind.type === "segment_received";
}
