/*
 * tcpstack: a complete TCP in userspace.
 *
 * This file is the manual. It is made from ffi/src; do not edit it.
 *
 *
 * In short
 *
 *     int fd = tcps_socket(AF_INET, SOCK_STREAM, 0);
 *     tcps_connect(fd, (struct sockaddr *)&address, sizeof address);
 *     tcps_write(fd, "hello", 5);
 *     tcps_close(fd);
 *
 * Every call is the BSD call of the same name with tcps_ before it, and behaves as that does on
 * Linux. tcpstack/bsd.h lets sources that say socket(), bind(), ... use these without a change.
 * Compile with `pkg-config --cflags --libs tcpstack`.
 *
 *
 * The URL
 *
 * A stack is a host of its own, on a network that a URL names: "DEVICE?key=value&key=value".
 *
 *   unix:DIR   A directory is the network, and every host on it binds a socket there, named by its
 *              address. Any number of processes, no privileges. "unix:" alone is a directory of the
 *              user's own.
 *   tun:NAME   A network interface of the kernel, which is the other end of the wire. Needs
 *              CAP_NET_ADMIN, or an interface made earlier for this user.
 *   user:      The program moves the packets: tcps_stack_input(), tcps_stack_output().
 *
 *   addr=10.7.0.2/24   an address of this host, IPv4 or IPv6; may be repeated
 *   host=10.7.0.1      tun: the address of the kernel's side
 *   mtu=1500           the largest packet in bytes
 *   seed=1             makes what is random the same in every run
 *   clock=manual       time passes by tcps_stack_poll() alone (default: clock=real)
 *   pcap=FILE          every packet, as pcapng, for Wireshark
 *   events=FILE        what happened and why, one JSON object a line, for `tcpstack show`
 *   loss=1% delay=20ms jitter=5ms reorder=5% duplicate=2% corrupt=1% rate=100mbit
 *                      a worse network than it is
 *   tcp_...=...        any knob, as tcps_stack_sysctl_set() has them
 *
 *
 * Descriptors
 *
 * A socket is a descriptor of the kernel. poll(), select(), epoll and event loops take it as it is;
 * dup() copies it. It is of one of two kinds: direct, the default, where data moves by the tcps_ calls;
 * and bridged (TCPS_BRIDGED), where read() and write() work too.
 *
 * After fork() the stack stays with the parent: in the child tcps_ calls on its sockets fail with
 * EBADF. A bridged descriptor goes on working there with read(), write() and close(), as it does in any
 * process that it is passed to.
 *
 *
 * Errors
 *
 * A call that fails returns -1, or NULL, and sets errno; tcps_last_error() says more. Errno has
 * Linux's values. EBADF: the descriptor is not open, or its stack was closed. ENOTSOCK: it is open,
 * but not a stack's. EFAULT: a pointer is NULL; other pointers are trusted. Any call but those that
 * cannot fail may also give
 *   ENOTRECOVERABLE  a bug in this library was caught, and the stack that it was in was closed
 * Results go to the caller's memory only when a call succeeds.
 *
 *
 * Threads
 *
 * Every function may be called from any thread at any time. A closed descriptor's number may be
 * given out again at once, as always. No function may be called from a signal handler.
 *
 *
 * Socket options
 *
 * Name, value, what a new socket has, and what it means. As on Linux an int may be followed by
 * more bytes, and a value is cut to the room there is. What is not here is ENOPROTOOPT.
 *
 * SOL_SOCKET
 *   SO_REUSEADDR         switch                    0
 *       bind takes an address that only connections in TIME-WAIT, or sockets with the same
 *       option that do not listen, still have
 *   SO_REUSEPORT         switch                    0
 *       several sockets, all of which have it, listen on one address and share its
 *       connections
 *   SO_SNDBUF            bytes                     16384
 *       bytes of the send buffer, cut to what tcp_wmem allows; reads as twice what was set,
 *       and it grows by itself until it is set
 *   SO_RCVBUF            bytes                     131072
 *       bytes of the receive buffer, and so the window, cut to what tcp_rmem allows; reads as
 *       twice what was set, and it grows by itself until it is set
 *   SO_SNDBUFFORCE       bytes, set only
 *       SO_SNDBUF beyond tcp_wmem
 *   SO_RCVBUFFORCE       bytes, set only
 *       SO_RCVBUF beyond tcp_rmem
 *   SO_RCVLOWAT          int                       1
 *       least bytes that make the socket readable, at most half the receive buffer's limit
 *   SO_SNDLOWAT          int, read only            1
 *       always 1
 *   SO_LINGER            struct linger             off
 *       how long close waits for the peer's ACK of everything; on with 0 seconds: close sends
 *       RST instead of FIN
 *   SO_KEEPALIVE         switch                    0
 *       an idle peer is asked for a sign of life, and one that gives none is given up
 *   SO_OOBINLINE         switch                    0
 *       urgent data stays in the stream, and MSG_OOB has none
 *   SO_RCVTIMEO          struct timeval            0
 *       recv and accept give up after this with EAGAIN; 0: never
 *   SO_SNDTIMEO          struct timeval            0
 *       send gives up after this with EAGAIN, connect with EINPROGRESS; 0: never
 *   SO_MAX_PACING_RATE   unsigned long             no limit
 *       bytes per second that data leaves at, at most; all ones: no limit
 *   SO_TYPE              int, read only            1
 *       SOCK_STREAM
 *   SO_DOMAIN            int, read only            10
 *       AF_INET or AF_INET6
 *   SO_PROTOCOL          int, read only            6
 *       IPPROTO_TCP
 *   SO_ACCEPTCONN        switch, read only         0
 *       1 for a socket that listens
 *
 * IPPROTO_TCP
 *   TCP_NODELAY          switch                    0
 *       small segments leave at once (Nagle's algorithm off)
 *   TCP_MAXSEG           int, 0 to 32767           536
 *       most bytes of data in a segment, from 88; before connect or listen also told to the
 *       peer; 0: no limit
 *   TCP_CORK             switch                    0
 *       only full segments leave, until it is off again or 200 ms have passed
 *   TCP_QUICKACK         switch                    1
 *       a connection acknowledges at once, for now; 0: acknowledgments wait to ride on data
 *   TCP_KEEPIDLE         seconds, 1 to 32767       7200
 *       SO_KEEPALIVE: silence before the first probe (default: tcp_keepalive_time)
 *   TCP_KEEPINTVL        seconds, 1 to 32767       75
 *       SO_KEEPALIVE: time between probes (default: tcp_keepalive_intvl)
 *   TCP_KEEPCNT          int, 1 to 127             9
 *       SO_KEEPALIVE: probes without an answer before ETIMEDOUT (default:
 *       tcp_keepalive_probes)
 *   TCP_SYNCNT           int, 1 to 127             6
 *       retransmissions of a SYN before ETIMEDOUT (default: tcp_syn_retries)
 *   TCP_USER_TIMEOUT     milliseconds              0
 *       how long data may go unacknowledged before ETIMEDOUT; 0: as tcp_retries2 says
 *   TCP_LINGER2          int                       60
 *       seconds that a closed socket stays in FIN-WAIT-2, at most 120; 0: as tcp_fin_timeout
 *       says; negative: not at all
 *   TCP_DEFER_ACCEPT     int                       0
 *       seconds that a listener waits for data before accept has the connection, rounded up
 *       to 1, 3, 7, ... (retransmissions of the SYN+ACK); 0: it does not wait
 *   TCP_WINDOW_CLAMP     int                       0
 *       most bytes of window that are advertised, at least 1152; 0: no limit, before connect
 *       or listen
 *   TCP_NOTSENT_LOWAT    bytes                     0
 *       the socket is writable while less than this is unsent; 0: no limit
 *   TCP_CONGESTION       string                    cubic
 *       the congestion control by its name (default: tcp_congestion_control)
 *   TCP_FASTOPEN         int from 0                0
 *       handshakes with data that a listener lets wait; 0: no Fast Open there
 *   TCP_FASTOPEN_KEY     16 or 32 bytes            the stack's
 *       16 bytes from which a listener's Fast Open cookies are made, and perhaps 16 more from
 *       which they were; unset, the stack has its own
 *   TCP_FASTOPEN_CONNECT 0 or 1                    0
 *       connect returns at once, and the first data goes with the SYN
 *   TCP_INQ              0 or 1                    0
 *       recvmsg tells in a TCP_CM_INQ message how many bytes are left to read
 *
 * IPPROTO_IPV6
 *   IPV6_V6ONLY          switch                    0
 *       an AF_INET6 socket that leaves IPv4 alone, before bind
 *
 * IPPROTO_IP
 *   IP_TOS               int from -2147483648      0
 *       DSCP of the IPv4 packets sent, in the upper six bits of the byte (RFC 9293
 *       §3.9.1.9); the lower two are TCP's
 *   IP_TTL               int, -1 to 255            64
 *       hops that the IPv4 packets sent may take, from 1; -1: as ip_default_ttl says
 *   IP_MINTTL            int, 0 to 255             0
 *       IPv4 packets that come in with a smaller TTL are dropped (RFC 5082)
 *   IP_MTU_DISCOVER      int, 0 to 5               1
 *       how the IPv4 path's MTU is found: IP_PMTUDISC_DONT, WANT (the default), DO, PROBE,
 *       INTERFACE or OMIT
 *   IP_MTU               int from 0, read only
 *       bytes of the largest packet that the path to the peer takes; ENOTCONN without one
 *
 * IPPROTO_IPV6
 *   IPV6_TCLASS          int, -1 to 255            0
 *       IP_TOS for IPv6; -1: 0
 *   IPV6_UNICAST_HOPS    int, -1 to 255            64
 *       IP_TTL for IPv6, from 0; -1: as ip_default_ttl says
 *   IPV6_MINHOPCOUNT     int, 0 to 255             0
 *       IP_MINTTL for IPv6
 *   IPV6_MTU_DISCOVER    int, 0 to 5               1
 *       IP_MTU_DISCOVER for IPv6, whose packets routers never cut
 *   IPV6_MTU             int, read only
 *       IP_MTU for IPv6
 *
 * To be read only, beside these:
 *   SO_ERROR (SOL_SOCKET)  int: the errno of the error that waits, which is gone with this
 *   TCP_INFO (IPPROTO_TCP)  struct tcp_info of linux/tcp.h, as Linux 6.7 has it (248 bytes)
 */


