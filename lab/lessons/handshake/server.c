#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(80)};
    own.sin_addr.s_addr = htonl(INADDR_ANY);

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&own, sizeof own);
    listen(listener, 16);

    int fd = accept(listener, NULL, NULL);
    char question[4096];
    ssize_t len;
    while ((len = recv(fd, question, sizeof question, 0)) > 0) {
        send(fd, question, len, 0);
    }
    close(fd);
    close(listener);
    return 0;
}
