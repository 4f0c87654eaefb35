//! How a socket call fails: one table of variant, message and Linux's errno. Every layer above
//! (Rust, C, Python) reads its numbers and names here and nowhere else.

/// Declares [`Error`] and its errno table: variant, message, errno, when it happens.
macro_rules! errors {
    ($($variant:ident $message:literal $errno:ident $when:literal;)*) => {
        /// Every way in which a socket call fails; [`Error::errno`] is the one table to Linux's numbers.
        ///
        /// ```
        /// use tcpstack::host::Error;
        ///
        /// assert_eq!(Error::Refused.errno(), libc::ECONNREFUSED);
        /// assert_eq!(Error::Refused.name(), "ECONNREFUSED");
        /// assert_eq!(Error::Refused.to_string(), "connection refused");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum Error {
            $(
                #[doc = concat!("`", stringify!($errno), "`: ", $when)]
                #[error($message)]
                $variant,
            )*
        }

        impl Error {
            /// Every error there is.
            pub const ALL: &'static [Error] = &[$(Error::$variant,)*];

            /// Linux's number for it, as `ECONNREFUSED` (111).
            pub const fn errno(self) -> i32 {
                match self { $(Error::$variant => libc::$errno,)* }
            }

            /// The name of that number, as `"ECONNREFUSED"`.
            pub const fn name(self) -> &'static str {
                match self { $(Error::$variant => stringify!($errno),)* }
            }
        }
    };
}

errors! {
    WouldBlock "operation would block" EAGAIN
        "the call would have to wait; wait for readiness and call again.";
    InProgress "connection in progress" EINPROGRESS
        "the SYN is on its way; writable says when the handshake is over.";
    Already "connection already in progress" EALREADY
        "an earlier `connect` has not finished.";
    IsConnected "socket is connected" EISCONN
        "`connect` or `listen` came too late: the socket has its peer, or listens.";
    NotConnected "socket is not connected" ENOTCONN
        "the call needs a connection.";
    Refused "connection refused" ECONNREFUSED
        "the peer answered the SYN with RST, or ICMP says that nobody listens.";
    Reset "connection reset by peer" ECONNRESET
        "the peer sent RST.";
    Aborted "connection aborted" ECONNABORTED
        "this side gave the connection up.";
    TimedOut "connection timed out" ETIMEDOUT
        "the peer did not answer within the retries that the knobs allow.";
    HostUnreachable "no route to host" EHOSTUNREACH
        "ICMP says that the host cannot be reached.";
    NetUnreachable "network is unreachable" ENETUNREACH
        "the stack has no address of that family, or ICMP says so of the network.";
    BrokenPipe "broken pipe" EPIPE
        "this direction was shut down, the connection is gone, or there never was one.";
    AddressInUse "address in use" EADDRINUSE
        "another socket holds that address and port, or no ephemeral port is free.";
    AddressNotAvailable "address not available" EADDRNOTAVAIL
        "the address is not one of the stack's, or no four-tuple to that peer is free.";
    AddressFamily "address family not supported" EAFNOSUPPORT
        "an IPv4 address on an IPv6 socket, or the other way round.";
    Invalid "invalid argument" EINVAL
        "the socket is in a state, or the argument of a form, in which the call means nothing.";
    NoOption "protocol option not available" ENOPROTOOPT
        "the stack does not have this socket option, or ICMP says that the peer's host speaks no TCP.";
    NoSuchName "no such file or directory" ENOENT
        "nothing has the name that an option was given, as a congestion control.";
    OutOfDomain "numerical argument out of domain" EDOM
        "the microseconds of a time are not between 0 and 999,999.";
    NotSupported "operation not supported" EOPNOTSUPP
        "this kind of socket cannot do that.";
    DestinationRequired "destination address required" EDESTADDRREQ
        "the call needs an address to go to.";
    BadSocket "no such socket" EBADF
        "the id was closed, or is of another stack.";
    Access "permission denied" EACCES
        "ICMPv6 says that a policy forbids it.";
    Protocol "protocol error" EPROTO
        "ICMP says that a router or the peer found a header wrong.";
    MessageSize "message too long" EMSGSIZE
        "a packet was too big for the path and may not be fragmented.";
    NoBuffers "no buffer space" ENOBUFS
        "a bound of the stack on memory was reached.";
}