#ifndef TCPSTACK_H
#define TCPSTACK_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/**
 * The version of this header; tcps_version() is that of the library that runs.
 */
#define TCPSTACK_VERSION "0.1.0"
#define TCPSTACK_VERSION_MAJOR 0
#define TCPSTACK_VERSION_MINOR 1
#define TCPSTACK_VERSION_PATCH 0


/**
 * ESTABLISHED: data flows. The states have the numbers that Linux's netinet/tcp.h gives them.
 */
#define TCPS_ESTABLISHED 1

/**
 * SYN-SENT: SYN sent, waiting for the peer's.
 */
#define TCPS_SYN_SENT 2

/**
 * SYN-RECEIVED: both SYNs seen, waiting for the ACK of ours.
 */
#define TCPS_SYN_RECV 3

/**
 * FIN-WAIT-1: our FIN is sent or queued.
 */
#define TCPS_FIN_WAIT1 4

/**
 * FIN-WAIT-2: our FIN is acknowledged, the peer may still send.
 */
#define TCPS_FIN_WAIT2 5

/**
 * TIME-WAIT: waiting 2 MSL.
 */
#define TCPS_TIME_WAIT 6

/**
 * CLOSED: no connection.
 */
#define TCPS_CLOSE 7

/**
 * CLOSE-WAIT: the peer has finished, we may still send.
 */
