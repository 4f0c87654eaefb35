/* Calls that do not wait, and the descriptors' readiness in poll and epoll. */
#include "peers.h"

#include <sys/epoll.h>

static char data[1 << 16];

static void nothing_waits_with_o_nonblock(const Sides *on)
{
    struct sockaddr_in address;
    int error = -1;
    socklen_t len = sizeof error;
    int listener = listen_anywhere(on, SOCK_NONBLOCK, &address);
    CHECK_FAILS(on->accept(listener, NULL, NULL), EAGAIN);

    int client = CHECK_OK(on->socket(CLIENT, SOCK_NONBLOCK));
    CHECK_FAILS(on->connect(client, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    await_mask(client, POLLOUT);
    CHECK_OK(on->getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
    CHECK_EQ(error, 0);
    CHECK_OK(on->connect(client, (struct sockaddr *)&address, sizeof address)); /* the result */
    CHECK_FAILS(on->connect(client, (struct sockaddr *)&address, sizeof address), EISCONN);
    CHECK_FAILS(on->recv(client, data, 1, 0), EAGAIN);

    await_mask(listener, POLLIN);
    int server = CHECK_OK(on->accept(listener, NULL, NULL));
    CHECK_EQ(fcntl(server, F_GETFL) & O_NONBLOCK, 0); /* not inherited */
    CHECK_OK(on->close(listener));
    CHECK_OK(on->close(server));
    CHECK_OK(on->close(client));
}

static void the_flag_counts_however_it_is_set(const Sides *on)
{
    Connection connection = establish(on);
    int fd = connection.client, yes = 1, no = 0;
    CHECK_FAILS(on->recv(fd, data, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
    CHECK_FAILS(on->recv(fd, data, 1, 0), EAGAIN);
    CHECK_OK(on->ioctl(fd, FIONBIO, &no));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    CHECK_OK(on->ioctl(fd, FIONBIO, &yes));
    CHECK_FAILS(on->recv(fd, data, 1, 0), EAGAIN);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void poll_shows_a_connections_life(const Sides *on)
{
    Connection connection = establish(on);
    int client = connection.client, server = connection.server;
    await_mask(client, POLLOUT);
    await_mask(server, POLLOUT);
    say(on, client, "ab");
    await_mask(server, POLLIN | POLLOUT);
    hear(on, server, "a");
    CHECK_EQ(mask_of(server), POLLIN | POLLOUT);
    hear(on, server, "b");
    CHECK_EQ(mask_of(server), POLLOUT);
    CHECK_OK(on->shutdown(client, SHUT_WR));
    await_mask(server, POLLIN | POLLOUT | POLLRDHUP);
    CHECK_OK(on->shutdown(server, SHUT_WR));
    await_mask(client, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    CHECK_OK(on->close(client));
    CHECK_OK(on->close(server));
}

static void a_full_send_buffer_is_not_writable(const Sides *on)
{
    Connection connection = establish(on);
    long long sent = 0, received = 0;
    ssize_t count;
    do { /* until what the peer's window takes has left the buffer, too */
        while ((count = on->send(connection.client, data, sizeof data, MSG_DONTWAIT)) > 0) {
            sent += count;
        }
        CHECK_FAILS(count, EAGAIN);
        struct pollfd entry = {.fd = connection.client, .events = POLLOUT};
        count = CHECK_OK(poll(&entry, 1, 300));
    } while (count == 1);
    CHECK_EQ(mask_of(connection.client), 0);
    while (received < sent) {
        count = CHECK_OK(on->recv(connection.server, data, sizeof data, 0));
        CHECK(count > 0);
        received += count;
    }
    CHECK_EQ(received, sent);
    await_mask(connection.client, POLLOUT);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static int wait_for(int epoll, int timeout_ms)
{
    struct epoll_event event = {.events = 0};
    int count = CHECK_OK(epoll_wait(epoll, &event, 1, timeout_ms));
    return count == 0 ? 0 : (int)event.events;
}

static int watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int epoll = CHECK_OK(epoll_create1(0));
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    return epoll;
}

static void epoll_repeats_a_level(const Sides *on)
{
    Connection connection = establish(on);
    int epoll = watch(connection.server, EPOLLIN);
    CHECK_EQ(wait_for(epoll, 0), 0);
    say(on, connection.client, "abc");
    CHECK_EQ(wait_for(epoll, 5000), EPOLLIN);
    CHECK_EQ(wait_for(epoll, 0), EPOLLIN);
    hear(on, connection.server, "a");
    CHECK_EQ(wait_for(epoll, 0), EPOLLIN);
    hear(on, connection.server, "bc");
    CHECK_EQ(wait_for(epoll, 0), 0);
    CHECK_OK(close(epoll));
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void epoll_tells_an_edge_once(const Sides *on)
{
    Connection connection = establish(on);
    int epoll = watch(connection.server, EPOLLIN | EPOLLRDHUP | EPOLLET);
    CHECK_EQ(wait_for(epoll, 0), 0);
    say(on, connection.client, "a");
    CHECK_EQ(wait_for(epoll, 5000), EPOLLIN);
    CHECK_EQ(wait_for(epoll, 0), 0);
    hear(on, connection.server, "a");
    CHECK_FAILS(on->recv(connection.server, data, 1, MSG_DONTWAIT), EAGAIN);
    say(on, connection.client, "b");
    CHECK_EQ(wait_for(epoll, 5000), EPOLLIN);
    hear(on, connection.server, "b");
    CHECK_OK(on->shutdown(connection.client, SHUT_WR));
    CHECK_EQ(wait_for(epoll, 5000), EPOLLIN | EPOLLRDHUP);
    CHECK_OK(close(epoll));
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void epoll_tells_when_there_is_room_again(const Sides *on)
{
    Connection connection = establish(on);
    int epoll = watch(connection.client, EPOLLOUT | EPOLLET);
    CHECK_EQ(wait_for(epoll, 5000), EPOLLOUT);
    long long sent = 0, received = 0;
    ssize_t count;
    do {
        while ((count = on->send(connection.client, data, sizeof data, MSG_DONTWAIT)) > 0) {
            sent += count;
        }
        CHECK_FAILS(count, EAGAIN);
    } while (wait_for(epoll, 300) == EPOLLOUT);
    while (received < sent) {
        received += CHECK_OK(on->recv(connection.server, data, sizeof data, 0));
    }
    CHECK_EQ(wait_for(epoll, 5000), EPOLLOUT);
    CHECK_OK(close(epoll));
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void the_queues_are_counted(const Sides *on)
{
    Connection connection = establish(on);
    int count = -1;
    say(on, connection.client, "four");
    await_mask(connection.server, POLLIN | POLLOUT);
    CHECK_OK(on->ioctl(connection.server, FIONREAD, &count));
    CHECK_EQ(count, 4);
    CHECK_OK(on->recv(connection.server, data, 2, MSG_PEEK));
    CHECK_OK(on->ioctl(connection.server, FIONREAD, &count));
    CHECK_EQ(count, 4);
    hear(on, connection.server, "four");
    CHECK_OK(on->ioctl(connection.server, FIONREAD, &count));
    CHECK_EQ(count, 0);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void a_copy_of_the_descriptor_keeps_the_socket(const Sides *on)
{
    Connection connection = establish(on);
    int copy = CHECK_OK(dup(connection.client));
    CHECK_OK(on->close(connection.client));
    say(on, copy, "still here");
    hear(on, connection.server, "still here");
    CHECK_OK(on->close(copy));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

int main(void)
{
    open_hosts();
    tell("nothing waits with O_NONBLOCK", nothing_waits_with_o_nonblock);
    tell("the flag counts however it is set", the_flag_counts_however_it_is_set);
    tell("poll shows a connection's life", poll_shows_a_connections_life);
    tell("a full send buffer is not writable", a_full_send_buffer_is_not_writable);
    tell("epoll repeats a level", epoll_repeats_a_level);
    tell("epoll tells an edge once", epoll_tells_an_edge_once);
    tell("epoll tells when there is room again", epoll_tells_when_there_is_room_again);
    tell("the queues are counted", the_queues_are_counted);
    tell("a copy of the descriptor keeps the socket", a_copy_of_the_descriptor_keeps_the_socket);
    close_hosts();
    return 0;
}
