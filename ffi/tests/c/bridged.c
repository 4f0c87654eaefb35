/* A bridged descriptor: whatever reads and writes descriptors reads and writes the connection. */
#include "peers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

enum { LEN = 1 << 20 };

static int bridged_socket(int side, int flags)
{
    return ours_socket(side, flags | TCPS_BRIDGED);
}

/* The kernel's calls on bridged descriptors, which are made and named by the library's. */
static const Sides bridged = {
    "bridged", "10.9.0.2", bridged_socket, tcps_bind, tcps_listen, tcps_accept, tcps_connect,
    shutdown, close, send, recv, tcps_getsockname, tcps_getpeername, tcps_getsockopt,
    tcps_setsockopt, kernels_ioctl,
};

/* The library's calls on bridged descriptors. */
static const Sides bridged_by_tcps = {
    "bridged, by tcps_ calls", "10.9.0.2", bridged_socket, tcps_bind, tcps_listen, tcps_accept,
    tcps_connect, tcps_shutdown, tcps_close, tcps_send, tcps_recv, tcps_getsockname,
    tcps_getpeername, tcps_getsockopt, tcps_setsockopt, tcps_ioctl,
};

static void bytes_and_ends_cross_the_bridge(const Sides *on)
{
    Connection connection = establish(on);
    say(on, connection.client, "there");
    hear(on, connection.server, "there");
    say(on, connection.server, "and back");
    hear(on, connection.client, "and back");
    CHECK_OK(on->shutdown(connection.client, SHUT_WR));
    hear_end(on, connection.server);
    say(on, connection.server, "half closed");
    hear(on, connection.client, "half closed");
    CHECK_OK(on->close(connection.server));
    hear_end(on, connection.client);
    CHECK_OK(on->close(connection.client));
}

static void both_kinds_of_calls_share_one_stream(void)
{
    Connection connection = establish(&bridged);
    char data[8];
    CHECK_EQ(write(connection.client, "ab", 2), 2);
    CHECK_EQ(tcps_write(connection.client, "cd", 2), 2);
    CHECK_EQ(write(connection.client, "ef", 2), 2);
    CHECK_EQ(recv(connection.server, data, 1, MSG_WAITALL), 1);
    CHECK_EQ(tcps_recv(connection.server, data + 1, 3, MSG_WAITALL), 3);
    CHECK_EQ(recv(connection.server, data + 4, 2, MSG_WAITALL), 2);
    CHECK(memcmp(data, "abcdef", 6) == 0);
    CHECK_OK(close(connection.client));
    CHECK_OK(tcps_close(connection.server));
}

static void stdio_reads_and_writes_lines(void)
{
    Connection connection = establish(&bridged);
    FILE *client = fdopen(connection.client, "r+");
    FILE *server = fdopen(connection.server, "r+");
    char line[64];
    CHECK(client != NULL && server != NULL);
    fprintf(client, "line %d\nline %d\n", 1, 2);
    CHECK_EQ(fflush(client), 0);
    CHECK(fgets(line, sizeof line, server) != NULL && strcmp(line, "line 1\n") == 0);
    CHECK(fgets(line, sizeof line, server) != NULL && strcmp(line, "line 2\n") == 0);
    CHECK_EQ(fclose(client), 0);
    CHECK(fgets(line, sizeof line, server) == NULL && feof(server));
    CHECK_EQ(fclose(server), 0);
}

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 31 + at / 4096);
}

static void *send_file(void *argument)
{
    int fd = *(int *)argument;
    FILE *file = tmpfile();
    off_t offset = 0;
    CHECK(file != NULL);
    for (size_t at = 0; at < LEN; at++) CHECK(putc(pattern(at), file) != EOF);
    CHECK_EQ(fflush(file), 0);
    while (offset < LEN) CHECK_OK(sendfile(fd, fileno(file), &offset, (size_t)(LEN - offset)));
    CHECK_EQ(fclose(file), 0);
    CHECK_OK(close(fd));
    return NULL;
}

static void a_file_goes_through_whole(void)
{
    Connection connection = establish(&bridged);
    pthread_t sender;
    unsigned char data[10000];
    size_t received = 0;
    ssize_t count;
    CHECK_EQ(pthread_create(&sender, NULL, send_file, &connection.client), 0);
    while ((count = CHECK_OK(read(connection.server, data, sizeof data))) > 0) {
        for (ssize_t at = 0; at < count; at++) {
            CHECK_EQ(data[at], pattern(received + (size_t)at));
        }
        received += (size_t)count;
    }
    CHECK_EQ(received, LEN);
    CHECK_EQ(pthread_join(sender, NULL), 0);
    CHECK_OK(close(connection.server));
}

/* Another program writes to the connection, as its standard output. */
static void another_program_inherits_the_descriptor(void)
{
    Connection connection = establish(&bridged);
    int status;
    pid_t child = CHECK_OK(fork());
    if (child == 0) {
        dup2(connection.server, STDOUT_FILENO);
        execlp("echo", "echo", "-n", "from another program", (char *)NULL);
        _exit(1);
    }
    hear(&bridged, connection.client, "from another program");
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_OK(close(connection.server));
    hear_end(&bridged, connection.client);
    CHECK_OK(close(connection.client));
}

static void a_timeout_ends_read(void)
{
    Connection connection = establish(&bridged);
    struct timeval short_time = {.tv_sec = 0, .tv_usec = 50000};
    char byte;
    CHECK_OK(tcps_setsockopt(connection.client, SOL_SOCKET, SO_RCVTIMEO, &short_time,
                             sizeof short_time));
    CHECK_FAILS(tcps_read(connection.client, &byte, 1), EAGAIN);
    CHECK_FAILS(read(connection.client, &byte, 1), EAGAIN);
    CHECK_OK(close(connection.client));
    CHECK_OK(close(connection.server));
}

