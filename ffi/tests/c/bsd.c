/* A textbook's client and server, which have never heard of this library, through tcpstack/bsd.h. */
#undef NDEBUG
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tcpstack/bsd.h>

static struct sockaddr_in address;

static void *serve(void *argument)
{
    int listener = *(int *)argument;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    char line[64];
    int fd = accept(listener, (struct sockaddr *)&peer, &len);
    assert(fd >= 0);
    ssize_t count = read(fd, line, sizeof line);
    assert(count > 0);
    assert(write(fd, line, (size_t)count) == count);
    assert(read(fd, line, sizeof line) == 0);
    close(fd);
    return NULL;
}

static void a_textbook_talks_over_the_stack(void)
{
    pthread_t server;
    char line[64];
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert(listener >= 0);
    assert(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    assert(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    assert(listen(listener, 5) == 0);
    assert(pthread_create(&server, NULL, serve, &listener) == 0);

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    assert(write(fd, "hello\n", 6) == 6);
    assert(read(fd, line, sizeof line) == 6);
    assert(memcmp(line, "hello\n", 6) == 0);
    assert(close(fd) == 0);
    assert(pthread_join(server, NULL) == 0);
    assert(close(listener) == 0);
    assert(close(listener) == -1 && errno == EBADF);
}

static void other_descriptors_stay_the_kernels(void)
{
    int pipes[2];
    char text[8];
    assert(pipe(pipes) == 0);
    assert(write(pipes[1], "kernel", 6) == 6);
    assert(read(pipes[0], text, sizeof text) == 6);
    assert(memcmp(text, "kernel", 6) == 0);
    assert(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
    assert(fcntl(pipes[0], F_GETFL) & O_NONBLOCK);
    assert(read(pipes[0], text, 1) == -1 && errno == EAGAIN);
    assert(close(pipes[0]) == 0 && close(pipes[1]) == 0);

    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    int type = 0;
    socklen_t len = sizeof type;
    assert(getsockopt(datagrams, SOL_SOCKET, SO_TYPE, &type, &len) == 0);
    assert(type == SOCK_DGRAM);
    assert(sendto(datagrams, "x", 1, 0, (struct sockaddr *)&address, 0) == -1);
    assert(errno == EDESTADDRREQ || errno == EINVAL);
    assert(close(datagrams) == 0);
}

static void the_sockets_are_the_stacks(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert(tcps_listen(fd, 1) == 0);
    assert(tcps_stack_connections(tcps_stack_default(), NULL, 0) >= 1);
    assert(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
    assert(accept(fd, NULL, NULL) == -1 && errno == EAGAIN);
    int copy = fcntl(fd, F_DUPFD, 100);
    assert(copy >= 100);
    assert(close(fd) == 0 && close(copy) == 0);
}

int main(void)
{
    char url[256];
    snprintf(url, sizeof url, "unix:%s?addr=10.9.0.1/24", getenv("TCPS_TEST_DIR"));
    setenv("TCPSTACK", url, 1);
    address.sin_family = AF_INET;
    address.sin_port = htons(7777);
    inet_pton(AF_INET, "10.9.0.1", &address.sin_addr);
    a_textbook_talks_over_the_stack();
    other_descriptors_stay_the_kernels();
    the_sockets_are_the_stacks();
    assert(tcps_stack_close(tcps_stack_default()) == 0);
    return 0;
}
