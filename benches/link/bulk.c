/*
 * Moves bytes through one connection with the C API; `bulk.py` does the same in Python.
 *
 *     bulk receive URL           listens, and prints how many Gbit/s came from accept to the end
 *     bulk send URL AMOUNT       connects and sends so many bytes
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tcpstack.h>
#include <time.h>

#define PORT 5001
#define CALL 65536

static char data[CALL];

static int fail(const char *what)
{
    fprintf(stderr, "bulk: %s: %s\n", what, tcps_last_error());
    return EXIT_FAILURE;
}

static double seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int receive(int fd, const struct sockaddr_in *server)
{
    if (tcps_bind(fd, (const struct sockaddr *)server, sizeof *server) == -1) return fail("bind");
    if (tcps_listen(fd, 1) == -1) return fail("listen");
    puts("listening");
    fflush(stdout);
    int connection = tcps_accept(fd, NULL, NULL);
    if (connection == -1) return fail("accept");

    double started = seconds(), received = 0;
    ptrdiff_t len;
    while ((len = tcps_recv(connection, data, sizeof data, 0)) > 0) received += (double)len;
    if (len == -1) return fail("recv");
    printf("%f\n", received * 8 / (seconds() - started) / 1e9);
    return tcps_close(connection) == 0 ? EXIT_SUCCESS : fail("close");
}

static int send_all(int fd, const struct sockaddr_in *server, size_t left)
{
    if (tcps_connect(fd, (const struct sockaddr *)server, sizeof *server) == -1) return fail("connect");
    while (left > 0) {
        ptrdiff_t sent = tcps_send(fd, data, left < CALL ? left : CALL, 0);
        if (sent == -1) return fail("send");
        left -= (size_t)sent;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc < 3) return fprintf(stderr, "usage: bulk receive URL | bulk send URL AMOUNT\n"), EXIT_FAILURE;
    tcps_stack *stack = tcps_stack_open(argv[2]);
    if (stack == NULL) return fail("open");
    int fd = tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0);
    if (fd == -1) return fail("socket");

    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, "10.7.0.1", &server.sin_addr);
    memset(data, 7, sizeof data);
    int result = strcmp(argv[1], "receive") == 0 ? receive(fd, &server)
               : send_all(fd, &server, argc > 3 ? strtoul(argv[3], NULL, 10) : CALL);
    tcps_close(fd);
    return tcps_stack_close(stack) == 0 ? result : fail("close");
}
