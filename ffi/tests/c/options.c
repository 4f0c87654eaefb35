/* Socket options: in as they come out, and the same on the kernel. */
#include "peers.h"

#include <sys/time.h>

static int get_int(const Sides *on, int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    CHECK_OK(on->getsockopt(fd, level, name, &value, &len));
    CHECK_EQ(len, sizeof value);
    return value;
}

static void set_int(const Sides *on, int fd, int level, int name, int value)
{
    CHECK_OK(on->setsockopt(fd, level, name, &value, sizeof value));
}

static void a_socket_tells_what_it_is(const Sides *on)
{
    struct sockaddr_in address;
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    int listener = listen_anywhere(on, 0, &address);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(get_int(on, listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_OK(on->close(fd));
    CHECK_OK(on->close(listener));
}

static void a_switch_is_off_on_and_off_again(const Sides *on)
{
    const int switches[][2] = {
        {SOL_SOCKET, SO_REUSEADDR}, {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_KEEPALIVE},
        {SOL_SOCKET, SO_OOBINLINE}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CORK}};
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    for (size_t at = 0; at < sizeof switches / sizeof *switches; at++) {
        int level = switches[at][0], name = switches[at][1];
        CHECK_EQ(get_int(on, fd, level, name), 0);
        set_int(on, fd, level, name, 1);
        CHECK_EQ(get_int(on, fd, level, name), 1);
        set_int(on, fd, level, name, 0);
        CHECK_EQ(get_int(on, fd, level, name), 0);
    }
    CHECK_OK(on->close(fd));
}

static void a_buffer_is_twice_what_was_asked_for(const Sides *on)
{
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    set_int(on, fd, SOL_SOCKET, SO_SNDBUF, 20000);
    set_int(on, fd, SOL_SOCKET, SO_RCVBUF, 30000);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_SNDBUF), 40000);
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_RCVBUF), 60000);
    CHECK_OK(on->close(fd));
}

static void linger_comes_back_as_it_was_set(const Sides *on)
{
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    struct linger set = {.l_onoff = 1, .l_linger = 7}, got = {-1, -1};
    socklen_t len = sizeof got;
    CHECK_OK(on->getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
    CHECK(got.l_onoff == 0 && len == sizeof got);
    CHECK_OK(on->setsockopt(fd, SOL_SOCKET, SO_LINGER, &set, sizeof set));
    CHECK_OK(on->getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
    CHECK(got.l_onoff == 1 && got.l_linger == 7);
    CHECK_FAILS(on->setsockopt(fd, SOL_SOCKET, SO_LINGER, &set, sizeof set - 1), EINVAL);
    CHECK_OK(on->close(fd));
}

static void a_timeout_ends_recv_and_accept(const Sides *on)
{
    struct timeval set = {.tv_sec = 0, .tv_usec = 50000}, got;
    struct timeval wrong = {.tv_sec = 0, .tv_usec = 1000000};
    struct sockaddr_in address;
    socklen_t len = sizeof got;
    char byte;
    Connection connection = establish(on);
    int fd = connection.client;
    CHECK_OK(on->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &set, sizeof set));
    CHECK_OK(on->getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
    /* The kernel rounds to its ticks. */
    CHECK(len == sizeof got && got.tv_sec == 0 && got.tv_usec >= 50000 && got.tv_usec < 60000);
    CHECK_FAILS(on->recv(fd, &byte, 1, 0), EAGAIN);
    CHECK_FAILS(on->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong), EDOM);
    CHECK_FAILS(on->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &set, 1), EINVAL);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));

    int listener = listen_anywhere(on, 0, &address);
    CHECK_OK(on->setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &set, sizeof set));
    CHECK_FAILS(on->accept(listener, NULL, NULL), EAGAIN);
    CHECK_OK(on->close(listener));
}

static void a_timeout_ends_send(const Sides *on)
{
    static char data[1 << 20];
    struct timeval set = {.tv_sec = 0, .tv_usec = 50000};
    Connection connection = establish(on);
    ssize_t count;
    set_int(on, connection.client, SOL_SOCKET, SO_SNDBUF, 20000);
    CHECK_OK(on->setsockopt(connection.client, SOL_SOCKET, SO_SNDTIMEO, &set, sizeof set));
    /* What found a place is told first, and EAGAIN when nothing more does. */
    while ((count = on->send(connection.client, data, sizeof data, 0)) > 0) {}
    CHECK_FAILS(count, EAGAIN);
    CHECK_OK(on->close(connection.server));
    CHECK_OK(on->close(connection.client));
}

