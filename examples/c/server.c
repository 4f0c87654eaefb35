/*
 * A TCP server: socket, bind, listen, accept, recv and send, close.
 *
 *     server [CLIENTS [PORT [URL]]]      1 client, port 8080, the network that $TCPSTACK names
 *
 * It answers one client after another with what the client sent.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <tcpstack.h>

static int fail(const char *what)
{
    fprintf(stderr, "server: %s: %s\n", what, tcps_last_error());
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int clients = argc > 1 ? atoi(argv[1]) : 1;
    int port = argc > 2 ? atoi(argv[2]) : 8080;

    tcps_stack *stack = argc > 3 ? tcps_stack_open(argv[3]) : tcps_stack_default();
    if (stack == NULL) return fail("open");

    int listener = tcps_stack_socket(stack, AF_INET, SOCK_STREAM, 0); /* CLOSED */
    if (listener == -1) return fail("socket");

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_ANY); /* any address of this stack */
    if (tcps_bind(listener, (struct sockaddr *)&address, sizeof address) == -1) return fail("bind");
    if (tcps_listen(listener, 16) == -1) return fail("listen"); /* CLOSED -> LISTEN */
    printf("server: listening on port %d\n", port);
    fflush(stdout);

    for (; clients > 0; clients--) {
        /* While this waits the stack answers SYN seq=J with SYN+ACK seq=K ack=J+1; the client's ACK
         * ack=K+1 makes the connection ESTABLISHED, and this returns. */
        int connection = tcps_accept(listener, NULL, NULL);
        if (connection == -1) return fail("accept");

        char data[4096];
        ssize_t len;
        while ((len = tcps_recv(connection, data, sizeof data, 0)) > 0) {
            printf("server: received %zd bytes\n", len);
            if (tcps_send(connection, data, (size_t)len, 0) == -1) return fail("send");
        }
        if (len == -1) return fail("recv");

        /* recv gave 0: the client's FIN has arrived, we are in CLOSE_WAIT. close sends ours ->
         * LAST_ACK; the client's ACK of it -> CLOSED. */
        if (tcps_close(connection) == -1) return fail("close");
    }

    tcps_close(listener);
    return tcps_stack_close(stack) == 0 ? EXIT_SUCCESS : fail("close");
}
