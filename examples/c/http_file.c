/*
 * Serves one file over HTTP/1.1.
 *
 *     http_file FILE [REQUESTS [PORT [URL]]]      1 request, port 8080, $TCPSTACK
 *
 * With URL = "tun:tcps0?addr=10.7.0.2/24&host=10.7.0.1" the kernel is the other end of the wire:
 *
 *     curl -O http://10.7.0.2:8080/FILE
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tcpstack.h>

static int fail(const char *what)
{
    fprintf(stderr, "http_file: %s: %s\n", what, tcps_last_error());
    return EXIT_FAILURE;
}

/* Reads up to the empty line that ends the request; 0 when it came, -1 when it did not. */
static int read_request(int connection)
{
    char request[8192];
    size_t len = 0;
    while (len < sizeof request - 1) {
        ssize_t count = tcps_recv(connection, request + len, sizeof request - 1 - len, 0);
        if (count <= 0) return -1;
        len += (size_t)count;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL) return 0;
    }
    return -1; /* too long */
}

/* Sends the file; a client that went away meanwhile is its own loss (MSG_NOSIGNAL: no SIGPIPE). */
static int answer(int connection, FILE *file, long size)
{
    char data[65536];
    int head = snprintf(data, sizeof data,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: %ld\r\nConnection: close\r\n\r\n", size);
    size_t len = (size_t)head;
    rewind(file);
    do {
        /* send returns when all has a place in the send buffer: it waits while the peer's window
         * and the network take no more. */
        if (tcps_send(connection, data, len, MSG_NOSIGNAL) == -1) return -1;
        len = fread(data, 1, sizeof data, file);
    } while (len > 0);
    return 0;
}

int main(int argc, char **argv)
{
    struct stat status;
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL || stat(argv[1], &status) == -1) {
        fprintf(stderr, "usage: http_file FILE [REQUESTS [PORT [URL]]]\n");
        return EXIT_FAILURE;
    }
    int requests = argc > 2 ? atoi(argv[2]) : 1;
    int port = argc > 3 ? atoi(argv[3]) : 8080;

    tcps_stack *stack = argc > 4 ? tcps_stack_open(argv[4]) : tcps_stack_default();
    if (stack == NULL) return fail("open");
    int listener = tcps_stack_socket(stack, AF_INET6, SOCK_STREAM, 0);
    if (listener == -1) return fail("socket");

    /* in6addr_any takes IPv4 clients too: they appear as ::ffff:a.b.c.d. */
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    address.sin6_addr = in6addr_any;
    if (tcps_bind(listener, (struct sockaddr *)&address, sizeof address) == -1) return fail("bind");
    if (tcps_listen(listener, 16) == -1) return fail("listen");
    printf("http_file: serving %s on port %d\n", argv[1], port);
    fflush(stdout);

    for (; requests > 0; requests--) {
        int connection = tcps_accept(listener, NULL, NULL);
        if (connection == -1) return fail("accept");
        if (read_request(connection) == -1 || answer(connection, file, (long)status.st_size) == -1)
            fail("request");
        tcps_close(connection); /* FIN follows the last byte: the file is whole */
    }

    tcps_close(listener);
    fclose(file);
    return tcps_stack_close(stack) == 0 ? EXIT_SUCCESS : fail("close");
}