static void a_reused_address_is_free_in_time_wait(const Sides *on)
{
    struct sockaddr_in address;
    int listener = listen_anywhere(on, 0, &address);
    int client = CHECK_OK(on->socket(CLIENT, 0));
    set_int(on, listener, SOL_SOCKET, SO_REUSEADDR, 1); /* both must be willing */
    CHECK_OK(on->connect(client, (struct sockaddr *)&address, sizeof address));
    int server = CHECK_OK(on->accept(listener, NULL, NULL));
    CHECK_OK(on->close(listener));
    /* The server closes first: its address stays with the connection in TIME_WAIT. */
    CHECK_OK(on->close(server));
    hear_end(on, client);
    CHECK_OK(on->close(client));

    int again = CHECK_OK(on->socket(SERVER, 0));
    CHECK_FAILS(on->bind(again, (struct sockaddr *)&address, sizeof address), EADDRINUSE);
    set_int(on, again, SOL_SOCKET, SO_REUSEADDR, 1);
    CHECK_OK(on->bind(again, (struct sockaddr *)&address, sizeof address));
    CHECK_OK(on->listen(again, 1));
    CHECK_OK(on->close(again));
}

static void a_refused_connect_waits_in_so_error(const Sides *on)
{
    struct sockaddr_in address = ipv4(on->server_address, 1);
    int fd = CHECK_OK(on->socket(CLIENT, SOCK_NONBLOCK));
    int result = on->connect(fd, (struct sockaddr *)&address, sizeof address);
    /* Inside one kernel the RST may be there before connect returns. */
    CHECK(result == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED));
    if (errno == EINPROGRESS) {
        struct pollfd entry = {.fd = fd, .events = POLLOUT};
        CHECK_EQ(poll(&entry, 1, 5000), 1);
        CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    }
    CHECK_EQ(get_int(on, fd, SOL_SOCKET, SO_ERROR), 0); /* told once */
    CHECK_OK(on->close(fd));
}

static void a_small_place_gets_a_part_of_the_value(const Sides *on)
{
    unsigned char part[4] = {0xff, 0xff, 0xff, 0xff};
    socklen_t len = 1;
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    CHECK_OK(on->getsockopt(fd, SOL_SOCKET, SO_TYPE, part, &len));
    CHECK(len == 1 && part[0] == SOCK_STREAM && part[1] == 0xff);
    if (on == &ours) { /* valgrind holds this one against a caller of the kernel */
        len = (socklen_t)-1;
        CHECK_FAILS(on->getsockopt(fd, SOL_SOCKET, SO_TYPE, part, &len), EINVAL);
    }
    CHECK_FAILS(on->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, part, 3), EINVAL);
    CHECK_OK(on->close(fd));
}

static void what_can_only_be_read_is_not_set(const Sides *on)
{
    const int names[] = {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_ERROR, 9999};
    int fd = CHECK_OK(on->socket(CLIENT, 0)), one = 1;
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        CHECK_FAILS(on->setsockopt(fd, SOL_SOCKET, names[at], &one, sizeof one), ENOPROTOOPT);
    }
    CHECK_FAILS(on->setsockopt(fd, IPPROTO_TCP, 9999, &one, sizeof one), ENOPROTOOPT);
    CHECK_OK(on->close(fd));
}

/* ---- every option, with every kind of value, on both ---- */

typedef struct {
    int level;
    int name;
    const char *text;
} Option;