#define TCPS_CLOSE_WAIT 8

/**
 * LAST-ACK: the peer finished first, our FIN is not acknowledged yet.
 */
#define TCPS_LAST_ACK 9

/**
 * LISTEN: waiting for connection requests.
 */
#define TCPS_LISTEN 10

/**
 * CLOSING: both FINs crossed, ours is not acknowledged yet.
 */
#define TCPS_CLOSING 11

/**
 * A flag beside SOCK_STREAM: the bytes themselves move through the descriptor.
 *
 * Then whatever takes a descriptor works on it: read(), write(), stdio, sendfile(), TLS libraries,
 * fork(), passing it to another process. Without it the descriptor carries readiness only, and data
 * moves by the tcps_ calls: the fastest. Meant for the real clock: with clock=manual the bytes move
 * when tcps_stack_poll() is called, and a read() that waits sleeps in the kernel.
 */
#define TCPS_BRIDGED 16777216

/**
 * A stack: one host with its addresses, its connections and its device.
 *
 * Only ever used through a pointer, which is a handle: using one after tcps_stack_close() fails with
 * EBADF and harms nothing.
 */
typedef struct tcps_stack tcps_stack;

/**
 * One connection, or one listening socket, of a stack.
 */
typedef struct {
    /**
     * Unique on this stack as long as it is open.
     */
    uint64_t id;
    /**
     * This end.
     */
    struct sockaddr_storage local;
    /**
     * The other end; ss_family is AF_UNSPEC where there is none (LISTEN).
     */
    struct sockaddr_storage remote;
    /**
     * TCPS_ESTABLISHED, TCPS_LISTEN, ...
     */
    int state;
    /**
     * 1: no socket holds it any more, it is finishing alone.
     */
    int orphan;
    /**
     * Bytes in the send buffer, not yet acknowledged.
     */
    size_t send_queue;
    /**
     * Bytes received, not yet read.
     */
    size_t receive_queue;
} tcps_connection;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that runs. TCPSTACK_VERSION is that of the header a program was
 * compiled with; the two may differ where a shared library was replaced since.
 *
 * Returns "major.minor.patch", a string that lives as long as the program. Cannot fail.
 * Threads: any. Since 0.1.
 */
const char *tcps_version(void);

/**
 * Why the last call that failed on this thread failed, in a sentence.
 *
 * It names the function, the reason and the errno; for tcps_stack_open() and the sysctl calls also
 * the key that was wrong and what would be valid.
 *
 * Returns a string, "" when no call has failed yet; it is the library's, and lives until the next
 * call of this library that fails on this thread. Cannot fail.
 * Threads: any; each has its own. Since 0.1.
 */
const char *tcps_last_error(void);

/**
 * Opens a stack on the network that a URL names (see "The URL" above).
 *
 * url     "DEVICE?key=value&key=value"
 *
 * Returns the stack, to be closed with tcps_stack_close(); or NULL, with errno
 *   EFAULT          url is NULL
 *   EINVAL          url is not understood: tcps_last_error() names the key and what is valid
 *   EADDRINUSE      another host has this address on this network (unix:), or another program
 *                   has the interface open (tun:, EBUSY on some kernels)
 *   EPERM, EACCES   the interface or the directory is not this user's to open
 *   ENOENT, ENODEV  no such directory, interface or file
 *   others          as the kernel gave them for the device or for the files of pcap= and events=
 * Threads: any. Since 0.1.
 */
tcps_stack *tcps_stack_open(const char *url);

/**
 * The default stack, opened at the first use from the URL in the environment variable $TCPSTACK
 * ("unix:" where that is not set).
 *
 * Returns the stack, always the same one until it is closed; or NULL, with the errno of
 * tcps_stack_open().
 * Threads: any. Since 0.1.
 */
tcps_stack *tcps_stack_default(void);

/**
 * Closes a stack and gives back its memory, its device and its thread.
 *
 * Data and FINs that are not yet acknowledged get a moment to be so (the knob tcp_close_flush_ms);
 * then every connection is dropped, TIME_WAIT too. Descriptors that are still open stay open until
 * tcps_close() or close(), and every other call on them fails with EBADF.
 *
 * stack   the stack; the pointer is dead afterwards
 *
 * Returns 0; or -1, with errno
 *   EFAULT          stack is NULL
 *   EBADF           stack is not an open one
 * Threads: any; calls that wait in other threads return with EBADF. Since 0.1.
 */
int tcps_stack_close(tcps_stack *stack);

