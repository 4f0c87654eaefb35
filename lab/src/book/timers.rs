//! The timers of a connection, by their names in events.

super::entry::entries! {
    "retransmission" "RFC 6298 §5" "Retransmission (RTO)" "重传定时器（RTO）"
        "Runs while anything sent is not acknowledged. When it fires the oldest is sent again, and the time doubles."
        "只要有已发送而未确认的数据就在运行。超时后重传最早的数据，且超时时间加倍。";
    "persist" "RFC 9293 §3.8.6.1" "Zero-window probe" "零窗口探测"
        "Runs while the peer's window is closed and data waits. When it fires a probe asks for the window again, since the update that opened it may have been lost."
        "对方窗口为 0 而本端有数据待发时运行。超时后发出探测，重新询问窗口，因为打开窗口的那个 ACK 可能丢了。";
    "delayed_ack" "RFC 9293 §3.8.6.3" "Delayed ACK" "延迟确认"
        "An acknowledgment waits a little for data that it can ride on (40 ms here; the RFC allows less than 500 ms). When it fires the ACK leaves alone."
        "确认会稍等片刻，好与数据一起发出（这里是 40 ms；RFC 要求小于 500 ms）。超时后单独发送 ACK。";
    "sws_override" "RFC 9293 §3.8.6.2.1" "Small segment" "小报文段等待"
        "The window lets only a small piece pass, and the sender waits for a larger one. When it fires the small piece leaves after all."
        "窗口只容得下一小块数据，发送方在等更大的空间（避免糊涂窗口）。超时后把这一小块也发出去。";
    "time_wait" "RFC 9293 §3.6.1" "2 MSL in TIME-WAIT" "TIME-WAIT 停留（2MSL）"
        "How long the end that closed first remembers the connection. A repeated FIN starts it anew."
        "先关闭的一端还要记住该连接多久。每收到一次重传的 FIN 就重新计时。";
    "fin_wait2" "beyond RFC 9293 §3.6; Linux tcp_fin_timeout" "FIN-WAIT-2" "FIN-WAIT-2 等待"
        "The application has closed and nobody can read any more: so long the peer's FIN is waited for, 60 s here."
        "应用程序已经 close()，不会再有人读数据：最多为对方的 FIN 等待这么久，这里是 60 秒。";
    "reordering" "RFC 8985 §6.2" "Reordering" "乱序等待"
        "Something later has arrived; so long the missing segment may still come by itself before it counts as lost."
        "后面的数据已经到达；再给缺失的报文段这么多时间自行到达，之后才判定为丢失。";
    "tail_loss_probe" "RFC 8985 §7.2" "Tail loss probe" "尾部丢包探测"
        "About two round trips without an answer: one segment is sent so that the peer says what it has. It finds a lost end of the data sooner than the retransmission timer."
        "大约两个往返没有回应：发送一个报文段，促使对方说明收到了什么。末尾的数据丢失时，它比重传定时器发现得更早。";
    "keepalive" "RFC 9293 §3.8.4" "Keepalive" "保活"
        "With SO_KEEPALIVE: after two hours of silence the peer is asked whether it is still there."
        "设置 SO_KEEPALIVE 后：连接静默两小时就询问对方是否还在。";
    "user_timeout" "RFC 5482 §3.1" "User timeout" "用户超时"
        "How long the application is willing to wait for an acknowledgment (TCP_USER_TIMEOUT); then the connection fails with ETIMEDOUT."
        "应用程序愿意为确认等待多久（TCP_USER_TIMEOUT）；超过则连接以 ETIMEDOUT 失败。";
    "pacing" "draft-ietf-ccwg-bbr §5.6.2" "Pacing" "发送节拍"
        "Segments leave evenly spread instead of in bursts: when it fires the next one may leave."
        "报文段均匀地发出，而不是一阵一阵地发：到点后才允许发下一个。";
}
