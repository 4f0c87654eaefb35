/* What goes wrong, and the errno that says so. */
#include "peers.h"

#include <signal.h>

enum { NOT_OPEN = 9999 };

static char buffer[64];
static struct sockaddr_in address;
static socklen_t len = sizeof address;
static struct iovec vector = {buffer, sizeof buffer};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static int number;
static socklen_t number_len = sizeof number;

/* Every call that takes a descriptor refuses this one with `expected`. */
static void every_call_refuses(int fd, int expected)
{
    struct sockaddr *any = (struct sockaddr *)&address;
    address = ipv4("10.9.0.1", 80);
    CHECK_FAILS(tcps_bind(fd, any, len), expected);
    CHECK_FAILS(tcps_listen(fd, 1), expected);
    CHECK_FAILS(tcps_accept(fd, any, &len), expected);
    CHECK_FAILS(tcps_accept4(fd, any, &len, SOCK_CLOEXEC), expected);
    CHECK_FAILS(tcps_connect(fd, any, len), expected);
    CHECK_FAILS(tcps_shutdown(fd, SHUT_WR), expected);
    CHECK_FAILS(tcps_getsockname(fd, any, &len), expected);
    CHECK_FAILS(tcps_getpeername(fd, any, &len), expected);
    CHECK_FAILS(tcps_read(fd, buffer, 1), expected);
    CHECK_FAILS(tcps_write(fd, buffer, 1), expected);
    CHECK_FAILS(tcps_readv(fd, &vector, 1), expected);
    CHECK_FAILS(tcps_writev(fd, &vector, 1), expected);
    CHECK_FAILS(tcps_send(fd, buffer, 1, 0), expected);
    CHECK_FAILS(tcps_recv(fd, buffer, 1, 0), expected);
    CHECK_FAILS(tcps_sendto(fd, buffer, 1, 0, NULL, 0), expected);
    CHECK_FAILS(tcps_recvfrom(fd, buffer, 1, 0, NULL, NULL), expected);
    CHECK_FAILS(tcps_sendmsg(fd, &message, 0), expected);
    CHECK_FAILS(tcps_recvmsg(fd, &message, 0), expected);
    CHECK_FAILS(tcps_getsockopt(fd, SOL_SOCKET, SO_TYPE, &number, &number_len), expected);
    CHECK_FAILS(tcps_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &number, sizeof number), expected);
    CHECK_FAILS(tcps_ioctl(fd, FIONREAD, &number), expected);
}

static void a_descriptor_that_is_not_open_is_ebadf(void)
{
    every_call_refuses(-1, EBADF);
    every_call_refuses(NOT_OPEN, EBADF);
    CHECK_FAILS(tcps_fcntl(NOT_OPEN, F_GETFL, 0), EBADF);
    CHECK_FAILS(tcps_close(NOT_OPEN), EBADF);
    int fd = CHECK_OK(ours.socket(CLIENT, 0));
    CHECK_OK(tcps_close(fd));
    CHECK_FAILS(tcps_close(fd), EBADF);
}

static void a_descriptor_of_somebody_else_is_enotsock(void)
{
    int pipes[2];
    CHECK_OK(pipe(pipes));
    int kernel_socket = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
    int others[] = {pipes[0], pipes[1], kernel_socket};
    for (size_t at = 0; at < 3; at++) {
        every_call_refuses(others[at], ENOTSOCK);
        CHECK_FAILS(tcps_fcntl(others[at], F_GETFL, 0), ENOTSOCK);
        CHECK_FAILS(tcps_close(others[at]), ENOTSOCK);
        CHECK_OK(fcntl(others[at], F_GETFD)); /* and it is still open */
        CHECK_OK(close(others[at]));
    }
}

