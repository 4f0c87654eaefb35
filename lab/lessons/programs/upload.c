/* A client with as much to say as it is told to. (A real program checks every result.) */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(80)};
    inet_pton(AF_INET, "10.0.0.2", &server.sin_addr);
    size_t size = argc > 1 ? (size_t)atol(argv[1]) : 40000;
    char *data = calloc(size, 1);

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&server, sizeof server);
    send(fd, data, size, 0);
    close(fd);
    free(data);
    return 0;
}
