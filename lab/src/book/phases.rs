//! What a congestion controller is doing, by the names in events: Reno's and CUBIC's phases first,
//! then BBR's.

super::entry::entries! {
    "slow_start" "RFC 5681 §3.1" "Slow start" "慢启动"
        "cwnd grows by what is acknowledged: it doubles each round trip until ssthresh, or until a loss."
        "cwnd 随确认量增长：每个往返翻一倍，直到 ssthresh 或发生丢包。";
    "conservative_slow_start" "RFC 9406 §4.2" "Conservative slow start" "保守慢启动"
        "Round trips grow longer, so a queue seems to build: cwnd grows at a quarter of the pace (HyStart++)."
        "往返时间变长，瓶颈处可能开始排队：cwnd 以四分之一的速度增长（HyStart++）。";
    "congestion_avoidance" "RFC 5681 §3.1" "Congestion avoidance" "拥塞避免"
        "cwnd grows slowly: by a segment each round trip (Reno), or along a cubic curve (CUBIC)."
        "cwnd 缓慢增长：每个往返加一个报文段（Reno），或沿三次曲线增长（CUBIC）。";
    "recovery" "RFC 5681 §3.2" "Fast recovery" "快速恢复"
        "A loss was found by what arrived after it. It is repaired while the window is reduced: to half (Reno) or to 0.7 (CUBIC)."
        "根据后续到达的数据发现了丢包。一边重传一边减小窗口：减到一半（Reno）或 0.7 倍（CUBIC）。";
    "cwr" "RFC 3168 §6.1.2" "Window reduced for a mark" "因标记减小窗口"
        "A router marked a segment instead of dropping it (ECN): the window is reduced, and there is nothing to repair."
        "路由器打了拥塞标记而没有丢包（ECN）：减小窗口，没有数据需要重传。";
    "loss" "RFC 5681 §3.1" "Timeout" "超时"
        "The retransmission timer fired: cwnd starts over at one segment."
        "重传定时器超时：cwnd 从一个报文段重新开始。";
    "startup" "draft-ietf-ccwg-bbr §5.3.1" "BBR: startup" "BBR：启动"
        "The rate doubles each round trip until no more is delivered for it."
        "每个往返将速率加倍，直到送达速率不再增长。";
    "drain" "draft-ietf-ccwg-bbr §5.3.2" "BBR: drain" "BBR：排空"
        "Sends slowly until the queue that startup made is empty."
        "放慢发送，直到排空启动阶段造成的队列。";
    "probe_bw_down" "draft-ietf-ccwg-bbr §5.3.3.1" "BBR: slower" "BBR：略慢"
        "A little slower than the path, to leave room for others."
        "略低于路径的速率，给其他流留出余量。";
    "probe_bw_cruise" "draft-ietf-ccwg-bbr §5.3.3.2" "BBR: cruise" "BBR：匀速"
        "As fast as the path delivers."
        "按路径的送达速率匀速发送。";
    "probe_bw_refill" "draft-ietf-ccwg-bbr §5.3.3.3" "BBR: refill" "BBR：填满"
        "Fills the path for one round trip before it is probed."
        "在探测之前，先用一个往返把路径填满。";
    "probe_bw_up" "draft-ietf-ccwg-bbr §5.3.3.4" "BBR: faster" "BBR：略快"
        "A little faster than the path: does it deliver more than before?"
        "略高于路径的速率：看它能否送达更多。";
    "probe_rtt" "draft-ietf-ccwg-bbr §5.3.4" "BBR: measure round trip" "BBR：测往返"
        "Keeps little in flight for a moment, to see how long the empty path is."
        "短暂地减少在途数据，测量空路径的往返时间。";
}
