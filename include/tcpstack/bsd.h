/*
 * tcpstack/bsd.h: sources that say socket(), bind(), read(), ... use the stack without a change.
 *
 * Give it to the compiler, or include it after every other header:
 *
 *     cc -include tcpstack/bsd.h textbook.c $(pkg-config --cflags --libs tcpstack)
 *
 * socket() makes TCP sockets, AF_INET and AF_INET6, on the default stack, which $TCPSTACK names; every
 * other socket is the kernel's. All other calls go where their descriptor belongs: to the stack, or
 * to the kernel. poll(), select() and epoll stay the kernel's own, which knows both kinds.
 *
 * Define TCPSTACK_BSD_BRIDGED before, for sources that also use stdio or sendfile() on a socket.
 *
 * The names are function-like macros: a call is taken, also one of a C++ member of the same name; a
 * pointer to the function, as in `ssize_t (*f)(int, void *, size_t) = read`, stays the kernel's.
 * Errors, threads: as the tcps_ call of the same name has them in tcpstack.h. Since 0.1.
 */

#ifndef TCPSTACK_BSD_H
#define TCPSTACK_BSD_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../tcpstack.h"

#ifdef TCPSTACK_BSD_BRIDGED
#define TCPS_BSD_KIND_ TCPS_BRIDGED
#else
#define TCPS_BSD_KIND_ 0
#endif

/* ENOTSOCK is the stack's word for a descriptor that is not its own: then it is the kernel's call.
 * A stack's socket never answers so, and the stack has done nothing when it does. */
#define TCPS_BSD_(type, ours, kernels)            \
    do {                                          \
        type result = ours;                       \
        if (result == -1 && errno == ENOTSOCK) {  \
            result = kernels;                     \
        }                                         \
        return result;                            \
    } while (0)

static inline int tcps_bsd_socket(int domain, int type, int protocol)
{
    int family = domain == AF_INET || domain == AF_INET6;
    int stream = (type & 0xf) == SOCK_STREAM;
    if (family && stream && (protocol == 0 || protocol == IPPROTO_TCP)) {
        return tcps_socket(domain, type | TCPS_BSD_KIND_, protocol);
    }
    return socket(domain, type, protocol);
}

static inline int tcps_bsd_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    TCPS_BSD_(int, tcps_bind(fd, address, len), bind(fd, address, len));
}

static inline int tcps_bsd_listen(int fd, int backlog)
{
    TCPS_BSD_(int, tcps_listen(fd, backlog), listen(fd, backlog));
}

static inline int tcps_bsd_accept(int fd, struct sockaddr *address, socklen_t *len)
{
    TCPS_BSD_(int, tcps_accept(fd, address, len), accept(fd, address, len));
}

#ifdef _GNU_SOURCE
static inline int tcps_bsd_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    TCPS_BSD_(int, tcps_accept4(fd, address, len, flags), accept4(fd, address, len, flags));
}
#endif

static inline int tcps_bsd_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    TCPS_BSD_(int, tcps_connect(fd, address, len), connect(fd, address, len));
}

static inline int tcps_bsd_shutdown(int fd, int how)
{
    TCPS_BSD_(int, tcps_shutdown(fd, how), shutdown(fd, how));
}

static inline int tcps_bsd_close(int fd)
{
    TCPS_BSD_(int, tcps_close(fd), close(fd));
}

static inline int tcps_bsd_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
    TCPS_BSD_(int, tcps_getsockname(fd, address, len), getsockname(fd, address, len));
}

static inline int tcps_bsd_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
    TCPS_BSD_(int, tcps_getpeername(fd, address, len), getpeername(fd, address, len));
}

static inline ssize_t tcps_bsd_read(int fd, void *data, size_t len)
{
    TCPS_BSD_(ssize_t, tcps_read(fd, data, len), read(fd, data, len));
}

static inline ssize_t tcps_bsd_write(int fd, const void *data, size_t len)
{
    TCPS_BSD_(ssize_t, tcps_write(fd, data, len), write(fd, data, len));
}

static inline ssize_t tcps_bsd_readv(int fd, const struct iovec *buffers, int count)
{
    TCPS_BSD_(ssize_t, tcps_readv(fd, buffers, count), readv(fd, buffers, count));
}

static inline ssize_t tcps_bsd_writev(int fd, const struct iovec *buffers, int count)
{
    TCPS_BSD_(ssize_t, tcps_writev(fd, buffers, count), writev(fd, buffers, count));
}

static inline ssize_t tcps_bsd_send(int fd, const void *data, size_t len, int flags)
{
    TCPS_BSD_(ssize_t, tcps_send(fd, data, len, flags), send(fd, data, len, flags));
}

static inline ssize_t tcps_bsd_recv(int fd, void *data, size_t len, int flags)
{
    TCPS_BSD_(ssize_t, tcps_recv(fd, data, len, flags), recv(fd, data, len, flags));
}

static inline ssize_t tcps_bsd_sendto(int fd, const void *data, size_t len, int flags,
                                      const struct sockaddr *address, socklen_t address_len)
{
    TCPS_BSD_(ssize_t, tcps_sendto(fd, data, len, flags, address, address_len),
              sendto(fd, data, len, flags, address, address_len));
}

static inline ssize_t tcps_bsd_recvfrom(int fd, void *data, size_t len, int flags,
                                        struct sockaddr *address, socklen_t *address_len)
{
    TCPS_BSD_(ssize_t, tcps_recvfrom(fd, data, len, flags, address, address_len),
              recvfrom(fd, data, len, flags, address, address_len));
}

