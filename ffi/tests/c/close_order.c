/* Who closes first, and what the other side sees. */
#include "peers.h"

#include <signal.h>

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int signal)
{
    (void)signal;
    broken_pipes++;
}

static void the_client_closes_first(const Sides *on)
{
    Connection connection = establish(on);
    say(on, connection.client, "bye");
    CHECK_OK(on->close(connection.client));
    hear(on, connection.server, "bye");
    hear_end(on, connection.server);
    hear_end(on, connection.server); /* and again */
    CHECK_OK(on->close(connection.server));
    if (on == &ours) {
        await_state(stacks[CLIENT], connection.address.sin_port, TCPS_TIME_WAIT);
        await_state(stacks[SERVER], connection.address.sin_port, TCPS_CLOSE);
        await_state(stacks[CLIENT], connection.address.sin_port, TCPS_CLOSE); /* 2 MSL later */
    }
}

static void the_server_closes_first(const Sides *on)
{
    Connection connection = establish(on);
    CHECK_OK(on->close(connection.server));
    hear_end(on, connection.client);
    CHECK_OK(on->close(connection.client));
    if (on == &ours) {
        await_state(stacks[SERVER], connection.address.sin_port, TCPS_TIME_WAIT);
        await_state(stacks[CLIENT], connection.address.sin_port, TCPS_CLOSE);
    }
}

static void both_close_at_once(const Sides *on)
{
    Connection connection = establish(on);
    CHECK_OK(on->shutdown(connection.client, SHUT_WR));
    CHECK_OK(on->shutdown(connection.server, SHUT_WR));
    hear_end(on, connection.client);
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void the_closer_still_receives(const Sides *on)
{
    Connection connection = establish(on);
    CHECK_OK(on->shutdown(connection.client, SHUT_WR));
    hear_end(on, connection.server);
    if (on == &ours) {
        await_state(stacks[CLIENT], connection.address.sin_port, TCPS_FIN_WAIT2);
        CHECK_EQ(state_of(stacks[SERVER], connection.address.sin_port), TCPS_CLOSE_WAIT);
    }
    for (int round = 0; round < 100; round++) {
        say(on, connection.server, "not yet");
        hear(on, connection.client, "not yet");
    }
    CHECK_FAILS(on->send(connection.client, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_OK(on->close(connection.server));
    hear_end(on, connection.client);
    CHECK_OK(on->close(connection.client));
}

/* The first send finds a peer that is gone, and gets RST; the next one is told so. */
static void sending_after_the_peer_closed(const Sides *on)
{
    Connection connection = establish(on);
    CHECK_OK(on->close(connection.client));
    await_mask(connection.server, POLLIN | POLLOUT | POLLRDHUP);
    broken_pipes = 0;
    say(on, connection.server, "first");
    await_mask(connection.server, POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    CHECK_EQ(broken_pipes, 0);
    CHECK_FAILS(on->send(connection.server, "second", 6, 0), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_FAILS(on->send(connection.server, "third", 5, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    hear_end(on, connection.server);
    CHECK_OK(on->close(connection.server));
}

static void closing_with_unread_bytes_resets(const Sides *on)
{
    Connection connection = establish(on);
    char byte;
    say(on, connection.client, "nobody reads this");
    await_mask(connection.server, POLLIN | POLLOUT);
    CHECK_OK(on->close(connection.server));
    CHECK_FAILS(on->recv(connection.client, &byte, 1, 0), ECONNRESET);
    hear_end(on, connection.client); /* told once */
    CHECK_OK(on->close(connection.client));
}

static void shutting_down_reading_is_the_end_of_the_stream(const Sides *on)
{
    Connection connection = establish(on);
    CHECK_OK(on->shutdown(connection.client, SHUT_RD));
    hear_end(on, connection.client);
    say(on, connection.client, "one way");
    hear(on, connection.server, "one way");
    CHECK_OK(on->close(connection.client));
    CHECK_OK(on->close(connection.server));
}

static void the_switch_silences_sigpipe(void)
{
    Connection connection = establish(&ours);
    CHECK_OK(tcps_shutdown(connection.client, SHUT_WR));
    broken_pipes = 0;
    CHECK_FAILS(tcps_write(connection.client, "x", 1), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_OK(tcps_stack_sysctl_set(stacks[CLIENT], "tcp_sigpipe", "0"));
    CHECK_FAILS(tcps_write(connection.client, "x", 1), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_OK(tcps_close(connection.client));
    CHECK_OK(tcps_close(connection.server));
}

int main(void)
{
    struct sigaction action = {.sa_handler = count_broken_pipe};
    CHECK_OK(sigaction(SIGPIPE, &action, NULL));
    open_hosts();
    tell("the client closes first", the_client_closes_first);
    tell("the server closes first", the_server_closes_first);
    tell("both close at once", both_close_at_once);
    tell("the closer still receives", the_closer_still_receives);
    tell("sending after the peer closed", sending_after_the_peer_closed);
    tell("closing with unread bytes resets", closing_with_unread_bytes_resets);
    tell("shutting down reading is the end of the stream",
         shutting_down_reading_is_the_end_of_the_stream);
    the_switch_silences_sigpipe();
    close_hosts();
    return 0;
}