static void null_is_efault(void)
{
    int fd = CHECK_OK(ours.socket(CLIENT, 0));
    tcps_stack *stack = stacks[CLIENT];
    CHECK(tcps_stack_open(NULL) == NULL && errno == EFAULT);
    CHECK_FAILS(tcps_stack_close(NULL), EFAULT);
    CHECK_FAILS(tcps_stack_socket(NULL, AF_INET, SOCK_STREAM, 0), EFAULT);
    CHECK_FAILS(tcps_stack_sysctl_set(stack, NULL, "1"), EFAULT);
    CHECK_FAILS(tcps_stack_sysctl_set(stack, "tcp_sigpipe", NULL), EFAULT);
    CHECK_FAILS(tcps_stack_sysctl_get(stack, NULL, buffer, 1), EFAULT);
    CHECK_FAILS(tcps_stack_sysctl_get(stack, "tcp_sigpipe", NULL, 1), EFAULT);
    CHECK_FAILS(tcps_stack_connections(stack, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_stack_input(stack, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_stack_output(stack, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_bind(fd, NULL, sizeof address), EFAULT);
    CHECK_FAILS(tcps_connect(fd, NULL, sizeof address), EFAULT);
    CHECK_FAILS(tcps_accept(fd, (struct sockaddr *)&address, NULL), EFAULT);
    CHECK_FAILS(tcps_getsockname(fd, NULL, &len), EFAULT);
    CHECK_FAILS(tcps_getsockname(fd, (struct sockaddr *)&address, NULL), EFAULT);
    CHECK_FAILS(tcps_read(fd, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_write(fd, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_readv(fd, NULL, 1), EFAULT);
    CHECK_FAILS(tcps_sendmsg(fd, NULL, 0), EFAULT);
    CHECK_FAILS(tcps_recvmsg(fd, NULL, 0), EFAULT);
    CHECK_FAILS(tcps_getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &number_len), EFAULT);
    CHECK_FAILS(tcps_getsockopt(fd, SOL_SOCKET, SO_TYPE, &number, NULL), EFAULT);
    CHECK_FAILS(tcps_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof number), EFAULT);
    CHECK_FAILS(tcps_ioctl(fd, FIONBIO, NULL), EFAULT);
    CHECK_FAILS(tcps_poll(NULL, 1, 0), EFAULT);
    CHECK_OK(tcps_close(fd));
}

static void a_wrong_url_names_the_key(void)
{
    const char *urls[][2] = {
        {"carrier-pigeon:?addr=10.9.0.3/24", "carrier-pigeon"},
        {"unix:/tmp?addr=10.9.0.300/24", "addr"},
        {"unix:/tmp?adress=10.9.0.3/24", "adress"},
        {"unix:/tmp?addr=10.9.0.3/24&loss=many", "loss"},
        {"unix:/tmp?addr=10.9.0.3/24&tcp_msl_ms=soon", "tcp_msl_ms"},
    };
    for (size_t at = 0; at < sizeof urls / sizeof *urls; at++) {
        CHECK(tcps_stack_open(urls[at][0]) == NULL);
        CHECK_EQ(errno, EINVAL);
        CHECK(strstr(tcps_last_error(), "tcps_stack_open: ") == tcps_last_error());
        CHECK(strstr(tcps_last_error(), urls[at][1]) != NULL);
    }
}

static void a_closed_stack_is_ebadf(void)
{
    tcps_stack *stack = open_host("10.9.0.3");
    int fd = CHECK_OK(tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0));
    CHECK_OK(tcps_stack_close(stack));
    CHECK_FAILS(tcps_stack_close(stack), EBADF);
    CHECK_FAILS(tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0), EBADF);
    CHECK_FAILS(tcps_stack_connections(stack, NULL, 0), EBADF);
    CHECK_FAILS(tcps_stack_close((tcps_stack *)&address), EBADF);
    address = ipv4("10.9.0.2", 80);
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EBADF);
    CHECK_FAILS(tcps_listen(fd, 1), EBADF);
    CHECK_OK(tcps_close(fd));
}

static void an_address_in_use_is_eaddrinuse(void)
{
    struct sockaddr_in at;
    struct sockaddr *taken = (struct sockaddr *)&at;
    int listener = listen_anywhere(&ours, 0, &at);
    int second = CHECK_OK(ours.socket(SERVER, 0));
    CHECK_FAILS(tcps_bind(second, taken, sizeof at), EADDRINUSE);
    at.sin_port = 0;
    CHECK_OK(tcps_bind(second, taken, sizeof at));
    CHECK_FAILS(tcps_bind(second, taken, sizeof at), EINVAL); /* it has one */
    CHECK_OK(tcps_close(second));
    CHECK_OK(tcps_close(listener));

    char url[256];
    snprintf(url, sizeof url, "unix:%s?addr=10.9.0.1/24", getenv("TCPS_TEST_DIR"));
    CHECK(tcps_stack_open(url) == NULL);
    CHECK_EQ(errno, EADDRINUSE);
}