static inline ssize_t tcps_bsd_sendmsg(int fd, const struct msghdr *message, int flags)
{
    TCPS_BSD_(ssize_t, tcps_sendmsg(fd, message, flags), sendmsg(fd, message, flags));
}

static inline ssize_t tcps_bsd_recvmsg(int fd, struct msghdr *message, int flags)
{
    TCPS_BSD_(ssize_t, tcps_recvmsg(fd, message, flags), recvmsg(fd, message, flags));
}

static inline int tcps_bsd_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    TCPS_BSD_(int, tcps_getsockopt(fd, level, name, value, len),
              getsockopt(fd, level, name, value, len));
}

static inline int tcps_bsd_setsockopt(int fd, int level, int name, const void *value,
                                      socklen_t len)
{
    TCPS_BSD_(int, tcps_setsockopt(fd, level, name, value, len),
              setsockopt(fd, level, name, value, len));
}

/* The third argument is an int or a pointer, or missing: only the command tells. */
static inline int tcps_bsd_fcntl(int fd, int cmd, ...)
{
    va_list arguments;
    int number;
    void *pointer;
    switch (cmd) {
    case F_GETFD:
    case F_GETFL:
#ifdef F_GETOWN
    case F_GETOWN:
#endif
        TCPS_BSD_(int, tcps_fcntl(fd, cmd, 0), fcntl(fd, cmd));
    case F_SETFD:
    case F_SETFL:
#ifdef F_SETOWN
    case F_SETOWN:
#endif
    case F_DUPFD:
#ifdef F_DUPFD_CLOEXEC
    case F_DUPFD_CLOEXEC:
#endif
        va_start(arguments, cmd);
        number = va_arg(arguments, int);
        va_end(arguments);
        TCPS_BSD_(int, tcps_fcntl(fd, cmd, number), fcntl(fd, cmd, number));
    default:
        va_start(arguments, cmd);
        pointer = va_arg(arguments, void *);
        va_end(arguments);
        return fcntl(fd, cmd, pointer);
    }
}

static inline int tcps_bsd_ioctl(int fd, unsigned long request, void *argument)
{
    TCPS_BSD_(int, tcps_ioctl(fd, request, argument), ioctl(fd, request, argument));
}

#undef TCPS_BSD_

/* The event stream names the line of each call (C only: a member of a C++ class may have such a name, and be
 * declared by it). */
#ifdef __cplusplus
#define TCPS_BSD_FROM_(call) call
#else
#define TCPS_BSD_FROM_(call) (tcps_source_line(__FILE__, __LINE__), call)
#endif

#define socket(domain, type, protocol) TCPS_BSD_FROM_(tcps_bsd_socket(domain, type, protocol))
#define bind(fd, address, len) TCPS_BSD_FROM_(tcps_bsd_bind(fd, address, len))
#define listen(fd, backlog) TCPS_BSD_FROM_(tcps_bsd_listen(fd, backlog))
#define accept(fd, address, len) TCPS_BSD_FROM_(tcps_bsd_accept(fd, address, len))
#ifdef _GNU_SOURCE
#define accept4(fd, address, len, flags) TCPS_BSD_FROM_(tcps_bsd_accept4(fd, address, len, flags))
#endif
#define connect(fd, address, len) TCPS_BSD_FROM_(tcps_bsd_connect(fd, address, len))
#define shutdown(fd, how) TCPS_BSD_FROM_(tcps_bsd_shutdown(fd, how))
#define close(fd) TCPS_BSD_FROM_(tcps_bsd_close(fd))
#define getsockname(fd, address, len) tcps_bsd_getsockname(fd, address, len)
#define getpeername(fd, address, len) tcps_bsd_getpeername(fd, address, len)
#define read(fd, data, len) TCPS_BSD_FROM_(tcps_bsd_read(fd, data, len))
#define write(fd, data, len) TCPS_BSD_FROM_(tcps_bsd_write(fd, data, len))
#define readv(fd, buffers, count) TCPS_BSD_FROM_(tcps_bsd_readv(fd, buffers, count))
#define writev(fd, buffers, count) TCPS_BSD_FROM_(tcps_bsd_writev(fd, buffers, count))
#define send(fd, data, len, flags) TCPS_BSD_FROM_(tcps_bsd_send(fd, data, len, flags))
#define recv(fd, data, len, flags) TCPS_BSD_FROM_(tcps_bsd_recv(fd, data, len, flags))
#define sendto(fd, data, len, flags, address, address_len) \
    TCPS_BSD_FROM_(tcps_bsd_sendto(fd, data, len, flags, address, address_len))
#define recvfrom(fd, data, len, flags, address, address_len) \
    TCPS_BSD_FROM_(tcps_bsd_recvfrom(fd, data, len, flags, address, address_len))
#define sendmsg(fd, message, flags) TCPS_BSD_FROM_(tcps_bsd_sendmsg(fd, message, flags))
#define recvmsg(fd, message, flags) TCPS_BSD_FROM_(tcps_bsd_recvmsg(fd, message, flags))
#define getsockopt(fd, level, name, value, len) tcps_bsd_getsockopt(fd, level, name, value, len)
#define setsockopt(fd, level, name, value, len) tcps_bsd_setsockopt(fd, level, name, value, len)
#define fcntl(...) tcps_bsd_fcntl(__VA_ARGS__)
#define ioctl(fd, request, argument) tcps_bsd_ioctl(fd, request, argument)

#endif /* TCPSTACK_BSD_H */