#define OPTION(level, name) {level, name, #name}
static const Option every[] = {
    OPTION(SOL_SOCKET, SO_REUSEADDR),      OPTION(SOL_SOCKET, SO_REUSEPORT),
    OPTION(SOL_SOCKET, SO_RCVLOWAT),       OPTION(SOL_SOCKET, SO_SNDLOWAT),
    OPTION(SOL_SOCKET, SO_LINGER),         OPTION(SOL_SOCKET, SO_KEEPALIVE),
    OPTION(SOL_SOCKET, SO_OOBINLINE),      OPTION(SOL_SOCKET, SO_RCVTIMEO),
    OPTION(SOL_SOCKET, SO_SNDTIMEO),       OPTION(SOL_SOCKET, SO_MAX_PACING_RATE),
    OPTION(SOL_SOCKET, SO_TYPE),           OPTION(SOL_SOCKET, SO_DOMAIN),
    OPTION(SOL_SOCKET, SO_PROTOCOL),       OPTION(SOL_SOCKET, SO_ACCEPTCONN),
    OPTION(SOL_SOCKET, SO_ERROR),          OPTION(SOL_SOCKET, 9999),
    OPTION(IPPROTO_TCP, TCP_NODELAY),      OPTION(IPPROTO_TCP, TCP_MAXSEG),
    OPTION(IPPROTO_TCP, TCP_CORK),         OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL),    OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    OPTION(IPPROTO_TCP, TCP_SYNCNT),       OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
    OPTION(IPPROTO_TCP, TCP_LINGER2),      OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT),
    OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP), OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN),     OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    OPTION(IPPROTO_TCP, TCP_INQ),          OPTION(IPPROTO_TCP, 9999),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY),     OPTION(9999, 1),
};

/* What a set, and the get behind it, give: one line that both must have in common. */
static void set_and_get(const Sides *on, int fd, const Option *option, const void *value,
                        socklen_t len, char *line, size_t size)
{
    unsigned char got[32] = {0};
    socklen_t got_len = sizeof got;
    int set = on->setsockopt(fd, option->level, option->name, value, len) ? errno : 0;
    int get = on->getsockopt(fd, option->level, option->name, got, &got_len) ? errno : 0;
    int at = snprintf(line, size, "%s len %u: set %d, get %d:", option->text, (unsigned)len, set, get);
    for (socklen_t byte = 0; get == 0 && byte < got_len; byte++) {
        at += snprintf(line + at, size - (size_t)at, " %02x", got[byte]);
    }
}

static void every_option_answers_as_the_kernels(void)
{
    static const int numbers[] = {0, 1, 2, -1, 5, 87, 88, 128, 255, 256, 1000, 32767, 32768, 100000};
    int wrong = 0;
    for (size_t at = 0; at < sizeof every / sizeof *every; at++) {
        for (size_t which = 0; which < sizeof numbers / sizeof *numbers; which++) {
            for (socklen_t len = 3; len <= 16; len += len == 4 ? 4 : len == 3 ? 1 : 8) {
                /* A second int of 0, as for a linger or a time. */
                int value[4] = {numbers[which], 0, 0, 0};
                /* Cut to the greatest buffer, and to the kernel's greatest number of ticks. */
                int is_cut = every[at].name == SO_RCVLOWAT || every[at].name == SO_LINGER;
                if (every[at].level == SOL_SOCKET && is_cut && value[0] < 0) continue;
                char theirs[160], our[160];
                int kernel = CHECK_OK(kernels.socket(CLIENT, 0));
                int fd = CHECK_OK(ours.socket(CLIENT, 0));
                if (value[0] < 0 && len >= 8) value[1] = -1; /* a long of -1 */
                set_and_get(&kernels, kernel, &every[at], value, len, theirs, sizeof theirs);
                set_and_get(&ours, fd, &every[at], value, len, our, sizeof our);
                if (strcmp(theirs, our) != 0) {
                    fprintf(stderr, "value %d\n  kernel: %s\n  stack:  %s\n", numbers[which],
                            theirs, our);
                    wrong++;
                }
                CHECK_OK(close(kernel));
                CHECK_OK(tcps_close(fd));
            }
        }
    }
    CHECK_EQ(wrong, 0);
}