/**
 * Sets a knob of a stack, as `sysctl -w net.ipv4.NAME=VALUE` does for the kernel.
 *
 * stack   the stack
 * name    the knob: tcp_rmem, tcp_sigpipe, ...
 * value   its value as text
 *
 * Returns 0; or -1, with errno
 *   EFAULT          a pointer is NULL
 *   EBADF           stack is not an open one
 *   ENOENT          there is no such knob
 *   EINVAL          the value can't be: tcps_last_error() says what can
 * Threads: any. Since 0.1.
 */
int tcps_stack_sysctl_set(tcps_stack *stack, const char *name, const char *value);

/**
 * Reads a knob of a stack.
 *
 * stack   the stack
 * name    the knob
 * value   where the text and its NUL go
 * cap     bytes at value
 *
 * Returns the text's length without the NUL; or -1, with errno
 *   EFAULT          a pointer is NULL
 *   EBADF           stack is not an open one
 *   ENOENT          there is no such knob
 *   ERANGE          cap is too small; nothing was written
 * Threads: any. Since 0.1.
 */
int tcps_stack_sysctl_get(tcps_stack *stack, const char *name, char *value, size_t cap);

/**
 * Lists the connections of a stack: those that listen, those in SYN_RECV that nobody accepted
 * yet, those in TIME_WAIT whose socket is long gone.
 *
 * stack   the stack
 * out     where they go; may be NULL when cap is 0
 * cap     how many have room at out
 *
 * Returns how many there are, which may be more than cap: then the first cap were written; or -1,
 * with errno
 *   EFAULT          stack is NULL, or out is and cap is not 0
 *   EBADF           stack is not an open one
 * Threads: any. Since 0.1.
 */
int tcps_stack_connections(tcps_stack *stack,
                           tcps_connection *out,
                           size_t cap);

/**
 * The name that RFC 9293 gives a state, as "TIME-WAIT".
 *
 * state   TCPS_TIME_WAIT, ...
 *
 * Returns a string that lives as long as the program; or NULL, with errno
 *   EINVAL          there is no such state
 * Threads: any. Since 0.1.
 */
const char *tcps_state_name(int state);

/**
 * Hands every event of a stack from now on to a function: what happened, and why.
 *
 * An event is one JSON object, as in the file of the URL's key events=.
 *
 * stack   the stack
 * fn      gets ctx and the event, a string that lives until it returns; NULL: no more events.
 *         It may run on any thread, also on one that is inside a tcps_ call, but never on two at
 *         once. It must not call this library, except tcps_version(), and must return.
 * ctx     handed to fn as it is
 *
 * Returns 0; or -1, with errno
 *   EFAULT          stack is NULL
 *   EBADF           stack is not an open one
 * Threads: any. Since 0.1.
 */
int tcps_stack_on_event(tcps_stack *stack,
                        void (*fn)(void *ctx, const char *json),
                        void *ctx);

/**
 * Says which line of the program makes the next tcps_ call of this thread; events then name it, as in
 * "connect(10.7.0.1:80), client.c:31". It belongs to that one call. tcpstack/bsd.h says it before each
 * call that it maps, so that only other bindings have a use for it. It costs a few instructions.
 *
 * file    its name, as __FILE__ has it, a string that lives until that call has returned; NULL: not known
 * line    its number, from 1, as __LINE__ has it
 *
 * Cannot fail.
 * Threads: any; each has its own. Since 0.1.
 */
void tcps_source_line(const char *file,
                      int line);

/**
 * Sets the clock of a stack with clock=manual and runs the timers that are due, in the order of
 * their deadlines.
 *
 * stack    the stack
 * now_us   the time in microseconds, from an origin that the caller chose; never less than before
 * next_us  where the deadline of the next timer goes, UINT64_MAX for none; may be NULL
 *
 * Returns 0; or -1, with errno
 *   EFAULT          stack is NULL
 *   EBADF           stack is not an open one
 *   EINVAL          now_us is before the time given last
 *   EOPNOTSUPP      the stack's clock is not manual
 * Threads: any. Since 0.1.
 */
int tcps_stack_poll(tcps_stack *stack,
                    uint64_t now_us,
                    uint64_t *next_us);

/**
 * Gives a stack on the device user: a packet that arrived.
 *
 * stack   the stack
 * packet  an IPv4 or IPv6 packet, from its first header byte on
 * len     its length in bytes
 *
 * Returns 0, also for a packet that turns out to be of no use: the stack counts it and drops it, as
 * a network interface would; or -1, with errno
 *   EFAULT          stack or packet is NULL
 *   EBADF           stack is not an open one
 *   EINVAL          len is 0
 *   EMSGSIZE        len is greater than any IP packet can be
 *   EOPNOTSUPP      the stack's device is not user:
 * Threads: any. Since 0.1.
 */
int tcps_stack_input(tcps_stack *stack,
                     const void *packet,
                     size_t len);

/**
 * Takes the next packet that a stack on the device user: wants to send.
 *
 * With clock=manual a packet is there as soon as the call that made it possible has returned.
 *
 * stack   the stack
 * packet  where it goes, from its first header byte on, checksums finished
 * cap     bytes at packet; the stack's MTU is always enough
 *
 * Returns the packet's length in bytes, 0 when there is none to send; or -1, with errno
 *   EFAULT          stack or packet is NULL
 *   EBADF           stack is not an open one
 *   EMSGSIZE        cap is too small for the next packet; it stays where it is
 *   EOPNOTSUPP      the stack's device is not user:
 * Threads: any. Since 0.1.
 */
