/* Two processes, each a host of its own, through every call that moves bytes. */
#include "peers.h"

#include <signal.h>
#include <sys/wait.h>

enum { PORT = 7, LEN = 300000 };

static unsigned char pattern[LEN];
static unsigned char back[LEN];

static int connect_host(tcps_stack *stack)
{
    struct sockaddr_in address = ipv4("10.9.0.2", PORT);
    int fd = CHECK_OK(tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0));
    CHECK_OK(tcps_connect(fd, (struct sockaddr *)&address, sizeof address));
    return fd;
}

/* Echoes one connection after another with a different pair of calls each. */
static void serve(int ready)
{
    struct sockaddr_in address = ipv4("10.9.0.2", PORT), peer;
    socklen_t len = sizeof peer;
    tcps_stack *stack = open_host("10.9.0.2");
    int listener = CHECK_OK(tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0));
    CHECK_OK(tcps_bind(listener, (struct sockaddr *)&address, sizeof address));
    CHECK_OK(tcps_listen(listener, 4));
    CHECK_EQ(write(ready, "!", 1), 1);
    for (int round = 0; round < 4; round++) {
        int fd = CHECK_OK(tcps_accept(listener, (struct sockaddr *)&peer, &len));
        CHECK_EQ(len, sizeof peer);
        CHECK_EQ(peer.sin_addr.s_addr, inet_addr("10.9.0.1"));
        ssize_t count;
        char data[5000];
        while ((count = CHECK_OK(tcps_read(fd, data, sizeof data))) > 0) {
            CHECK_EQ(tcps_write(fd, data, (size_t)count), count);
        }
        CHECK_OK(tcps_close(fd));
    }
    CHECK_OK(tcps_close(listener));
    CHECK_OK(tcps_stack_close(stack));
}

static void check_echo(size_t len)
{
    CHECK(memcmp(pattern, back, len) == 0);
    memset(back, 0, LEN);
}

static void with_read_and_write(int fd)
{
    for (size_t sent = 0; sent < LEN; sent += 30000) {
        CHECK_EQ(tcps_write(fd, pattern + sent, 30000), 30000);
        CHECK_EQ(tcps_recv(fd, back + sent, 30000, MSG_WAITALL), 30000);
    }
    check_echo(LEN);
}

static void with_readv_and_writev(int fd)
{
    struct iovec out[3] = {{pattern, 1000}, {NULL, 0}, {pattern + 1000, 2000}};
    struct iovec in[2] = {{back, 1}, {back + 1, LEN - 1}};
    CHECK_EQ(tcps_writev(fd, out, 3), 3000);
    for (size_t got = 0; got < 3000;) {
        in[0].iov_base = back + got;
        in[1].iov_base = back + got + 1;
        in[1].iov_len = LEN - got - 1;
        got += (size_t)CHECK_OK(tcps_readv(fd, in, 2));
    }
    check_echo(3000);
}

static void with_sendmsg_and_recvmsg(int fd)
{
    struct sockaddr_in name = ipv4("192.0.2.1", 1);
    struct iovec out[2] = {{pattern, 10}, {pattern + 10, 90}};
    struct iovec in[2] = {{back, 50}, {back + 50, 50}};
    struct msghdr request = {.msg_iov = out, .msg_iovlen = 2};
    struct msghdr answer = {.msg_iov = in, .msg_iovlen = 2, .msg_name = &name,
                            .msg_namelen = sizeof name, .msg_flags = -1};
    CHECK_EQ(tcps_sendmsg(fd, &request, MSG_NOSIGNAL), 100);
    CHECK_EQ(tcps_recvmsg(fd, &answer, MSG_WAITALL), 100);
    CHECK_EQ(answer.msg_namelen, 0);
    CHECK_EQ(answer.msg_flags, 0);
    check_echo(100);
}

static void with_sendto_and_recvfrom(int fd)
{
    struct sockaddr_in name = ipv4("192.0.2.1", 1);
    socklen_t len = sizeof name;
    CHECK_EQ(tcps_sendto(fd, pattern, 100, 0, (struct sockaddr *)&name, sizeof name), 100);
    CHECK_EQ(tcps_recv(fd, back, 100, MSG_PEEK | MSG_WAITALL), 100);
    check_echo(100); /* and it is still there */
    CHECK_EQ(tcps_recvfrom(fd, back, 100, MSG_WAITALL, (struct sockaddr *)&name, &len), 100);
    CHECK_EQ(len, 0);
    check_echo(100);
    CHECK_EQ(tcps_read(fd, back, 0), 0);
}

int main(void)
{
    int ready[2];
    char byte;
    for (size_t at = 0; at < LEN; at++) pattern[at] = (unsigned char)(at * 7 + at / 251);
    CHECK_OK(pipe(ready));
    pid_t server = CHECK_OK(fork());
    if (server == 0) {
        serve(ready[1]);
        return 0;
    }
    close(ready[1]);
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);

    void (*const rounds[])(int) = {with_read_and_write, with_readv_and_writev,
                                   with_sendmsg_and_recvmsg, with_sendto_and_recvfrom};
    tcps_stack *stack = open_host("10.9.0.1");
    for (int round = 0; round < 4; round++) {
        int fd = connect_host(stack);
        rounds[round](fd);
        CHECK_OK(tcps_shutdown(fd, SHUT_WR));
        hear_end(&ours, fd);
        CHECK_OK(tcps_close(fd));
    }
    CHECK_OK(tcps_stack_close(stack));

    int status;
    CHECK_EQ(waitpid(server, &status, 0), server);
    CHECK_EQ(status, 0);
    return 0;
}
