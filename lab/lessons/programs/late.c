/* The textbook server, busy with something else before it accepts. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    char data[4096];
    ssize_t len;

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    usleep(300000); /* something else comes first */

    int connection = accept(listener, NULL, NULL);
    while ((len = recv(connection, data, sizeof data, 0)) > 0)
        send(connection, data, (size_t)len, 0);
    close(connection);
    return 0;
}
