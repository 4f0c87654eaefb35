/* Two hosts moved by hand: every packet and every microsecond is the program's. */
#include "peers.h"

static tcps_stack *client, *server;
static uint64_t now_us;
static int lose_next;
static long lose_at = -1, seen; /* of all packets, the one with this number */
static char packet[65536];

static int carry(tcps_stack *from, tcps_stack *to)
{
    int carried = 0;
    ssize_t len;
    while ((len = CHECK_OK(tcps_stack_output(from, packet, sizeof packet))) > 0) {
        if (lose_next > 0) {
            lose_next--;
        } else if (seen++ != lose_at) {
            CHECK_OK(tcps_stack_input(to, packet, (size_t)len));
        }
        carried++;
    }
    return carried;
}

/* Carries packets both ways until none is left. */
static int shuttle(void)
{
    int carried = 0, step;
    do {
        step = carry(client, server) + carry(server, client);
        carried += step;
    } while (step > 0);
    return carried;
}

/* Sets both clocks; returns the next deadline of either. */
static uint64_t set_clock(uint64_t time_us)
{
    uint64_t next[2];
    now_us = time_us;
    CHECK_OK(tcps_stack_poll(client, now_us, &next[0]));
    CHECK_OK(tcps_stack_poll(server, now_us, &next[1]));
    return next[0] < next[1] ? next[0] : next[1];
}

/* How a call that must wait waits: packets first, then the next timer. */
static int let_time_pass(void *context, uint64_t deadline_us)
{
    ++*(int *)context;
    if (shuttle() > 0) return 0;
    uint64_t next = set_clock(now_us);
    if (next > deadline_us) next = deadline_us;
    if (next == UINT64_MAX) return -1;
    set_clock(next);
    return 0;
}

static struct sockaddr_in listen_by_hand(int *listener, int port)
{
    struct sockaddr_in address = ipv4("10.9.1.2", port);
    *listener = CHECK_OK(tcps_stack_socket(server, AF_INET, SOCK_STREAM, 0));
    CHECK_OK(tcps_bind(*listener, (struct sockaddr *)&address, sizeof address));
    CHECK_OK(tcps_listen(*listener, 1));
    return address;
}

static int state_at(tcps_stack *stack, struct sockaddr_in address)
{
    return state_of(stack, address.sin_port);
}

