/* A server that reads to the end, but only when it gets round to it. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    char data[4096];

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 16);

    int connection = accept(listener, NULL, NULL);
    sleep(1); /* something else comes first */
    while (recv(connection, data, sizeof data, 0) > 0)
        ;
    close(connection);
    return 0;
}
