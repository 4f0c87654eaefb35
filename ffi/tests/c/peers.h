/* Two sides of a connection, either on two hosts of this library or on the kernel's own TCP.
 *
 * A story told with `sides` runs on both, so that the kernel says whether what the test expects is
 * what Linux does. */
#ifndef PEERS_H
#define PEERS_H

#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { CLIENT, SERVER };

typedef struct {
    const char *name;
    const char *server_address;
    int (*socket)(int side, int flags);
    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*listen)(int, int);
    int (*accept)(int, struct sockaddr *, socklen_t *);
    int (*connect)(int, const struct sockaddr *, socklen_t);
    int (*shutdown)(int, int);
    int (*close)(int);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*recv)(int, void *, size_t, int);
    int (*getsockname)(int, struct sockaddr *, socklen_t *);
    int (*getpeername)(int, struct sockaddr *, socklen_t *);
    int (*getsockopt)(int, int, int, void *, socklen_t *);
    int (*setsockopt)(int, int, int, const void *, socklen_t);
    int (*ioctl)(int, unsigned long, void *);
} Sides;

/* ---- this library: two hosts in a directory of the test's own ---- */

static tcps_stack *stacks[2];

static inline tcps_stack *open_host(const char *address)
{
    char url[256];
    const char *directory = getenv("TCPS_TEST_DIR");
    CHECK(directory != NULL);
    snprintf(url, sizeof url, "unix:%s?addr=%s/24&tcp_msl_ms=500", directory, address);
    tcps_stack *stack = tcps_stack_open(url);
    CHECK(stack != NULL);
    return stack;
}

static inline void open_hosts(void)
{
    stacks[CLIENT] = open_host("10.9.0.1");
    stacks[SERVER] = open_host("10.9.0.2");
}

static inline void close_hosts(void)
{
    CHECK_OK(tcps_stack_close(stacks[CLIENT]));
    CHECK_OK(tcps_stack_close(stacks[SERVER]));
}

static inline int ours_socket(int side, int flags)
{
    return tcps_stack_socket(stacks[side], AF_INET, SOCK_STREAM | flags, 0);
}

static const Sides ours = {
    "the stack", "10.9.0.2", ours_socket, tcps_bind, tcps_listen, tcps_accept, tcps_connect,
    tcps_shutdown, tcps_close, tcps_send, tcps_recv, tcps_getsockname, tcps_getpeername,
    tcps_getsockopt, tcps_setsockopt, tcps_ioctl,
};

/* ---- the kernel ---- */

static inline int kernels_socket(int side, int flags)
{
    (void)side;
    return socket(AF_INET, SOCK_STREAM | flags, 0);
}

static inline int kernels_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

static const Sides kernels = {
    "the kernel", "127.0.0.1", kernels_socket, bind, listen, accept, connect, shutdown, close, send,
    recv, getsockname, getpeername, getsockopt, setsockopt, kernels_ioctl,
};

/* Tells a story on the kernel and then on two hosts of this library. */
static inline void tell(const char *title, void (*story)(const Sides *))
{
    fprintf(stderr, "%s: %s\n", kernels.name, title);
    story(&kernels);
    fprintf(stderr, "%s: %s\n", ours.name, title);
    story(&ours);
}

/* ---- what every story begins with ---- */

static inline struct sockaddr_in ipv4(const char *address, int port)
{
    struct sockaddr_in out;
    memset(&out, 0, sizeof out);
    out.sin_family = AF_INET;
    out.sin_port = htons((uint16_t)port);
    CHECK_EQ(inet_pton(AF_INET, address, &out.sin_addr), 1);
    return out;
}

/* A listening socket on a port of the stack's choice; its address goes to *address. */
static inline int listen_anywhere(const Sides *on, int flags, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int listener = CHECK_OK(on->socket(SERVER, flags));
    *address = ipv4(on->server_address, 0);
    CHECK_OK(on->bind(listener, (struct sockaddr *)address, sizeof *address));
    CHECK_OK(on->listen(listener, 8));
    CHECK_OK(on->getsockname(listener, (struct sockaddr *)address, &len));
    CHECK_EQ(len, sizeof *address);
    CHECK(address->sin_port != 0);
    return listener;
}

typedef struct {
    int client;
    int server;
    struct sockaddr_in address;
} Connection;

/* An established connection; the listener is gone. */
static inline Connection establish(const Sides *on)
{
    Connection connection;
    int listener = listen_anywhere(on, 0, &connection.address);
    connection.client = CHECK_OK(on->socket(CLIENT, 0));
    CHECK_OK(on->connect(connection.client, (struct sockaddr *)&connection.address,
                         sizeof connection.address));
    connection.server = CHECK_OK(on->accept(listener, NULL, NULL));
    CHECK_OK(on->close(listener));
    return connection;
}

static inline void say(const Sides *on, int fd, const char *text)
{
    CHECK_EQ(on->send(fd, text, strlen(text), 0), strlen(text));
}

static inline void hear(const Sides *on, int fd, const char *text)
{
    char data[256];
    CHECK(strlen(text) < sizeof data);
    CHECK_EQ(on->recv(fd, data, strlen(text), MSG_WAITALL), strlen(text));
    CHECK(memcmp(data, text, strlen(text)) == 0);
}

static inline void hear_end(const Sides *on, int fd)
{
    char byte;
    CHECK_EQ(on->recv(fd, &byte, 1, 0), 0);
}

/* What poll shows of all that it can show. */
static inline int mask_of(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
    CHECK_OK(poll(&entry, 1, 0));
    return entry.revents;
}

/* Waits until poll shows exactly `mask`: what the peer did takes its way through the network. */
static inline void await_mask(int fd, int mask)
{
    struct pollfd nothing;
    for (int waited_ms = 0; mask_of(fd) != mask; waited_ms++) {
        if (waited_ms > 10000) {
            fprintf(stderr, "poll shows %#x, should come to %#x\n", (unsigned)mask_of(fd),
                    (unsigned)mask);
            exit(1);
        }
        poll(&nothing, 0, 1);
    }
}

/* The state of a stack's connection from or to a port (network order); TCPS_CLOSE for none. */
static inline int state_of(tcps_stack *stack, in_port_t port)
{
    tcps_connection list[64];
    int count = CHECK_OK(tcps_stack_connections(stack, list, 64));
    for (int at = 0; at < count && at < 64; at++) {
        struct sockaddr_in local, remote;
        memcpy(&local, &list[at].local, sizeof local);
        memcpy(&remote, &list[at].remote, sizeof remote);
        int is_pair = remote.sin_family == AF_INET;
        if (is_pair && (local.sin_port == port || remote.sin_port == port)) return list[at].state;
    }
    return TCPS_CLOSE;
}

static inline void await_state(tcps_stack *stack, in_port_t port, int state)
{
    struct pollfd nothing;
    for (int waited_ms = 0; state_of(stack, port) != state; waited_ms++) {
        if (waited_ms > 10000) {
            fprintf(stderr, "the state is %s, should come to %s\n",
                    tcps_state_name(state_of(stack, port)), tcps_state_name(state));
            exit(1);
        }
        poll(&nothing, 0, 1);
    }
}

#endif
