//! The control bits of the TCP header. Nine are assigned today: the six of RFC 793, two for ECN
//! (RFC 3168) and the ninth, AE (RFC 9768).

super::entry::entries! {
    "AE" "RFC 9768 §3.1" "AE" "AE"
        "Accurate ECN: with CWR and ECE one three-bit counter of the packets that a router marked. Before, a reserved bit."
        "精确 ECN：与 CWR、ECE 合成一个 3 位计数器，报告有多少分组被路由器标记过。它原先是保留位。";
    "CWR" "RFC 3168 §6.1" "CWR" "CWR"
        "Congestion window reduced: the sender has heard the peer's ECE and sends less."
        "拥塞窗口已减小：发送方收到了对方的 ECE，已经放慢发送。";
    "ECE" "RFC 3168 §6.1" "ECE" "ECE"
        "ECN echo: a packet arrived that a router marked instead of dropping it. The sender is to slow down as if one were lost."
        "ECN 回显：收到了被路由器打上拥塞标记（而不是丢弃）的分组。发送方应像丢了包一样放慢速度。";
    "URG" "RFC 9293 §3.8.5" "URG" "URG"
        "The urgent pointer is valid. Without this bit the field means nothing."
        "紧急指针有效。没有这一位时，紧急指针字段没有意义。";
    "ACK" "RFC 9293 §3.1" "ACK" "ACK"
        "The acknowledgment number is valid. Every segment has it except the first SYN (and a RST that answers a segment with ACK)."
        "确认号有效。除了第一个 SYN（以及应答带 ACK 报文段的 RST），每个报文段都带有它。";
    "PSH" "RFC 9293 §3.9.1.2" "PSH" "PSH"
        "Push: the sender has no more to send for now, so the receiver should hand the data up without waiting for more. It empties no buffer: what the application does not read stays there."
        "推送：发送方暂时没有更多数据了，接收端应立即把数据交给应用程序，不必再等。它并不会清空缓冲区：应用程序不读，数据就一直留在那里。";
    "RST" "RFC 9293 §3.5.2" "RST" "RST"
        "Reset: the connection is aborted at once, without any goodbye. It does not ask the peer to connect again."
        "复位：立即中止连接，没有告别过程。它并不是要求对方重新建立连接。";
    "SYN" "RFC 9293 §3.5" "SYN" "SYN"
        "Synchronize: the sender's initial sequence number is here. It opens a connection and takes one sequence number."
        "同步：本报文段的序号就是发送方的初始序号（ISN）。它用来请求建立连接，并占用一个序号。";
    "FIN" "RFC 9293 §3.6" "FIN" "FIN"
        "Finish: the sender has no more data to send. It can still receive. FIN takes one sequence number."
        "结束：发送方没有数据要发了，但仍然可以接收。FIN 占用一个序号。";
}