static void a_congestion_control_goes_by_its_name(const Sides *on)
{
    char name[16] = {0};
    socklen_t len = sizeof name;
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    CHECK_OK(on->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    CHECK_OK(on->getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    CHECK(strcmp(name, "reno") == 0 && len == 16);
    CHECK_FAILS(on->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "warp", 4), ENOENT);
    CHECK_FAILS(on->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
    CHECK_OK(on->close(fd));
}

/* What the stack lacks it does not pretend to have. */
static void what_the_stack_lacks_is_refused(void)
{
    const int options[][2] = {
        {SOL_SOCKET, SO_MARK},         {SOL_SOCKET, SO_PRIORITY},  {SOL_SOCKET, SO_BINDTODEVICE},
        {SOL_SOCKET, SO_INCOMING_CPU}, {SOL_SOCKET, SO_TIMESTAMP}, {SOL_SOCKET, SO_ZEROCOPY},
        {SOL_SOCKET, SO_BUSY_POLL},    {IPPROTO_TCP, TCP_MD5SIG},  {IPPROTO_TCP, TCP_REPAIR},
        {IPPROTO_TCP, TCP_ULP},        {IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE}};
    int fd = CHECK_OK(ours.socket(CLIENT, 0)), one = 1;
    for (size_t at = 0; at < sizeof options / sizeof *options; at++) {
        int level = options[at][0], name = options[at][1], got;
        socklen_t len = sizeof got;
        CHECK_FAILS(tcps_setsockopt(fd, level, name, &one, sizeof one), ENOPROTOOPT);
        CHECK_FAILS(tcps_getsockopt(fd, level, name, &got, &len), ENOPROTOOPT);
    }
    CHECK_OK(tcps_close(fd));
}

static void the_segment_size_keeps_to_what_was_asked_for(const Sides *on)
{
    struct sockaddr_in address;
    int listener = listen_anywhere(on, 0, &address);
    int client = CHECK_OK(on->socket(CLIENT, 0));
    set_int(on, client, IPPROTO_TCP, TCP_MAXSEG, 600);
    CHECK_OK(on->connect(client, (struct sockaddr *)&address, sizeof address));
    int server = CHECK_OK(on->accept(listener, NULL, NULL));
    /* Less the timestamps that every segment has. */
    CHECK_EQ(get_int(on, client, IPPROTO_TCP, TCP_MAXSEG), 588);
    CHECK_EQ(get_int(on, server, IPPROTO_TCP, TCP_MAXSEG), 588);
    CHECK_OK(on->close(server));
    CHECK_OK(on->close(client));
    CHECK_OK(on->close(listener));
}

static void a_connection_is_told_when_to_acknowledge(const Sides *on)
{
    Connection connection = establish(on);
    set_int(on, connection.client, IPPROTO_TCP, TCP_QUICKACK, 0);
    CHECK_EQ(get_int(on, connection.client, IPPROTO_TCP, TCP_QUICKACK), 0);
    set_int(on, connection.client, IPPROTO_TCP, TCP_QUICKACK, 1);
    CHECK_EQ(get_int(on, connection.client, IPPROTO_TCP, TCP_QUICKACK), 1);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void linger_of_zero_resets(const Sides *on)
{
    Connection connection = establish(on);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    char byte;
    CHECK_OK(on->setsockopt(connection.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    CHECK_OK(on->close(connection.client));
    CHECK_FAILS(on->recv(connection.server, &byte, 1, 0), ECONNRESET);
    CHECK_OK(on->close(connection.server));
}

int main(void)
{
    open_hosts();
    tell("a socket tells what it is", a_socket_tells_what_it_is);
    tell("a switch is off, on and off again", a_switch_is_off_on_and_off_again);
    tell("a buffer is twice what was asked for", a_buffer_is_twice_what_was_asked_for);
    tell("linger comes back as it was set", linger_comes_back_as_it_was_set);
    tell("a timeout ends recv and accept", a_timeout_ends_recv_and_accept);
    tell("a timeout ends send", a_timeout_ends_send);
    tell("a reused address is free in TIME_WAIT", a_reused_address_is_free_in_time_wait);
    tell("a refused connect waits in SO_ERROR", a_refused_connect_waits_in_so_error);
    tell("a small place gets a part of the value", a_small_place_gets_a_part_of_the_value);
    tell("what can only be read is not set", what_can_only_be_read_is_not_set);
    tell("linger of zero resets", linger_of_zero_resets);
    tell("a connection is told when to acknowledge", a_connection_is_told_when_to_acknowledge);
    tell("a congestion control goes by its name", a_congestion_control_goes_by_its_name);
    every_option_answers_as_the_kernels();
    what_the_stack_lacks_is_refused();
    tell("the segment size keeps to what was asked for",
         the_segment_size_keeps_to_what_was_asked_for);
    close_hosts();
    return 0;
}
