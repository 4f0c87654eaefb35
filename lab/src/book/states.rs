//! The eleven states (RFC 9293 §3.3.2). Their names are the RFC's in both languages.

super::entry::entries! {
    "CLOSED" "RFC 9293 §3.3.2" "CLOSED" "CLOSED"
        "There is no connection: nothing is remembered."
        "没有连接：什么状态都不保存。";
    "LISTEN" "RFC 9293 §3.3.2" "LISTEN" "LISTEN"
        "A server's socket waits for somebody to connect. It stays in LISTEN; each client gets a connection of its own."
        "服务器的监听套接字在等待连接。它一直停留在 LISTEN；每个客户端都会得到一个新的连接。";
    "SYN-SENT" "RFC 9293 §3.3.2" "SYN-SENT" "SYN-SENT"
        "connect() has sent its SYN and waits for the SYN+ACK."
        "connect() 已发出 SYN，正在等待 SYN+ACK。";
    "SYN-RECEIVED" "RFC 9293 §3.3.2" "SYN-RECEIVED" "SYN-RECEIVED"
        "The SYN is here and was answered by SYN+ACK; the ACK of it, the third segment, is still missing. A half-open connection."
        "已收到 SYN 并回复了 SYN+ACK，还缺第三次握手的 ACK。这就是半连接。";
    "ESTABLISHED" "RFC 9293 §3.3.2" "ESTABLISHED" "ESTABLISHED"
        "The connection is open: data flows both ways."
        "连接已建立：双方都可以收发数据。";
    "FIN-WAIT-1" "RFC 9293 §3.3.2" "FIN-WAIT-1" "FIN-WAIT-1"
        "This end closed first: its FIN is sent and not yet acknowledged."
        "本端先关闭：FIN 已发出，还没有被确认。";
    "FIN-WAIT-2" "RFC 9293 §3.3.2" "FIN-WAIT-2" "FIN-WAIT-2"
        "The FIN is acknowledged; the peer has not finished yet. After shutdown() this end can still receive: the connection is half closed."
        "FIN 已被确认，对方还没有关闭。若用的是 shutdown()，本端仍可接收数据：这就是半关闭。";
    "CLOSE-WAIT" "RFC 9293 §3.3.2" "CLOSE-WAIT" "CLOSE-WAIT"
        "The peer has finished, this end has not: it may send on, and it is waited for that the application calls close()."
        "对方已关闭，本端还没有：仍可以继续发送；正在等应用程序调用 close()。";
    "CLOSING" "RFC 9293 §3.3.2" "CLOSING" "CLOSING"
        "Both ends closed at once: the peer's FIN came before the ACK of this end's FIN."
        "双方同时关闭：先收到了对方的 FIN，而本端 FIN 的确认还没到。";
    "LAST-ACK" "RFC 9293 §3.3.2" "LAST-ACK" "LAST-ACK"
        "The peer closed first, now this end has too: its FIN is sent, and only the ACK of it is missing."
        "对方先关闭，现在本端也关闭了：FIN 已发出，只差它的最后一个 ACK。";
    "TIME-WAIT" "RFC 9293 §3.6.1" "TIME-WAIT" "TIME-WAIT"
        "Both have finished. The end that closed first stays for 2 MSL, in case its last ACK was lost, and until old segments have died out: 60 s here and on Linux, four minutes in the RFC."
        "双方都已关闭。先关闭的一端再停留 2MSL：以防最后的 ACK 丢失，并等旧报文段在网络中消失。这里和 Linux 都是 60 秒，RFC 则是 4 分钟。";
}
