/* sendmsg and recvmsg with control data, the flags of send and recv, what ioctl counts, and connect to
 * nobody, on the stack and on the kernel. */
#include "peers.h"

#include <linux/sockios.h>

static void set_int(const Sides *on, int fd, int level, int name, int value)
{
    CHECK_OK(on->setsockopt(fd, level, name, &value, sizeof value));
}

/* Waits until so many bytes can be read. */
static void await_readable(const Sides *on, int fd, int bytes)
{
    struct pollfd nothing;
    int there = -1;
    for (int waited_ms = 0; waited_ms < 10000; waited_ms++) {
        CHECK_OK(on->ioctl(fd, FIONREAD, &there));
        if (there == bytes) return;
        poll(&nothing, 0, 1);
    }
    CHECK_EQ(there, bytes);
}

static ssize_t receive_message(const Sides *on, int fd, struct msghdr *message)
{
    return on == &ours ? tcps_recvmsg(fd, message, 0) : recvmsg(fd, message, 0);
}

static ssize_t send_message(const Sides *on, int fd, const struct msghdr *message)
{
    return on == &ours ? tcps_sendmsg(fd, message, 0) : sendmsg(fd, message, 0);
}

static void what_is_left_is_told_beside_the_bytes(const Sides *on)
{
    Connection connection = establish(on);
    char data[4];
    _Alignas(struct cmsghdr) char control[64];
    struct iovec place = {data, sizeof data};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
    set_int(on, connection.client, IPPROTO_TCP, TCP_INQ, 1);
    say(on, connection.server, "hello, world");
    await_readable(on, connection.client, 12);

    message.msg_control = control;
    message.msg_controllen = sizeof control;
    CHECK_EQ(receive_message(on, connection.client, &message), 4);
    CHECK_EQ(message.msg_controllen, CMSG_SPACE(sizeof(int)));
    CHECK_EQ(message.msg_flags, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int left;
    memcpy(&left, CMSG_DATA(header), sizeof left);
    CHECK(header->cmsg_level == IPPROTO_TCP && header->cmsg_type == TCP_INQ);
    CHECK_EQ(header->cmsg_len, CMSG_LEN(sizeof(int)));
    CHECK_EQ(left, 8);

    /* Without room for it MSG_CTRUNC says that there was something to tell. */
    message.msg_controllen = 8;
    CHECK_EQ(receive_message(on, connection.client, &message), 4);
    CHECK_EQ(message.msg_controllen, 0);
    CHECK_EQ(message.msg_flags, MSG_CTRUNC);

    /* The last byte and the end: 1 for the end that is not read yet. */
    CHECK_OK(on->close(connection.server));
    await_mask(connection.client, POLLIN | POLLOUT | POLLRDHUP);
    message.msg_controllen = sizeof control;
    CHECK_EQ(receive_message(on, connection.client, &message), 4);
    memcpy(&left, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof left);
    CHECK_EQ(left, 1);
    CHECK_OK(on->close(connection.client));
}

static void control_data_is_looked_through_before_anything_is_sent(const Sides *on)
{
    Connection connection = establish(on);
    char text[] = "hello";
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec source = {text, 5};
    struct msghdr message = {.msg_iov = &source, .msg_iovlen = 1};
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_TCP};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    memcpy(control, &header, sizeof header);
    CHECK_EQ(send_message(on, connection.client, &message), 5);
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = 9999;
    memcpy(control, &header, sizeof header);
    CHECK_FAILS(send_message(on, connection.client, &message), EINVAL);
    header.cmsg_len = 1000;
    memcpy(control, &header, sizeof header);
    CHECK_FAILS(send_message(on, connection.client, &message), EINVAL);
    hear(on, connection.server, "hello");
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void the_flags_that_mean_nothing_to_tcp_are_passed_over(const Sides *on)
{
    Connection connection = establish(on);
    char data[16] = {0};
    int flags = MSG_DONTROUTE | MSG_CONFIRM | MSG_EOR | MSG_NOSIGNAL;
    CHECK_EQ(on->send(connection.client, "hello", 5, flags), 5);
    await_readable(on, connection.server, 5);
    CHECK_EQ(on->recv(connection.server, data, 5, MSG_PEEK | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC), 5);
    CHECK(memcmp(data, "hello", 5) == 0);
    CHECK_FAILS(on->recv(connection.server, data, 5, MSG_ERRQUEUE), EAGAIN);
    CHECK_FAILS(on->recv(connection.server, data, 1, MSG_OOB), EINVAL);
    /* Dropped, not copied: there need be no place for it (which valgrind would have the kernel want). */
    char *place = on == &ours ? NULL : data;
    CHECK_EQ(on->recv(connection.server, place, 3, MSG_TRUNC), 3);
    CHECK(memcmp(data, "hello", 5) == 0);
    hear(on, connection.server, "lo");
    CHECK_FAILS(on->recv(connection.server, place, 3, MSG_TRUNC | MSG_DONTWAIT), EAGAIN);
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void ioctl_counts_what_waits(const Sides *on)
{
    Connection connection = establish(on);
    struct sockaddr_in address;
    int listener = listen_anywhere(on, 0, &address);
    int count = -1;
    say(on, connection.client, "hello");
    await_readable(on, connection.server, 5);
    struct pollfd nothing;
    for (int waited_ms = 0; count != 0 && waited_ms < 10000; waited_ms++) {
        CHECK_OK(on->ioctl(connection.client, SIOCOUTQ, &count));
        poll(&nothing, 0, 1);
    }
    CHECK_EQ(count, 0); /* acknowledged */
    CHECK_OK(on->ioctl(connection.client, SIOCOUTQNSD, &count));
    CHECK_EQ(count, 0);
    CHECK_FAILS(on->ioctl(listener, SIOCINQ, &count), EINVAL);
    CHECK_FAILS(on->ioctl(listener, SIOCOUTQ, &count), EINVAL);
    CHECK_FAILS(on->ioctl(listener, SIOCOUTQNSD, &count), EINVAL);
    CHECK_OK(on->close(listener));
    hear(on, connection.server, "hello");
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void the_urgent_byte_is_beside_the_stream(const Sides *on)
{
    Connection connection = establish(on);
    struct pollfd nothing;
    char data[16] = {0};
    int at_mark = -1;
    CHECK_FAILS(on->recv(connection.server, data, 1, MSG_OOB), EINVAL);
    CHECK_EQ(on->send(connection.client, "ab!", 3, MSG_OOB), 3);
    say(on, connection.client, "cd");
    for (int waited_ms = 0; waited_ms < 10000; waited_ms++) {
        if (on->recv(connection.server, data, 1, MSG_OOB | MSG_PEEK) == 1) break;
        poll(&nothing, 0, 1);
    }
    CHECK_OK(on->ioctl(connection.server, SIOCATMARK, &at_mark));
    CHECK_EQ(at_mark, 0);
    /* Reading stops before it. */
    CHECK_EQ(on->recv(connection.server, data, sizeof data, 0), 2);
    CHECK(memcmp(data, "ab", 2) == 0);
    CHECK_OK(on->ioctl(connection.server, SIOCATMARK, &at_mark));
    CHECK_EQ(at_mark, 1);
    CHECK_EQ(on->recv(connection.server, data, 1, MSG_OOB), 1);
    CHECK_EQ(data[0], '!');
    CHECK_FAILS(on->recv(connection.server, data, 1, MSG_OOB), EINVAL); /* once */
    hear(on, connection.server, "cd");
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void a_small_write_waits_for_the_next_when_more_is_to_come(const Sides *on)
{
    Connection connection = establish(on);
    struct pollfd entry = {.fd = connection.server, .events = POLLIN};
    char data[8];
    CHECK_EQ(on->send(connection.client, "ab", 2, MSG_MORE), 2);
    CHECK_EQ(poll(&entry, 1, 50), 0);
    CHECK_EQ(on->send(connection.client, "cd", 2, 0), 2);
    CHECK_EQ(poll(&entry, 1, 5000), 1);
    CHECK_EQ(on->recv(connection.server, data, sizeof data, 0), 4);
    CHECK(memcmp(data, "abcd", 4) == 0);
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

/* The first connection brings a cookie, the second sends its data with the SYN. */
static void data_goes_with_the_syn(void)
{
    struct sockaddr_in address;
    const struct sockaddr *to = (const struct sockaddr *)&address;
    int listener = listen_anywhere(&ours, 0, &address), queue = 8;
    CHECK_OK(tcps_stack_sysctl_set(stacks[SERVER], "tcp_fastopen", "3"));
    CHECK_OK(tcps_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue));
    for (int turn = 0; turn < 2; turn++) {
        int client = CHECK_OK(ours.socket(CLIENT, 0));
        CHECK_EQ(tcps_sendto(client, "early", 5, MSG_FASTOPEN, to, sizeof address), 5);
        int server = CHECK_OK(tcps_accept(listener, NULL, NULL));
        hear(&ours, server, "early");
        say(&ours, server, "late");
        hear(&ours, client, "late");
        CHECK_OK(tcps_close(client));
        hear_end(&ours, server);
        CHECK_OK(tcps_close(server));
    }
    CHECK_OK(tcps_close(listener));
    int refused = CHECK_OK(ours.socket(CLIENT, 0));
    CHECK_OK(tcps_stack_sysctl_set(stacks[CLIENT], "tcp_fastopen", "0"));
    CHECK_FAILS(tcps_sendto(refused, "x", 1, MSG_FASTOPEN, to, sizeof address), EOPNOTSUPP);
    CHECK_OK(tcps_close(refused));
}

static void connect_to_nobody_disconnects(const Sides *on)
{
    struct sockaddr_in address, peer;
    struct sockaddr nobody;
    socklen_t len = sizeof peer;
    char byte;
    int listener = listen_anywhere(on, 0, &address);
    int client = CHECK_OK(on->socket(CLIENT, 0));
    memset(&nobody, 0, sizeof nobody);
    nobody.sa_family = AF_UNSPEC;
    CHECK_OK(on->connect(client, &nobody, sizeof nobody)); /* a fresh one: nothing to undo */
    CHECK_FAILS(on->connect(client, &nobody, 1), EINVAL);
    CHECK_OK(on->connect(client, (struct sockaddr *)&address, sizeof address));
    int server = CHECK_OK(on->accept(listener, NULL, NULL));
    CHECK_OK(on->connect(client, &nobody, sizeof nobody));
    CHECK_FAILS(on->getpeername(client, (struct sockaddr *)&peer, &len), ENOTCONN);
    CHECK_FAILS(on->recv(server, &byte, 1, 0), ECONNRESET);
    CHECK_OK(on->close(server));
    /* And it can be used again. */
    CHECK_OK(on->connect(client, (struct sockaddr *)&address, sizeof address));
    server = CHECK_OK(on->accept(listener, NULL, NULL));
    say(on, client, "again");
    hear(on, server, "again");
    CHECK_OK(on->close(client));
    hear_end(on, server);
    CHECK_OK(on->close(server));
    CHECK_OK(on->close(listener));
}

static void tcp_info_tells_what_went_and_came(const Sides *on)
{
    Connection connection = establish(on);
    struct tcp_info info;
    socklen_t len = sizeof info;
    say(on, connection.client, "hello");
    hear(on, connection.server, "hello");
    say(on, connection.server, "world!");
    hear(on, connection.client, "world!");
    CHECK_OK(on->getsockopt(connection.client, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK_EQ(len, sizeof info);
    CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
    CHECK_EQ(info.tcpi_ca_state, 0);
    CHECK(info.tcpi_options & TCPI_OPT_WSCALE);
    CHECK(info.tcpi_rtt > 0 && info.tcpi_rto >= 200000 && info.tcpi_snd_cwnd >= 10);
    CHECK_EQ(info.tcpi_unacked, 0);
    CHECK(info.tcpi_last_data_sent < 10000 && info.tcpi_last_data_recv < 10000);
    CHECK(info.tcpi_snd_mss > 500 && info.tcpi_pmtu > info.tcpi_snd_mss);
    len = 1; /* cut to what the caller knows of */
    info.tcpi_ca_state = 77;
    CHECK_OK(on->getsockopt(connection.client, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK(len == 1 && info.tcpi_ca_state == 77);
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    len = sizeof info;
    CHECK_OK(on->getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK_EQ(info.tcpi_state, TCP_CLOSE);
    CHECK_FAILS(on->setsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, sizeof info), ENOPROTOOPT);
    CHECK_OK(on->close(fd));
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

int main(void)
{
    open_hosts();
    tell("what is left is told beside the bytes", what_is_left_is_told_beside_the_bytes);
    tell("control data is looked through before anything is sent",
         control_data_is_looked_through_before_anything_is_sent);
    tell("the flags that mean nothing to TCP are passed over",
         the_flags_that_mean_nothing_to_tcp_are_passed_over);
    tell("the urgent byte is beside the stream", the_urgent_byte_is_beside_the_stream);
    tell("a small write waits for the next when more is to come",
         a_small_write_waits_for_the_next_when_more_is_to_come);
    tell("ioctl counts what waits", ioctl_counts_what_waits);
    tell("connect to nobody disconnects", connect_to_nobody_disconnects);
    tell("TCP_INFO tells what went and came", tcp_info_tells_what_went_and_came);
    data_goes_with_the_syn();
    close_hosts();
    return 0;
}
