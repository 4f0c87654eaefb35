//! What keeps a sender from sending more, by the names in events.

super::entry::entries! {
    "application" "RFC 9293 §3.9.1.2" "Application" "应用程序"
        "Nothing waits: everything that the application wrote has been sent."
        "没有数据在等：应用程序写入的都已经发出。";
    "send_buffer" "RFC 9293 §3.9.1.2" "Send buffer" "发送缓冲区"
        "Everything that was written is sent, and the send buffer is full of it: the application can write more when something is acknowledged."
        "写入的数据都已发出，但发送缓冲区被未确认的数据占满：要等收到确认，应用程序才能继续写入。";
    "receiver" "RFC 9293 §3.8.6" "Receiver's window" "接收窗口"
        "The receiver's window is full, or too little of it is left for a segment: there is no room for more until its application reads."
        "对方的接收窗口已用满，或剩余部分太小、不值得发一个报文段：在它的应用程序读走数据之前没有空间再收。";
    "congestion" "RFC 5681 §3.1" "Congestion window" "拥塞窗口"
        "The congestion window is full: so much is under way as the network is thought to bear. The next ACK makes room."
        "拥塞窗口已用满：在途数据已达到估计网络能承受的量。下一个 ACK 到来才能再发。";
    "nagle" "RFC 9293 §3.7.4" "Small segment waits" "Nagle 算法"
        "What is left does not fill a segment, and something is not acknowledged yet: the rest waits for more or for its ACK (Nagle; TCP_NODELAY turns it off)."
        "剩下的数据不满一个报文段，且还有数据未被确认：先等更多数据或等 ACK（Nagle 算法，TCP_NODELAY 可关闭）。";
    "pacing" "draft-ietf-ccwg-bbr §5.6.2" "Pacing" "发送节拍"
        "The next segment may leave, only not yet: segments are spread over time."
        "下一个报文段可以发，只是还没到时候：各报文段按节拍均匀发出。";
}