ptrdiff_t tcps_stack_output(tcps_stack *stack, void *packet, size_t cap);

/**
 * Says how a call that must wait waits on a stack with clock=manual, where nothing sleeps and no
 * thread runs.
 *
 * stack   the stack
 * wait    called on the thread of the waiting call, with no lock held, as often as it takes. It gets
 *         ctx and the time in microseconds at which the call gives up (UINT64_MAX: never); it moves
 *         packets and the clock, with any call of this library, and returns 0: look again; or -1: the
 *         call fails with EINTR. NULL (as at first): a call that must wait fails with EDEADLK, since
 *         nothing could ever wake it.
 * ctx     handed to wait as it is
 *
 * Returns 0; or -1, with errno
 *   EFAULT          stack is NULL
 *   EBADF           stack is not an open one
 * Threads: any. Since 0.1.
 */
int tcps_stack_set_wait(tcps_stack *stack,
                        int (*wait)(void *ctx, uint64_t deadline_us),
                        void *ctx);

/**
 * Makes a TCP socket on a stack.
 *
 * stack     the stack
 * domain    AF_INET or AF_INET6
 * type      SOCK_STREAM; or'ed to it SOCK_NONBLOCK, SOCK_CLOEXEC, TCPS_BRIDGED
 * protocol  0 or IPPROTO_TCP
 *
 * Returns a descriptor, to be closed with tcps_close(); or -1, with errno
 *   EFAULT           stack is NULL
 *   EBADF            stack is not an open one
 *   EAFNOSUPPORT     domain is another one
 *   EINVAL           type or protocol is out of range, or type has an unknown flag
 *   ESOCKTNOSUPPORT  type is not SOCK_STREAM
 *   EPROTONOSUPPORT  protocol is another one
 *   EMFILE, ENFILE   too many descriptors are open
 *   ENOBUFS, ENOMEM  no memory
 * Threads: any. Since 0.1.
 */
int tcps_stack_socket(tcps_stack *stack, int domain, int type, int protocol);

/**
 * Makes a TCP socket on the default stack (see tcps_stack_default()).
 *
 * domain    AF_INET or AF_INET6
 * type      SOCK_STREAM; or'ed to it SOCK_NONBLOCK, SOCK_CLOEXEC, TCPS_BRIDGED
 * protocol  0 or IPPROTO_TCP
 *
 * Returns a descriptor, to be closed with tcps_close(); or -1, with errno
 *   EAFNOSUPPORT     domain is another one
 *   EINVAL           type or protocol is out of range, type has an unknown flag, or $TCPSTACK is not
 *                    understood
 *   ESOCKTNOSUPPORT  type is not SOCK_STREAM
 *   EPROTONOSUPPORT  protocol is another one
 *   EMFILE, ENFILE   too many descriptors are open
 *   ENOBUFS, ENOMEM  no memory
 *   others           as tcps_stack_open() has them, when this is the first use
 * Threads: any. Since 0.1.
 */
int tcps_socket(int domain,
                int type,
                int protocol);

/**
 * Gives a socket its local address.
 *
 * fd       the socket
 * address  a struct sockaddr_in or sockaddr_in6; port 0: the stack chooses one
 * len      its length in bytes
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           address is NULL
 *   EINVAL           len can't be, or the socket has an address already
 *   EAFNOSUPPORT     address is of another family than the socket
 *   EADDRINUSE       another socket has it (see SO_REUSEADDR); or no port is free
 *   EADDRNOTAVAIL    it is not an address of this stack
 * Threads: any. Since 0.1.
 */
int tcps_bind(int fd, const struct sockaddr *address, socklen_t len);

/**
 * Makes a socket listen for connections.
 *
 * fd       the socket; unbound, it gets a port now
 * backlog  how many connections may wait, established, for tcps_accept(). As on Linux one more than
 *          that has room, a negative one means as many as the knob somaxconn says, and it may be
 *          called again with another one
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EINVAL           the socket is connected, or connecting
 *   EADDRINUSE       another socket listens on the address; or no port is free
 * Threads: any. Since 0.1.
 */
int tcps_listen(int fd,
                int backlog);

/**
 * Accepts the next connection; waits for one.
 *
 * fd       a socket that listens
 * address  where the peer's address goes, or NULL
 * len      in: the room at address; out: the address's length; NULL with address
 *
 * Returns a descriptor of the kind that fd has, blocking and without FD_CLOEXEC, to be closed with
 * tcps_close(); or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EINVAL           the socket does not listen, or *len is negative
 *   EFAULT           address is not NULL, and len is
 *   EAGAIN           no connection waits, and the socket is non-blocking or SO_RCVTIMEO has passed
 *   ECONNABORTED     the connection was reset before it was accepted
 *   EINTR            a signal handler ran
 *   EMFILE, ENFILE   too many descriptors are open; the connection still waits
 *   ENOBUFS, ENOMEM  no memory
 * Threads: any; each connection goes to one. Since 0.1.
 */
int tcps_accept(int fd,
                struct sockaddr *address,
                socklen_t *len);

/**
 * As tcps_accept(), and sets flags on the new descriptor.
 *
 * fd       a socket that listens
 * address  where the peer's address goes, or NULL
 * len      in: the room at address; out: the address's length; NULL with address
 * flags    SOCK_NONBLOCK, SOCK_CLOEXEC, both or'ed, or 0
 *
 * Returns a descriptor; or -1, with the errno of tcps_accept(), or
 *   EINVAL           flags has another one
 * Threads: any; each connection goes to one. Since 0.1.
 */
