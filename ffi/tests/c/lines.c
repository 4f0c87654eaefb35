/* Events name the line of the program that calls: through tcpstack/bsd.h each line, else none. */
#undef NDEBUG
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tcpstack/bsd.h>

static FILE *events;

/* Whether the next call of that name in the file of events comes from `line` of this file; 0: from nowhere. */
static int comes_from(const char *name, int line)
{
    static char event[65536];
    char entered[64], source[512];
    snprintf(entered, sizeof entered, "\"name\":\"%s\",\"arguments\"", name);
    snprintf(source, sizeof source, "\"source\":{\"file\":\"%s\",\"line\":%d}", __FILE__, line);
    while (fgets(event, sizeof event, events)) {
        if (strstr(event, entered)) {
            return line ? strstr(event, source) != NULL : strstr(event, "\"source\"") == NULL;
        }
    }
    return 0;
}

int main(void)
{
    char url[1024], path[512];
    char text[8];
    int line;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7777)};
    socklen_t len = sizeof address;

    snprintf(path, sizeof path, "%s/lines.jsonl", getenv("TCPS_TEST_DIR"));
    snprintf(url, sizeof url, "unix:%s?addr=10.9.0.1/24&events=%s", getenv("TCPS_TEST_DIR"), path);
    setenv("TCPSTACK", url, 1);
    inet_pton(AF_INET, "10.9.0.1", &address.sin_addr);

    line = __LINE__ + 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0); /* the stack opens here */
    events = fopen(path, "r");
    assert(events && comes_from("socket", line));
    line = __LINE__ + 1;
    assert(bind(listener, (struct sockaddr *)&address, len) == 0);
    assert(comes_from("bind", line));
    assert(tcps_listen(listener, 1) == 0);
    assert(comes_from("listen", 0));

    int client = socket(AF_INET, SOCK_STREAM, 0);
    line = __LINE__ + 1;
    assert(connect(client, (struct sockaddr *)&address, len) == 0);
    assert(comes_from("connect", line));
    int server = accept(listener, NULL, NULL);
    line = __LINE__ + 1;
    assert(write(client, "hello", 5) == 5);
    assert(comes_from("send", line));
    line = __LINE__ + 1;
    assert(read(server, text, sizeof text) == 5);
    assert(comes_from("recv", line));

    /* A line is the next call's alone, whatever becomes of that. */
    assert(close(-1) == -1);
    assert(tcps_close(server) == 0);
    assert(comes_from("close", 0));
    assert(close(client) == 0 && close(listener) == 0);
    assert(fclose(events) == 0);
    assert(tcps_stack_close(tcps_stack_default()) == 0);
    return 0;
}
