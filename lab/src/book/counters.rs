//! The host's counters: where a packet goes that is dropped, and what else is counted beside.

super::entry::entries! {
    "packets_received" "" "packets received" "收到的分组"
        "Every packet that came in, whatever became of it."
        "收到的所有分组，不论结果如何。";
    "packets_sent" "" "packets sent" "发出的分组"
        "Every packet given to the device."
        "交给设备发出的所有分组。";
    "packets_looped" "RFC 1122 §3.2.1.3" "packets to itself" "发给自己的分组"
        "Packets that the host sent to one of its own addresses: they never touch the network."
        "主机发给自己地址的分组：不经过网络。";
    "ip_truncated" "RFC 791 §3.1" "cut short" "分组被截短"
        "Dropped: the packet is shorter than its IP header or its length field says."
        "丢弃：分组比 IP 头部或其长度字段所说的短。";
    "ip_version" "RFC 1122 §3.2.1.1" "unknown IP version" "未知 IP 版本"
        "Dropped: neither IPv4 nor IPv6."
        "丢弃：既不是 IPv4 也不是 IPv6。";
    "ip_length" "RFC 791 §3.1" "lengths disagree" "长度字段矛盾"
        "Dropped: the IP length fields contradict each other."
        "丢弃：IP 的几个长度字段互相矛盾。";
    "ip_checksum" "RFC 1122 §3.2.1.2" "wrong IP checksum" "IP 校验和错误"
        "Dropped: the checksum of the IPv4 header is wrong. It covers the IP header alone; TCP has its own."
        "丢弃：IPv4 头部校验和错误。它只覆盖 IP 头部；TCP 有自己的校验和。";
    "ip_fragments" "RFC 791 §3.2" "fragments" "收到的分片"
        "Fragments of packets that were too large for a link on the way."
        "因途中某段链路放不下而被分片的分组。";
    "ip_reassembled" "RFC 791 §3.2" "reassembled" "重组完成"
        "Packets put together from their fragments."
        "由分片重新拼好的分组。";
    "ip_fragment" "RFC 791 §3.2" "useless fragment" "无用的分片"
        "Dropped: a fragment that fits nowhere, or whose packet was given up."
        "丢弃：无法拼接的分片，或所属分组已被放弃。";
    "ip_fragment_duplicate" "RFC 791 §3.2" "fragment twice" "重复的分片"
        "Dropped: this fragment was there already."
        "丢弃：这个分片已经收到过。";
    "ip_fragment_overlap" "RFC 8200 §4.5" "overlapping fragments" "分片重叠"
        "Dropped: fragments that overlap, or disagree about the length of the whole. That is an attack rather than an accident."
        "丢弃：分片互相重叠，或对总长度说法不一。这更像攻击而不是意外。";
    "ip_reassembly_memory" "RFC 8200 §4.5" "no room for fragments" "重组空间不足"
        "Dropped: incomplete packets that had to make room for others."
        "丢弃：尚未拼完的分组为其他分组让位。";
    "ip_reassembly_timeout" "RFC 1122 §3.3.2" "fragments missing" "分片超时未到齐"
        "Dropped: not all fragments came in time."
        "丢弃：分片没有在规定时间内到齐。";
    "ip_extension_headers" "RFC 8200 §4" "IPv6 extensions" "IPv6 扩展头部"
        "Dropped: IPv6 extension headers that are not understood."
        "丢弃：看不懂的 IPv6 扩展头部。";
    "ip_problem" "RFC 4443 §3.4" "IP header problem" "IP 头部有问题"
        "Dropped: a header field that cannot be processed, or an option that must be known and is not."
        "丢弃：头部中有无法处理的字段，或有必须识别却不认识的选项。";
    "ip_source_route" "RFC 7126 §4.3" "source route" "源路由"
        "Dropped: the sender wanted to choose the way through the network. Nobody honest does that today."
        "丢弃：发送方想自己指定经过网络的路线。如今正常的主机不会这样做。";
    "not_for_us" "RFC 1122 §3.2.1.3" "for somebody else" "不是发给本机"
        "Dropped: for an address that the host does not have."
        "丢弃：目的地址不属于本机。";
    "bad_source" "RFC 1122 §3.2.1.3" "impossible source" "不可能的源地址"
        "Dropped: from an address that no other host can have, as a broadcast address."
        "丢弃：源地址不可能属于任何其他主机，例如广播地址。";
    "min_hop_limit" "RFC 5082 §3" "came from too far" "经过的跳数过多"
        "Dropped: its TTL or hop limit is below what the socket asks for."
        "丢弃：TTL（跳数限制）低于套接字的要求。";
    "unknown_protocol" "RFC 1122 §3.2.2.1" "neither TCP nor ICMP" "既非 TCP 也非 ICMP"
        "Dropped: a protocol that the host does not speak."
        "丢弃：本机不支持的协议。";
    "tcp_truncated" "RFC 9293 §3.1" "TCP cut short" "TCP 头部不完整"
        "Dropped: shorter than a TCP header."
        "丢弃：比一个 TCP 头部还短。";
    "tcp_length" "RFC 9293 §3.1" "wrong data offset" "头部长度错误"
        "Dropped: the data offset is below 5 or points past the end of the segment."
        "丢弃：头部长度小于 5，或超出了报文段的末尾。";
    "tcp_checksum" "RFC 9293 §3.1 (MUST-3)" "wrong TCP checksum" "TCP 校验和错误"
        "Dropped: the checksum is wrong, so the segment was damaged on its way. Nobody is told; the sender sends it again when no ACK comes."
        "丢弃：校验和错误，说明报文段在途中损坏。不会通知任何人；发送方等不到 ACK 就会重传。";
    "tcp_port_zero" "RFC 6335 §6" "port zero" "端口号为 0"
        "Dropped: port 0 belongs to nobody."
        "丢弃：端口 0 不属于任何程序。";
    "tcp_reassembly_full" "RFC 9293 §3.10.7.4" "too many holes" "空洞过多"
        "Dropped: data past a hole, while the connection already held too many pieces. It is not lost: nothing was acknowledged, and it will be sent again."
        "丢弃：空洞之后的数据，而该连接保存的碎片已经太多。数据不会丢：它没有被确认，之后会重传。";
    "tcp_paws" "RFC 7323 §5.3" "old timestamp" "时间戳过旧"
        "Dropped: its timestamp is older than one already seen: an old duplicate, whatever its number says (PAWS)."
        "丢弃：时间戳早于已收到的：无论序号如何，这是旧的重复报文段（PAWS）。";
    "tcp_timestamp_missing" "RFC 7323 §3.2" "no timestamp" "缺少时间戳"
        "Dropped: both SYNs had timestamps, and this segment has none."
        "丢弃：双方的 SYN 都带时间戳，而这个报文段没有。";
    "tcp_no_socket" "RFC 9293 §3.10.7.1" "nobody there" "没有对应的套接字"
        "No socket wanted the segment. It is answered by RST, unless it is one itself."
        "没有套接字接收该报文段。除非它本身是 RST，否则回复 RST。";
    "listen_ignored" "RFC 9293 §3.10.7.2" "ignored by the listener" "监听端忽略"
        "Dropped: neither SYN nor ACK nor RST came to a listening socket."
        "丢弃：到达监听套接字的报文段既非 SYN，也非 ACK 或 RST。";
    "listen_syn_fin" "RFC 9293 §3.10.7.2" "SYN with FIN" "SYN 与 FIN 同时置位"
        "Dropped: nobody opens and closes in one segment. Scanners do."
        "丢弃：没有人会用一个报文段同时打开又关闭连接，除了扫描器。";
    "listen_overflow" "RFC 4987 §2" "queue full" "队列已满"
        "Dropped: the listener's queue was full. The client will try again."
        "丢弃：监听队列已满。客户端会重试。";
    "orphans_aborted" "RFC 9293 §3.6; Linux tcp_max_orphans" "orphans reset" "孤儿连接被复位"
        "Connections that were reset at close() because too many lived on after theirs."
        "close() 之后仍在收尾的连接太多，这些连接因此被直接复位。";
    "time_wait_overflow" "Linux tcp_max_tw_buckets" "TIME-WAIT cut short" "TIME-WAIT 被提前结束"
        "Connections that were forgotten early because too many were in TIME-WAIT."
        "处于 TIME-WAIT 的连接太多，这些连接被提前遗忘。";
    "syn_cookies_sent" "RFC 4987 §3.6" "SYN cookies sent" "发出的 SYN cookie"
        "SYNs answered without remembering anything: all that matters is in the number of the SYN+ACK."
        "不保存状态就作了应答的 SYN：需要记住的都藏在 SYN+ACK 的序号里。";
    "syn_cookies_received" "RFC 4987 §3.6" "SYN cookies back" "返回的 SYN cookie"
        "ACKs that brought a good cookie back: a connection opened."
        "带回有效 cookie 的 ACK：连接由此建立。";
    "syn_cookies_refused" "RFC 4987 §3.6" "bad SYN cookies" "无效的 SYN cookie"
        "Segments that should have borne a cookie and bore none that is good."
        "本应带回 cookie，却没有带回有效 cookie 的报文段。";
    "fast_open_accepted" "RFC 7413 §4.2" "Fast Open" "快速打开成功"
        "SYNs whose data was taken at once."
        "数据随 SYN 立即被接收的次数。";
    "fast_open_paused" "RFC 7413 §4.1.3" "Fast Open paused" "暂停快速打开"
        "Something on the way swallows such SYNs: they are not used for a while."
        "途中有设备吞掉这类 SYN：暂时不用快速打开。";
    "fast_open_refused" "RFC 7413 §4.2.2" "Fast Open refused" "快速打开被拒"
        "SYNs with a cookie that is not ours: the handshake goes on as usual."
        "带有不属于本机的 cookie 的 SYN：按普通握手继续。";
    "resets_sent" "RFC 9293 §3.5.2" "resets sent" "发出的 RST"
        "RSTs for segments that no connection took."
        "对无人接收的报文段回复的 RST。";
    "replies_dropped" "" "replies left out" "未发出的回复"
        "Resets and echo replies not sent because too many waited."
        "等待发送的太多，因而放弃的 RST 和 ping 回复。";
    "icmp_malformed" "RFC 792" "bad ICMP" "ICMP 格式错误"
        "Dropped: ICMP that cannot be read."
        "丢弃：无法解析的 ICMP。";
    "icmp_ignored" "RFC 1122 §3.2.2" "other ICMP" "无关的 ICMP"
        "Dropped: ICMP that concerns neither TCP nor ping."
        "丢弃：与 TCP 和 ping 都无关的 ICMP。";
    "icmp_unbelieved" "RFC 5927 §4.1" "unbelieved ICMP" "不可信的 ICMP"
        "Dropped: an ICMP error about something that is not in flight: anyone can forge that."
        "丢弃：ICMP 错误所说的数据并不在途：任何人都能伪造这样的消息。";
    "icmp_errors" "RFC 9293 §3.9.2.2" "ICMP errors" "ICMP 错误"
        "ICMP errors that concern a connection, and were given to it."
        "与某个连接有关、已转交给它的 ICMP 错误。";
    "echo_replies" "RFC 1122 §3.2.2.6" "pings answered" "回应的 ping"
        "Echo requests that were answered."
        "已经回应的回显请求。";
    "icmp_reports" "RFC 1122 §3.2.2" "ICMP sent" "发出的 ICMP"
        "ICMP errors sent about packets of no use."
        "对无用分组发出的 ICMP 错误。";
    "icmp_rate_limited" "RFC 4443 §2.4" "ICMP held back" "被限速的 ICMP"
        "ICMP errors that were not sent because there were too many."
        "因数量过多而没有发出的 ICMP 错误。";
}