int tcps_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);

/**
 * Connects: sends SYN and waits until the three-way handshake is done.
 *
 * To an address of the family AF_UNSPEC it disconnects: the connection is aborted with RST, a socket
 * that listens ends to listen, and either can be used again.
 *
 * fd       the socket; unbound, it gets the address that reaches the peer, and a port
 * address  the peer's struct sockaddr_in or sockaddr_in6
 * len      its length in bytes
 *
 * Returns 0: ESTABLISHED; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           address is NULL
 *   EINVAL           len can't be
 *   EAFNOSUPPORT     address is of another family than the socket
 *   EINPROGRESS      the handshake has begun, and the socket is non-blocking or SO_SNDTIMEO has
 *                    passed: poll for POLLOUT, then ask SO_ERROR
 *   EALREADY         the handshake begun before is not done
 *   EISCONN          the socket is connected, or listens
 *   ECONNREFUSED     nobody listens there: RST came back
 *   ETIMEDOUT        no answer to any SYN (the knob tcp_syn_retries)
 *   EHOSTUNREACH, ENETUNREACH  ICMP said so, or there is no way from this stack
 *   EADDRNOTAVAIL    no port is free
 *   EADDRINUSE       a connection between the same two addresses is still there
 *   EINTR            a signal handler ran; the handshake goes on, as after EINPROGRESS
 * Threads: any. Since 0.1.
 */
int tcps_connect(int fd,
                 const struct sockaddr *address,
                 socklen_t len);

/**
 * Ends one direction of a connection, or both. SHUT_WR sends FIN after the data written before;
 * the peer may go on sending.
 *
 * fd       the socket
 * how      SHUT_RD, SHUT_WR or SHUT_RDWR
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EINVAL           how is another one
 *   ENOTCONN         the socket is not connected
 * Threads: any; reads and writes that wait in other threads return. Since 0.1.
 */
int tcps_shutdown(int fd, int how);

/**
 * Closes a descriptor. With its last copy the socket goes: a connection sends what is written and
 * FIN, or RST where bytes were received that nobody read; the port of a listening socket is free
 * when this returns. With SO_LINGER it waits, as long as that says, until the peer has everything.
 *
 * close() does the same, a moment later, when the stack notices.
 *
 * fd       the socket
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open
 *   ENOTSOCK         fd is not a stack's
 * Threads: any; calls that wait on it in other threads return. Since 0.1.
 */
int tcps_close(int fd);

/**
 * Tells a socket's own address.
 *
 * fd       the socket
 * address  where it goes
 * len      in: the room at address; out: the address's length
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           a pointer is NULL
 *   EINVAL           *len is negative
 * Threads: any. Since 0.1.
 */
int tcps_getsockname(int fd, struct sockaddr *address, socklen_t *len);

/**
 * Tells the address of the peer of a connection.
 *
 * fd       the socket
 * address  where it goes
 * len      in: the room at address; out: the address's length
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           a pointer is NULL
 *   EINVAL           *len is negative
 *   ENOTCONN         the socket is not connected
 * Threads: any. Since 0.1.
 */
int tcps_getpeername(int fd, struct sockaddr *address, socklen_t *len);

/**
 * Reads: takes bytes that arrived; waits for the first.
 *
 * fd       the socket
 * data     where they go
 * len      most bytes to take
 *
 * Returns how many, at least 1; 0 at the end of the stream (the peer's FIN) or for len 0; or -1,
 * with the errno of tcps_recv().
 * Threads: any; each byte goes to one. Since 0.1.
 */
ptrdiff_t tcps_read(int fd,
                    void *data,
                    size_t len);

/**
 * Writes: hands bytes to the stack, which sends them as the peer's window and the network allow.
 * Waits until all have a place in the send buffer.
 *
 * fd       the socket
 * data     the bytes
 * len      how many
 *
 * Returns how many were taken, less than len only if the socket is non-blocking, or a signal or an
 * error came in between; or -1, with the errno of tcps_send(). EPIPE comes with SIGPIPE.
 * Threads: any; the bytes of two calls at once may mix. Since 0.1.
 */
ptrdiff_t tcps_write(int fd,
                     const void *data,
                     size_t len);

/**
 * Sends: as tcps_write(), with flags.
 *
 * fd       the socket
 * data     the bytes
 * len      how many
 * flags    MSG_DONTWAIT   does not wait, as if the socket were non-blocking
 *          MSG_NOSIGNAL   EPIPE without SIGPIPE
 *          MSG_MORE       a small segment waits for what the next call sends
 *          MSG_EOR        what is sent later does not share a segment with this
 *          MSG_OOB        the last byte is urgent
 *          As on Linux, others that mean nothing to TCP are passed over: MSG_CONFIRM, ...
 *
 * Returns as tcps_write(); or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           data is NULL and len is not 0
 *   EOPNOTSUPP       MSG_OOB on a bridged descriptor
 *   EDESTADDRREQ     MSG_FASTOPEN: only tcps_sendto() says where to
 *   EAGAIN           the send buffer is full, and the socket is non-blocking or SO_SNDTIMEO has
 *                    passed
 *   EPIPE            this side has shut down writing, is not connected, or an error was told
 *                    before; with SIGPIPE to the calling thread, unless MSG_NOSIGNAL is set or the
 *                    knob tcp_sigpipe is 0
 *   ECONNRESET       the peer sent RST
 *   ETIMEDOUT        the peer does not answer (the knob tcp_retries2)
 *   EHOSTUNREACH, ENETUNREACH  it timed out, and ICMP had told why
 *   EINTR            a signal handler ran before a byte was taken
 *   ENOBUFS          no memory
 * Threads: any; the bytes of two calls at once may mix. Since 0.1.
 */