/* From SYN to the end of TIME_WAIT in no time at all. */
static void a_connections_life_in_virtual_time(void)
{
    int listener;
    char data[16];
    struct sockaddr_in address = listen_by_hand(&listener, 80);
    int fd = CHECK_OK(tcps_stack_socket(client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    CHECK_EQ(state_at(client, address), TCPS_SYN_SENT);
    CHECK_EQ(carry(client, server), 1); /* SYN */
    CHECK_EQ(state_at(server, address), TCPS_SYN_RECV);
    CHECK_EQ(carry(server, client), 1); /* SYN+ACK */
    CHECK_EQ(state_at(client, address), TCPS_ESTABLISHED);
    CHECK_EQ(mask_of(fd), POLLOUT); /* at once, without a thread */
    CHECK_EQ(carry(client, server), 1); /* ACK */
    CHECK_EQ(state_at(server, address), TCPS_ESTABLISHED);
    int peer = CHECK_OK(tcps_accept4(listener, NULL, NULL, SOCK_NONBLOCK));

    CHECK_EQ(tcps_write(fd, "hello", 5), 5);
    CHECK_FAILS(tcps_read(peer, data, sizeof data), EAGAIN);
    CHECK_EQ(carry(client, server), 1);
    CHECK_EQ(mask_of(peer), POLLIN | POLLOUT);
    CHECK_EQ(tcps_read(peer, data, sizeof data), 5);
    shuttle();

    CHECK_OK(tcps_close(fd));
    CHECK_EQ(state_at(client, address), TCPS_FIN_WAIT1);
    shuttle();
    set_clock(now_us + 500000); /* an ACK may be delayed by so much */
    shuttle();
    CHECK_EQ(state_at(client, address), TCPS_FIN_WAIT2);
    CHECK_EQ(state_at(server, address), TCPS_CLOSE_WAIT);
    CHECK_EQ(tcps_read(peer, data, sizeof data), 0);
    CHECK_OK(tcps_close(peer));
    CHECK_EQ(state_at(server, address), TCPS_LAST_ACK);
    shuttle();
    CHECK_EQ(state_at(server, address), TCPS_CLOSE);
    CHECK_EQ(state_at(client, address), TCPS_TIME_WAIT);
    uint64_t begun_us = now_us;
    set_clock(begun_us + 59999999);
    CHECK_EQ(state_at(client, address), TCPS_TIME_WAIT);
    set_clock(begun_us + 60000000); /* 2 MSL */
    CHECK_EQ(state_at(client, address), TCPS_CLOSE);
    CHECK_OK(tcps_close(listener));
}

static void a_lost_syn_is_sent_again_after_a_second(void)
{
    int listener;
    struct sockaddr_in address = listen_by_hand(&listener, 81);
    int fd = CHECK_OK(tcps_stack_socket(client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    lose_next = 1;
    CHECK_EQ(shuttle(), 1);
    CHECK_EQ(set_clock(now_us), now_us + 1000000); /* RFC 6298: 1 second at first */
    set_clock(now_us + 999999);
    CHECK_EQ(shuttle(), 0);
    set_clock(now_us + 1);
    CHECK_EQ(shuttle(), 3); /* SYN, SYN+ACK, ACK */
    CHECK_EQ(state_at(client, address), TCPS_ESTABLISHED);
    CHECK_OK(tcps_close(fd));
    CHECK_OK(tcps_close(listener));
    shuttle();
}

static void a_blocking_call_waits_by_the_callers_function(void)
{
    int listener, waits = 0;
    char data[16];
    struct timeval second = {.tv_sec = 1};
    struct sockaddr_in address = listen_by_hand(&listener, 82);
    CHECK_OK(tcps_stack_set_wait(client, let_time_pass, &waits));
    int fd = CHECK_OK(tcps_stack_socket(client, AF_INET, SOCK_STREAM, 0));
    lose_next = 1;
    uint64_t begun_us = now_us;
    CHECK_OK(tcps_connect(fd, (struct sockaddr *)&address, sizeof address));
    CHECK(waits > 0);
    CHECK_EQ(now_us - begun_us, 1000000);
    CHECK_OK(tcps_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    CHECK_FAILS(tcps_read(fd, data, sizeof data), EAGAIN);
    CHECK_EQ(now_us - begun_us, 2000000); /* to the microsecond */
    second.tv_sec = 0;
    CHECK_OK(tcps_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second));
    CHECK_FAILS(tcps_read(fd, data, sizeof data), EINTR); /* nothing can ever come */
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    begun_us = now_us;
    CHECK_EQ(tcps_poll(&entry, 1, 250), 0);
    CHECK_EQ(now_us - begun_us, 250000);
    entry.events = POLLOUT;
    CHECK_EQ(tcps_poll(&entry, 1, -1), 1);
    CHECK_OK(tcps_stack_set_wait(client, NULL, NULL));
    CHECK_FAILS(tcps_read(fd, data, sizeof data), EDEADLK);
    entry.events = POLLIN;
    CHECK_FAILS(tcps_poll(&entry, 1, -1), EDEADLK);
    CHECK_OK(tcps_close(fd));
    CHECK_OK(tcps_close(listener));
    shuttle();
}

/* Carries what there is to carry, or goes to the next deadline; 0 when there is neither. */
static int go_on(void)
{
    if (shuttle() > 0) return 1;
    uint64_t next = set_clock(now_us);
    if (next == UINT64_MAX) return 0;
    CHECK(next > now_us); /* what is due has run */
    set_clock(next);
    return 1;
}

/* The client writes, the server reads, both close. Returns how many packets that took. */
static long a_short_life(int listener, struct sockaddr_in address)
{
    static char written[6000], read[sizeof written + 1];
    size_t got = 0;
    ssize_t len;
    int peer;
    for (size_t i = 0; i < sizeof written; i++) written[i] = (char)(i * 7 + i / 251);
    int fd = CHECK_OK(tcps_stack_socket(client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    seen = 0;
    while ((mask_of(fd) & POLLOUT) == 0) CHECK(go_on());
    CHECK_EQ(tcps_write(fd, written, sizeof written), sizeof written);
    CHECK_OK(tcps_shutdown(fd, SHUT_WR));
    while ((peer = tcps_accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) CHECK(go_on());
    while ((len = tcps_read(peer, read + got, sizeof read - got)) != 0) {
        if (len > 0) got += (size_t)len;
        else CHECK(go_on());
    }
    CHECK_EQ(got, sizeof written);
    CHECK(memcmp(read, written, got) == 0);
    CHECK_OK(tcps_close(peer));
    CHECK_OK(tcps_close(fd));
    while (go_on()) {}
    return seen;
}

static void whichever_packet_is_lost_the_next_deadline_repairs_it(void)
{
    int listener;
    struct sockaddr_in address = listen_by_hand(&listener, 84);
    long packets = a_short_life(listener, address);
    for (lose_at = 0; lose_at < packets; lose_at++) {
        CHECK(a_short_life(listener, address) >= packets);
    }
    lose_at = -1;
    CHECK_OK(tcps_close(listener));
    CHECK_EQ(set_clock(now_us), UINT64_MAX); /* and then there is nothing to wait for */
}

static int events;

static void count_event(void *context, const char *json)
{
    CHECK(context == &events);
    CHECK(json[0] == '{' && json[strlen(json) - 1] == '}');
    events++;
}

static void events_are_told_while_somebody_listens(void)
{
    int listener;
    struct sockaddr_in address = listen_by_hand(&listener, 83);
    CHECK_OK(tcps_stack_on_event(client, count_event, &events));
    int fd = CHECK_OK(tcps_stack_socket(client, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    shuttle();
    CHECK(events > 3);
    CHECK_OK(tcps_stack_on_event(client, NULL, NULL));
    int so_far = events;
    CHECK_OK(tcps_close(fd));
    CHECK_EQ(events, so_far);
    CHECK_OK(tcps_close(listener));
    shuttle();
}

static void time_never_goes_back(void)
{
    CHECK_FAILS(tcps_stack_poll(client, now_us - 1, NULL), EINVAL);
    CHECK_OK(tcps_stack_poll(client, now_us, NULL));
    CHECK_OK(tcps_stack_input(client, "not a packet", 12)); /* counted and dropped */
    CHECK_FAILS(tcps_stack_input(client, "", 0), EINVAL);
}

int main(void)
{
    client = tcps_stack_open("user:?addr=10.9.1.1/24&clock=manual&seed=1");
    CHECK(client != NULL);
    server = tcps_stack_open("user:?addr=10.9.1.2/24&clock=manual&seed=2");
    CHECK(server != NULL);
    set_clock(1000000);
    a_connections_life_in_virtual_time();
    a_lost_syn_is_sent_again_after_a_second();
    whichever_packet_is_lost_the_next_deadline_repairs_it();
    a_blocking_call_waits_by_the_callers_function();
    events_are_told_while_somebody_listens();
    time_never_goes_back();
    CHECK_OK(tcps_stack_close(client));
    CHECK_OK(tcps_stack_close(server));
    return 0;
}