/* Does `story` on a new socket of either, and finds the same errno. */
static void the_same_errno(const char *title, int (*attempt)(const Sides *, int fd), int expected)
{
    const Sides *both[] = {&kernels, &ours};
    for (int at = 0; at < 2; at++) {
        fprintf(stderr, "%s: %s\n", both[at]->name, title);
        int fd = CHECK_OK(both[at]->socket(CLIENT, 0));
        CHECK_FAILS(attempt(both[at], fd), expected);
        CHECK_OK(both[at]->close(fd));
    }
}

static int connect_to(const Sides *on, int fd, const char *to, int port)
{
    struct sockaddr_in at = ipv4(to, port);
    return on->connect(fd, (struct sockaddr *)&at, sizeof at);
}

static int connect_to_nobody(const Sides *on, int fd)
{
    return connect_to(on, fd, on->server_address, 1);
}

static int connect_to_another_family(const Sides *on, int fd)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = 1};
    return on->connect(fd, (struct sockaddr *)&at, sizeof at);
}

static int bind_to_a_short_address(const Sides *on, int fd)
{
    struct sockaddr_in at = ipv4(on->server_address, 0);
    return on->bind(fd, (struct sockaddr *)&at, sizeof at - 1);
}

static int bind_to_a_long_address(const Sides *on, int fd)
{
    struct sockaddr_storage at[2] = {{.ss_family = AF_INET}};
    return on->bind(fd, (struct sockaddr *)at, sizeof at);
}

static int bind_to_a_foreign_address(const Sides *on, int fd)
{
    struct sockaddr_in at = ipv4("192.0.2.1", 0);
    return on->bind(fd, (struct sockaddr *)&at, sizeof at);
}

static int accept_without_listen(const Sides *on, int fd)
{
    return on->accept(fd, NULL, NULL);
}

static int recv_unconnected(const Sides *on, int fd)
{
    char byte;
    return (int)on->recv(fd, &byte, 1, 0);
}

static int send_unconnected(const Sides *on, int fd)
{
    return (int)on->send(fd, "x", 1, MSG_NOSIGNAL);
}

static int shutdown_unconnected(const Sides *on, int fd)
{
    return on->shutdown(fd, SHUT_WR);
}

static int getpeername_unconnected(const Sides *on, int fd)
{
    struct sockaddr_in at;
    socklen_t at_len = sizeof at;
    return on->getpeername(fd, (struct sockaddr *)&at, &at_len);
}

static int connect_a_listener(const Sides *on, int fd)
{
    CHECK_OK(on->listen(fd, 1));
    return connect_to(on, fd, on->server_address, 1);
}

static int fionread_of_a_listener(const Sides *on, int fd)
{
    int count;
    CHECK_OK(on->listen(fd, 1));
    return on->ioctl(fd, FIONREAD, &count);
}

static void errno_is_what_linux_gives(void)
{
    the_same_errno("connect to a closed port", connect_to_nobody, ECONNREFUSED);
    the_same_errno("connect to another family", connect_to_another_family, EAFNOSUPPORT);
    the_same_errno("bind to a short address", bind_to_a_short_address, EINVAL);
    the_same_errno("bind to a long address", bind_to_a_long_address, EINVAL);
    the_same_errno("bind to a foreign address", bind_to_a_foreign_address, EADDRNOTAVAIL);
    the_same_errno("accept without listen", accept_without_listen, EINVAL);
    the_same_errno("recv unconnected", recv_unconnected, ENOTCONN);
    the_same_errno("send unconnected", send_unconnected, EPIPE);
    the_same_errno("shutdown unconnected", shutdown_unconnected, ENOTCONN);
    the_same_errno("getpeername unconnected", getpeername_unconnected, ENOTCONN);
    the_same_errno("connect a listener", connect_a_listener, EISCONN);
    the_same_errno("FIONREAD of a listener", fionread_of_a_listener, EINVAL);
}

static void a_host_that_is_not_there_is_ehostunreach(void)
{
    int fd = CHECK_OK(ours.socket(CLIENT, 0));
    CHECK_FAILS(connect_to(&ours, fd, "10.9.0.77", 80), EHOSTUNREACH);
    CHECK_OK(tcps_close(fd));
}