ptrdiff_t tcps_send(int fd,
                    const void *data,
                    size_t len,
                    int flags);

/**
 * Receives: as tcps_read(), with flags.
 *
 * fd       the socket
 * data     where the bytes go
 * len      most bytes to take
 * flags    MSG_PEEK       leaves them where they are
 *          MSG_DONTWAIT   does not wait, as if the socket were non-blocking
 *          MSG_WAITALL    waits for all len bytes, the end of the stream, an error or a signal
 *          MSG_OOB        takes the urgent byte, which is not in the stream, and does not wait
 *          MSG_TRUNC      takes the bytes and drops them: data may be NULL
 *          As on Linux, others that mean nothing to TCP are passed over
 *
 * Returns as tcps_read(); or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           data is NULL and len is not 0
 *   EINVAL           MSG_OOB, and no urgent byte is there, or SO_OOBINLINE keeps it in the stream
 *   EAGAIN           flags has MSG_ERRQUEUE; or nothing is there, and the socket is non-blocking or
 *                    SO_RCVTIMEO has passed
 *   ENOTCONN         the socket was never connected
 *   ECONNREFUSED     the connect that went on meanwhile was refused
 *   ECONNRESET       the peer sent RST
 *   ETIMEDOUT        the peer does not answer what was sent
 *   EHOSTUNREACH, ENETUNREACH  it timed out, and ICMP had told why
 *   EINTR            a signal handler ran before a byte was there
 * Threads: any; each byte goes to one. Since 0.1.
 */
ptrdiff_t tcps_recv(int fd,
                    void *data,
                    size_t len,
                    int flags);

/**
 * As tcps_send(). TCP knows where to send to: the address is not looked at, as on Linux, but with
 * MSG_FASTOPEN. Then it connects there, and the data goes with the SYN where the peer has given a
 * cookie before (RFC 7413); else it follows the handshake.
 *
 * fd       the socket
 * data     the bytes
 * len      how many
 * flags    as for tcps_send(), and MSG_FASTOPEN
 * address  with MSG_FASTOPEN the peer's; else ignored; may be NULL
 * address_len  its length in bytes
 *
 * Returns as tcps_send(); or -1, with the errno of tcps_send(), or
 *   EINVAL           address_len can't be
 *   EINPROGRESS      MSG_FASTOPEN, and a socket that does not wait sent its SYN without the data
 *   EOPNOTSUPP       MSG_FASTOPEN on a bridged descriptor, or the knob tcp_fastopen does not allow it
 *   others           MSG_FASTOPEN: as tcps_connect()
 * Threads: any; the bytes of two calls at once may mix. Since 0.1.
 */
ptrdiff_t tcps_sendto(int fd,
                      const void *data,
                      size_t len,
                      int flags,
                      const struct sockaddr *address,
                      socklen_t address_len);

/**
 * As tcps_recv(). On a connection there is no address to tell: *address_len becomes 0, as on Linux;
 * ask tcps_getpeername().
 *
 * fd       the socket
 * data     where the bytes go
 * len      most bytes to take
 * flags    as for tcps_recv()
 * address  may be NULL; nothing is written there
 * address_len  becomes 0; NULL with address
 *
 * Returns as tcps_recv(); or -1, with the errno of tcps_recv(), or
 *   EFAULT           address is not NULL, and address_len is
 *   EINVAL           *address_len is negative
 * Threads: any; each byte goes to one. Since 0.1.
 */
ptrdiff_t tcps_recvfrom(int fd,
                        void *data,
                        size_t len,
                        int flags,
                        struct sockaddr *address,
                        socklen_t *address_len);

/**
 * Reads into several buffers, one after the other.
 *
 * fd       the socket
 * buffers  the buffers
 * count    how many, at most 1024
 *
 * Returns as tcps_read(); or -1, with the errno of tcps_recv(), or
 *   EINVAL           count is negative or too great
 *   EFAULT           buffers, or the place of one that has a length, is NULL
 * Threads: any; each byte goes to one. Since 0.1.
 */
ptrdiff_t tcps_readv(int fd, const struct iovec *buffers, int count);

/**
 * Writes from several buffers, one after the other.
 *
 * fd       the socket
 * buffers  the buffers
 * count    how many, at most 1024
 *
 * Returns as tcps_write(); or -1, with the errno of tcps_send(), or
 *   EINVAL           count is negative or too great
 *   EFAULT           buffers, or the place of one that has a length, is NULL
 * Threads: any; the bytes of two calls at once may mix. Since 0.1.
 */
ptrdiff_t tcps_writev(int fd, const struct iovec *buffers, int count);

/**
 * As tcps_writev(), with flags.
 *
 * fd       the socket
 * message  the buffers in msg_iov, at most 1024; msg_name is ignored. Control messages of other levels
 *          than SOL_SOCKET, SCM_RIGHTS and SCM_CREDENTIALS are passed over, as on Linux
 * flags    as for tcps_send()
 *
 * Returns as tcps_send(); or -1, with the errno of tcps_send(), or
 *   EFAULT           message, its msg_iov, or the place of a buffer that has a length, is NULL
 *   EMSGSIZE         msg_iovlen is too great
 *   EINVAL           a control message is not one of these, or does not fit its length
 * Threads: any; the bytes of two calls at once may mix. Since 0.1.
 */
