/* A client that has said everything, and goes on listening: a half close. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(80)};
    inet_pton(AF_INET, "10.0.0.2", &server.sin_addr);
    char data[4096];

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&server, sizeof server);
    send(fd, "three, please", 13, 0);
    shutdown(fd, SHUT_WR);
    while (recv(fd, data, sizeof data, 0) > 0)
        ;
    close(fd);
    return 0;
}