static void a_wrong_socket_is_refused(void)
{
    tcps_stack *stack = stacks[CLIENT];
    const int wrong[][3] = {
        {AF_UNIX, SOCK_STREAM, 0},       {9999, SOCK_STREAM, 0},
        {-1, SOCK_STREAM, 0},            {AF_INET, SOCK_DGRAM, 0},
        {AF_INET, 12, 0},                {AF_INET, SOCK_STREAM, IPPROTO_UDP},
        {AF_INET, SOCK_STREAM, -1},      {AF_INET, SOCK_STREAM | 0x40000000, 0},
    };
    const int expected[] = {EAFNOSUPPORT, EAFNOSUPPORT,    EAFNOSUPPORT, ESOCKTNOSUPPORT,
                            EINVAL,       EPROTONOSUPPORT, EINVAL,       EINVAL};
    for (size_t at = 0; at < sizeof expected / sizeof *expected; at++) {
        CHECK_FAILS(tcps_stack_socket(stack, wrong[at][0], wrong[at][1], wrong[at][2]),
                    expected[at]);
    }
}

static void a_wrong_argument_is_refused(void)
{
    struct iovec many[1025] = {{NULL, 0}};
    struct msghdr too_many = {.msg_iov = many, .msg_iovlen = 1025};
    struct iovec nowhere = {NULL, 1};
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr with_control = {.msg_control = control, .msg_controllen = sizeof control};
    Connection connection = establish(&ours);
    int fd = connection.client;
    CHECK_FAILS(tcps_recv(fd, buffer, 1, MSG_OOB), EINVAL);
    CHECK_FAILS(tcps_send(fd, buffer, 1, MSG_FASTOPEN), EDESTADDRREQ);
    CHECK_FAILS(tcps_readv(fd, many, 1025), EINVAL);
    CHECK_FAILS(tcps_writev(fd, many, -1), EINVAL);
    CHECK_FAILS(tcps_writev(fd, &nowhere, 1), EFAULT);
    CHECK_FAILS(tcps_sendmsg(fd, &too_many, 0), EMSGSIZE);
    CHECK_FAILS(tcps_sendmsg(fd, &with_control, 0), EINVAL);
    CHECK_FAILS(tcps_shutdown(fd, 3), EINVAL);
    CHECK_FAILS(tcps_accept4(fd, NULL, NULL, 1), EINVAL);
    CHECK_FAILS(tcps_fcntl(fd, F_GETLK, 0), EINVAL);
    CHECK_FAILS(tcps_ioctl(fd, 0xdead, &number), ENOTTY);
    CHECK_FAILS(connect_to(&ours, fd, "10.9.0.2", 80), EISCONN);
    CHECK_OK(tcps_close(connection.client));
    CHECK_OK(tcps_close(connection.server));
}

static void knobs_are_read_and_set_by_name(void)
{
    tcps_stack *stack = stacks[CLIENT];
    char value[64];
    CHECK_OK(tcps_stack_sysctl_set(stack, "tcp_sigpipe", "0"));
    CHECK_EQ(tcps_stack_sysctl_get(stack, "tcp_sigpipe", value, sizeof value), 1);
    CHECK(strcmp(value, "0") == 0);
    CHECK_OK(tcps_stack_sysctl_set(stack, "tcp_sigpipe", "1"));
    CHECK_FAILS(tcps_stack_sysctl_get(stack, "tcp_sigpipe", value, 1), ERANGE);
    CHECK_FAILS(tcps_stack_sysctl_get(stack, "tcp_nonsense", value, sizeof value), ENOENT);
    CHECK_FAILS(tcps_stack_sysctl_set(stack, "tcp_nonsense", "1"), ENOENT);
    CHECK(strstr(tcps_last_error(), "tcp_nonsense") != NULL);
    CHECK_FAILS(tcps_stack_sysctl_set(stack, "tcp_sigpipe", "perhaps"), EINVAL);
    CHECK(strstr(tcps_last_error(), "tcp_sigpipe") != NULL);
    CHECK(tcps_state_name(99) == NULL && errno == EINVAL);
}

int main(void)
{
    open_hosts();
    a_descriptor_that_is_not_open_is_ebadf();
    a_descriptor_of_somebody_else_is_enotsock();
    null_is_efault();
    a_wrong_url_names_the_key();
    a_closed_stack_is_ebadf();
    an_address_in_use_is_eaddrinuse();
    errno_is_what_linux_gives();
    a_host_that_is_not_there_is_ehostunreach();
    a_wrong_socket_is_refused();
    a_wrong_argument_is_refused();
    knobs_are_read_and_set_by_name();
    close_hosts();
    return 0;
}