static void a_nonblocking_connect_is_polled(void)
{
    struct sockaddr_in address;
    int error = -1;
    socklen_t len = sizeof error;
    int listener = listen_anywhere(&bridged, SOCK_NONBLOCK, &address);
    CHECK_FAILS(tcps_accept(listener, NULL, NULL), EAGAIN);
    int fd = CHECK_OK(bridged_socket(CLIENT, SOCK_NONBLOCK));
    CHECK_FAILS(tcps_connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    await_mask(fd, POLLOUT);
    CHECK_OK(tcps_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
    CHECK_EQ(error, 0);
    await_mask(listener, POLLIN);
    int peer = CHECK_OK(tcps_accept(listener, NULL, NULL));
    CHECK_EQ(write(fd, "x", 1), 1);
    await_mask(peer, POLLIN | POLLOUT);
    CHECK_OK(close(fd));
    CHECK_OK(close(peer));
    CHECK_OK(close(listener));
}

static void the_end_has_its_errno(void)
{
    signal(SIGPIPE, SIG_IGN);
    Connection connection = establish(&bridged);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    char byte;
    CHECK_OK(tcps_setsockopt(connection.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    CHECK_OK(tcps_close(connection.client));
    CHECK_FAILS(tcps_read(connection.server, &byte, 1), ECONNRESET);
    CHECK_FAILS(tcps_write(connection.server, &byte, 1), EPIPE);
    CHECK_OK(tcps_close(connection.server));
}

static void before_a_connection_the_answers_are_tcps(const Sides *on)
{
    struct sockaddr_in address;
    char byte;
    int fd = CHECK_OK(on->socket(CLIENT, 0));
    int listener = listen_anywhere(on, 0, &address);
    const int both[] = {fd, listener};
    for (int at = 0; at < 2; at++) {
        CHECK_FAILS(on->recv(both[at], &byte, 1, 0), ENOTCONN);
        CHECK_FAILS(on->send(both[at], "x", 1, MSG_NOSIGNAL), EPIPE);
    }
    /* One that waits to be accepted makes the listener readable, by nothing that recv could take. */
    CHECK_OK(on->connect(fd, (struct sockaddr *)&address, sizeof address));
    await_mask(listener, POLLIN);
    CHECK_FAILS(on->recv(listener, &byte, 1, 0), ENOTCONN);
    CHECK_OK(on->close(CHECK_OK(on->accept(listener, NULL, NULL))));
    CHECK_OK(on->close(fd));
    CHECK_OK(on->close(listener));
}

static void what_is_acknowledged_counts_no_more(const Sides *on)
{
    Connection connection = establish(on);
    struct pollfd nothing;
    int count = -1;
    say(on, connection.client, "hello");
    hear(on, connection.server, "hello");
    for (int waited_ms = 0; count != 0 && waited_ms < 10000; waited_ms++) {
        CHECK_OK(on->ioctl(connection.client, TIOCOUTQ, &count));
        poll(&nothing, 0, 1);
    }
    CHECK_EQ(count, 0);
    CHECK_OK(on->close(connection.client));
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void *write_pattern(void *argument)
{
    static unsigned char data[LEN];
    int fd = *(int *)argument;
    for (size_t at = 0; at < LEN; at++) data[at] = pattern(at);
    for (size_t at = 0; at < LEN;) at += (size_t)CHECK_OK(write(fd, data + at, LEN - at));
    CHECK_OK(shutdown(fd, SHUT_WR));
    return NULL;
}

/* The send buffer is made smaller and larger while bytes are on their way through the pair. */
static void a_shrinking_buffer_loses_nothing(void)
{
    static unsigned char data[LEN];
    Connection connection = establish(&bridged);
    pthread_t writer;
    size_t at = 0;
    CHECK_EQ(pthread_create(&writer, NULL, write_pattern, &connection.client), 0);
    for (int turn = 0; at < LEN; turn++) {
        int size = turn % 2 == 0 ? 2048 : 500000;
        CHECK_OK(tcps_setsockopt(connection.client, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
        at += (size_t)CHECK_OK(read(connection.server, data + at, LEN - at));
    }
    hear_end(&bridged, connection.server);
    CHECK_EQ(pthread_join(writer, NULL), 0);
    for (size_t byte = 0; byte < LEN; byte++) CHECK_EQ(data[byte], pattern(byte));
    CHECK_OK(close(connection.server));
    CHECK_OK(close(connection.client));
}

int main(void)
{
    open_hosts();
    bytes_and_ends_cross_the_bridge(&bridged);
    bytes_and_ends_cross_the_bridge(&bridged_by_tcps);
    both_kinds_of_calls_share_one_stream();
    stdio_reads_and_writes_lines();
    a_file_goes_through_whole();
    another_program_inherits_the_descriptor();
    a_timeout_ends_read();
    a_nonblocking_connect_is_polled();
    the_end_has_its_errno();
    before_a_connection_the_answers_are_tcps(&kernels);
    before_a_connection_the_answers_are_tcps(&bridged_by_tcps);
    what_is_acknowledged_counts_no_more(&kernels);
    what_is_acknowledged_counts_no_more(&bridged_by_tcps);
    a_shrinking_buffer_loses_nothing();
    close_hosts();
    return 0;
}