ptrdiff_t tcps_sendmsg(int fd,
                       const struct msghdr *message,
                       int flags);

/**
 * As tcps_readv(), with flags.
 *
 * fd       the socket
 * message  the buffers in msg_iov, at most 1024; msg_namelen becomes 0. With TCP_INQ on, msg_control gets
 *          a message TCP_CM_INQ of IPPROTO_TCP with an int: how many bytes are left to read. MSG_CTRUNC
 *          in msg_flags says that it had no room
 * flags    as for tcps_recv()
 *
 * Returns as tcps_recv(); or -1, with the errno of tcps_recv(), or
 *   EFAULT           message, its msg_iov, or the place of a buffer that has a length, is NULL
 *   EMSGSIZE         msg_iovlen is too great
 * Threads: any; each byte goes to one. Since 0.1.
 */
ptrdiff_t tcps_recvmsg(int fd,
                       struct msghdr *message,
                       int flags);

/**
 * Reads an option of a socket: those listed under "Socket options" above.
 *
 * fd       the socket
 * level    SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6
 * name     the option
 * value    where the value goes
 * len      in: the room at value; out: the value's length
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           a pointer is NULL
 *   EINVAL           *len is negative
 *   ENOPROTOOPT      the stack does not have the option, or it can only be set
 *   EOPNOTSUPP       an AF_INET socket has no options of that level
 * Threads: any. Since 0.1.
 */
int tcps_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

/**
 * Sets an option of a socket: those listed under "Socket options" above. A connection that a
 * listening socket accepts has the options of that socket.
 *
 * fd       the socket
 * level    SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP or IPPROTO_IPV6
 * name     the option
 * value    its value
 * len      the value's length in bytes
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           value is NULL
 *   EINVAL           len is too small, the value is out of its range, or it comes too late
 *   EDOM             a timeout's tv_usec is not between 0 and 999999
 *   ENOENT           no congestion control has that name
 *   ENOPROTOOPT      the stack does not have the option, or it can only be read
 * Threads: any. Since 0.1.
 */
int tcps_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

/**
 * Reads and sets the flags of a descriptor, and copies it.
 *
 * The flags are the kernel's own, so that plain fcntl() does the same: O_NONBLOCK counts however it
 * was set.
 *
 * fd       the socket
 * cmd      F_GETFL, F_SETFL           O_NONBLOCK among them
 *          F_GETFD, F_SETFD           FD_CLOEXEC
 *          F_DUPFD, F_DUPFD_CLOEXEC   a copy: the socket lives until its last copy is closed
 * arg      what cmd needs, else 0
 *
 * Returns what cmd returns; or -1, with errno
 *   EBADF            fd is not open
 *   ENOTSOCK         fd is not a stack's
 *   EINVAL           cmd is another one, or arg is too great a descriptor
 *   EMFILE           too many descriptors are open
 * Threads: any. Since 0.1.
 */
int tcps_fcntl(int fd,
               int cmd,
               long arg);

/**
 * Asks how much is queued, or switches between blocking and non-blocking.
 *
 * fd       the socket
 * request  FIONREAD, SIOCINQ   how many bytes can be read without waiting
 *          SIOCOUTQ, TIOCOUTQ  how many bytes were written and not yet acknowledged by the peer
 *          SIOCOUTQNSD         how many of these were never sent
 *          SIOCATMARK          1 when the urgent byte comes next, 0 else
 *          FIONBIO             non-blocking if the int is not 0; as O_NONBLOCK of tcps_fcntl()
 *          FIOASYNC            SIGIO when readiness changes, if the int is not 0; as O_ASYNC
 * arg      an int, read or written
 *
 * Returns 0; or -1, with errno
 *   EBADF            fd is not open, or its stack was closed
 *   ENOTSOCK         fd is not a stack's
 *   EFAULT           arg is NULL
 *   EINVAL           the socket listens: nothing is queued there
 *   ENOTTY           request is another one
 * Threads: any. Since 0.1.
 */
int tcps_ioctl(int fd, unsigned long request, void *arg);

/**
 * Waits until one of several descriptors is ready: the kernel's poll(), which knows the stack's
 * descriptors and all others. select() and epoll know them too.
 *
 * POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLHUP and POLLERR are shown when Linux shows them for a TCP
 * socket of its own. Where nothing has come but an urgent byte, POLLIN is shown beside POLLPRI until
 * the next call on the socket. A bridged descriptor shows no POLLPRI.
 *
 * With sockets of a stack with clock=manual among them it waits as tcps_stack_set_wait() says, and
 * timeout is on that clock. select() and epoll would sleep: give them a timeout of 0 there.
 *
 * fds      the descriptors and what to look for
 * nfds     how many
 * timeout  most milliseconds to wait; negative: for ever
 *
 * Returns how many have revents, 0 when the time has passed; or -1, with errno
 *   EFAULT           fds is NULL and nfds is not 0
 *   EINVAL           nfds is greater than the limit of open files
 *   EINTR            a signal handler ran, or the function of tcps_stack_set_wait() said -1
 *   EDEADLK          it would wait on a manual clock, and there is no such function
 *   ENOMEM           no memory
 * Threads: any. Since 0.1.
 */
int tcps_poll(struct pollfd *fds,
              nfds_t nfds,
              int timeout);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TCPSTACK_H */
