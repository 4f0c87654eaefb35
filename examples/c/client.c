/*
 * A TCP client: socket, connect, send and recv, close.
 *
 *     client ADDRESS [PORT [TEXT [URL]]]      port 8080, "hello", the network that $TCPSTACK names
 *
 * It sends TEXT and prints as many bytes as come back.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tcpstack.h>

static int fail(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, tcps_last_error());
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int port = argc > 2 ? atoi(argv[2]) : 8080;
    const char *text = argc > 3 ? argv[3] : "hello";
    size_t len = strlen(text);

    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (argc < 2 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        fprintf(stderr, "usage: client ADDRESS [PORT [TEXT [URL]]]\n");
        return EXIT_FAILURE;
    }

    tcps_stack *stack = argc > 4 ? tcps_stack_open(argv[4]) : tcps_stack_default();
    if (stack == NULL) return fail("open");

    int connection = tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0); /* CLOSED */
    if (connection == -1) return fail("socket");

    /* SYN seq=J goes out -> SYN_SENT. SYN+ACK seq=K ack=J+1 comes back, ACK ack=K+1 goes out
     * -> ESTABLISHED, and this returns. */
    if (tcps_connect(connection, (struct sockaddr *)&server, sizeof server) == -1)
        return fail("connect");

    /* The bytes are numbered J+1 ... J+len; the server's ACK says up to which it has them. */
    if (tcps_send(connection, text, len, 0) == -1) return fail("send");

    char data[4096];
    for (size_t received = 0; received < len;) {
        ssize_t count = tcps_recv(connection, data, sizeof data, 0);
        if (count == -1) return fail("recv");
        if (count == 0) break; /* the server's FIN came first */
        printf("client: received \"%.*s\"\n", (int)count, data);
        received += (size_t)count;
    }

    /* We close first: FIN goes out -> FIN_WAIT_1, its ACK comes -> FIN_WAIT_2, the server's FIN
     * comes and is acknowledged -> TIME_WAIT, for 2 MSL. */
    if (tcps_close(connection) == -1) return fail("close");
    return tcps_stack_close(stack) == 0 ? EXIT_SUCCESS : fail("close");
}
